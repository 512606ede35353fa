"""What people say over the API about what was accepted: a correction of a feedback, an action on an alert.

It reads the request, has it done and words the answer. It does not know how either is done or kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from feedback.problem import Problem
from feedback.schema import correction_schema
from feedback.sentiment import Sentiment
from lambdas.aws.ledger import Ledger, UndecidedFeedbackError, UnknownFeedbackError
from lambdas.intake.request import (
    RefusedError,
    Validate,
    check,
    compile_schema,
    read_document,
    read_feedback_id,
    read_path_id,
)
from lambdas.intake.response import document_response, entry_response, problem_response

if TYPE_CHECKING:
    from lambdas.aws.alert_actions import AlertActions

NOT_FOUND: Final = Problem(kind="not-found", detail="No feedback with this id was accepted.")

_LIMIT_BYTES: Final = 16 * 1024
_ID_LIMIT: Final = 300
_UNDECIDED: Final = Problem(kind="undecided", detail="The model comes first: correct it once it is decided.")


def correct(event: Mapping[str, Any], *, ledger: Ledger, now: datetime) -> dict[str, Any]:
    """The feedback with a person's judgement over the model's."""
    feedback_id = read_feedback_id(event)
    document = check(read_document(event, limit_bytes=_LIMIT_BYTES), _validate())
    sentiment = Sentiment.from_label(document["label"])
    try:
        entry = ledger.correct(feedback_id, sentiment, by=document["by"], note=document.get("note"), now=now)
    except UnknownFeedbackError:
        return problem_response(NOT_FOUND)
    except UndecidedFeedbackError:
        return problem_response(_UNDECIDED)
    return entry_response(entry)


def act_on_alert(event: Mapping[str, Any], *, actions: AlertActions, now: datetime) -> dict[str, Any]:
    """The alert after somebody acknowledged, assigned or snoozed it."""
    from feedback.alerting.life import WrongActionError
    from lambdas.aws.alert_actions import NoSuchAlertError, NotPossibleError

    document = read_document(event, limit_bytes=_LIMIT_BYTES)
    if not isinstance(document, dict):
        raise RefusedError(Problem(kind="malformed", detail="What is done about an alert is a JSON object."))
    alert_id = read_path_id(event)
    try:
        if not 0 < len(alert_id) <= _ID_LIMIT:
            raise NoSuchAlertError
        return document_response(actions.perform(alert_id, document, now=now))
    except WrongActionError as error:
        raise RefusedError(Problem(kind="unusable", detail=str(error))) from error
    except NoSuchAlertError:
        return problem_response(Problem(kind="not-found", detail="There is no alert of this id."))
    except NotPossibleError as error:
        return problem_response(Problem(kind="not-possible", detail=str(error)))


@cache
def _validate() -> Validate:
    return compile_schema(correction_schema())
