"""State changes told to the event bus, in the form that SageMaker's own events have.

Knows the envelope and the times; what changed is the caller's.
"""

import logging

from local.sagemaker import shapes
from local.sagemaker.context import Context

_log = logging.getLogger(__name__)

SOURCE = "aws.sagemaker"


def announce(context: Context, detail_type: str, describe: str, record: shapes.Fields, **more: object) -> None:
    """Publish one event whose detail is what the operation ``describe`` would answer, with times in milliseconds.

    An event bus that fails must not fail the resource: the change has already happened. The fault is logged.
    """
    detail = {**shapes.in_milliseconds(describe, shapes.project(describe, record)), **more}
    try:
        context.publish(SOURCE, detail_type, detail)
    except Exception:
        _log.exception("the event bus did not take %r", detail_type)
