"""The acceptance that the channels' functions use: made once per process out of a function's settings.

It does not know which channel accepts.
"""

from datetime import UTC, datetime, timedelta

from lambdas.aws.clients import client
from lambdas.aws.ledger import Ledger
from lambdas.aws.originals import Originals
from lambdas.aws.queue import Queue
from lambdas.channels.delivery import Delivery
from lambdas.channels.settings import AcceptSettings
from lambdas.intake.acceptance import Intake


def delivery(settings: AcceptSettings) -> Delivery:
    """The way into acceptance, without the model."""
    originals = Originals(table=settings.originals_table, keep=timedelta(days=settings.original_days))
    return Delivery(
        accepting=Intake(
            ledger=Ledger(
                table=settings.ledger_table, originals=originals, dynamodb=client("dynamodb", read_seconds=2.0)
            ),
            queue=Queue(url=settings.queue_url, sqs=client("sqs", read_seconds=2.0)),
            now=lambda: datetime.now(UTC),
            translates=True,  # which languages the model reads is the router's to know
        )
    )
