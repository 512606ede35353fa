"""Raises the response that a rule asks for, once there is evidence enough: noted, raised, marked.

An event that was raised and not marked is raised again under the same ``response_id``, by which its target drops it. It
does not know streams or EventBridge.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from feedback.alerting.policy import Policy
from feedback.alerting.responses import ResponseState, Wanted, detail, wanted_response
from feedback.ledger import Entry
from lambdas.aws.bus import Bus, NotRaisedError
from lambdas.aws.desk import DeskUnavailableError
from lambdas.aws.ledger import LedgerUnavailableError
from lambdas.aws.response_audit import ResponseAudit
from lambdas.aws.response_record import ResponseRecord
from lambdas.telemetry import log, log_error


class Result(Enum):
    """What became of one entry."""

    NOT_WANTED = "not wanted"
    GATHERED = "gathered"
    NOTED = "noted"
    RAISED = "raised"
    BEFORE = "before"
    AGAIN = "again"


@dataclass(frozen=True, kw_only=True)
class Responding:
    """The use case with its collaborators."""

    policy: Policy
    record: ResponseRecord
    audit: ResponseAudit
    bus: Bus
    now: Callable[[], datetime]

    def respond(self, entry: Entry) -> Result:
        """What became of it; AGAIN where it is to be tried again."""
        wanted = wanted_response(self.policy, entry)
        if wanted is None:
            return Result.NOT_WANTED
        try:
            return self._respond(wanted)
        except (DeskUnavailableError, LedgerUnavailableError, NotRaisedError) as error:
            log_error("A response could not be raised.", error, feedback_id=entry.event.id)
            return Result.AGAIN

    def _respond(self, wanted: Wanted) -> Result:
        now, response = self.now(), wanted.response
        evidence = self.record.gather(
            wanted.evidence_key, wanted.feedback_id, since=wanted.since, until=wanted.received
        )
        if len(evidence) < response.count:
            return Result.GATHERED
        response_id = wanted.response_id
        event = detail(wanted, evidence=len(evidence))
        state = ResponseState.DRY_RUN if response.dry_run else ResponseState.WANTED
        self.record.begin(response_id, {**event, "event": response.event.value}, state=state, now=now)
        noted = self.record.find(response_id)
        if noted is None:  # read consistently after it was written: it expired or was erased meanwhile
            return Result.BEFORE
        if noted["state"] == ResponseState.DRY_RUN.value:
            log("INFO", "A response is noted and, being a dry run, not raised.", response_id=response_id)
            self.audit.write(wanted.feedback_id, response_id, event=response.event.value, state=ResponseState.DRY_RUN)
            return Result.NOTED
        if noted["state"] != ResponseState.WANTED.value:
            return Result.BEFORE
        event_id = self.bus.put(response.event.value, event)
        self.record.move(noted, ResponseState.RAISED, now=now, event_id=event_id)
        self.audit.write(wanted.feedback_id, response_id, event=response.event.value, state=ResponseState.RAISED)
        return Result.RAISED
