"""One batch of a drop channel's queue: each object by itself, so that one that cannot be read holds up no other.

Responsible for what every drop channel does alike: notices into objects, objects that are gone, what is to come again
and what gets counted. It does not know what a channel does with an object. Needs ReportBatchItemFailures.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lambdas.channels.bucket import ObjectGoneError, ObjectTooLargeError
from lambdas.channels.delivery import NotDeliveredError
from lambdas.channels.drop import Dropped, UnreadableNoticeError, has_plain_key
from lambdas.telemetry import LambdaContext, count, log, log_error

Tally = Mapping[str, int]
"""What became of an object, by the name of the metric that counts it."""


class UnusableObjectError(Exception):
    """An object that cannot be read at all. It is tried again, and ends with its reason among the dead letters."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class DropBatch:
    """The use case.

    ``read`` finds the objects that a message tells of, ``take`` does the channel's work on one of them, which may take
    ``needed_seconds``.
    """

    read: Callable[[str], Sequence[Dropped]]
    take: Callable[[Dropped], Tally]
    needed_seconds: float

    def process(self, event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
        """Do the work of one event; the messages that are to come again."""
        totals: Counter[str] = Counter()
        again = [record["messageId"] for record in event["Records"] if not self._is_done(record, context, totals)]
        count(context, **totals, Retried=len(again))
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in again]}

    def _is_done(self, record: Mapping[str, Any], context: LambdaContext, totals: Counter[str]) -> bool:
        message_id = record["messageId"]
        if context.get_remaining_time_in_millis() < self.needed_seconds * 1000:
            return False
        try:
            objects = self.read(record["body"])
        except UnreadableNoticeError as error:
            log("ERROR", "A message is no notice of a dropped object.", message_id=message_id, reason=str(error))
            totals["Unreadable"] += 1
            return False
        # Every object is tried, also behind one that failed: what was done is harmless to do again.
        failed = [dropped for dropped in objects if not self._is_taken(dropped, message_id, totals)]
        return not failed

    def _is_taken(self, dropped: Dropped, message_id: str, totals: Counter[str]) -> bool:
        # The key may hold a name: logs say which version of which message, and the message says the key.
        facts = {"message_id": message_id, "version_id": dropped.version_id}
        try:
            if dropped.key.endswith("/"):  # what consoles call a folder
                totals["Ignored"] += 1
                return True
            if not has_plain_key(dropped):
                raise UnusableObjectError("The object's key is not one to be used.")
            totals.update(self.take(dropped))
        except ObjectGoneError:
            log("WARNING", "A dropped object is gone.", **facts)
            totals["Gone"] += 1
        except UnusableObjectError as error:
            log("ERROR", "A dropped object cannot be read.", reason=error.reason, **facts)
            totals["Unreadable"] += 1
            return False
        except ObjectTooLargeError as error:
            log("ERROR", "A dropped object cannot be read.", reason=str(error), **facts)
            totals["Unreadable"] += 1
            return False
        except NotDeliveredError:
            totals["Unavailable"] += 1
            return False
        except Exception as error:  # the boundary of one object: the others of the batch go on
            log_error("A dropped object could not be taken.", error, **facts)
            totals["Failed"] += 1
            return False
        return True
