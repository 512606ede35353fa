"""The automatic response to a feedback: which event a rule asks for, under which id, and what it says.

It does not know whether it was raised before.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from feedback.alerting.planning import Subject, subject_of
from feedback.alerting.policy import Policy
from feedback.alerting.rules import Response, ResponseEvent, Rule
from feedback.ledger import Entry


class ResponseState(str, Enum):  # noqa: UP042 - StrEnum is 3.11
    """Where a response is."""

    WANTED = "WANTED"
    """Noted, and to be raised."""
    DRY_RUN = "DRY_RUN"
    """Noted, and by the policy never raised."""
    RAISED = "RAISED"
    UNDONE = "UNDONE"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A response that a rule asks for, for one subject."""

    rule: Rule
    response: Response
    subject: Subject
    feedback_id: str
    received: datetime

    @property
    def since(self) -> datetime:
        """What was received before counts no more. By receipt, so that a late or repeated decision counts the same."""
        return self.received - self.response.within

    @property
    def evidence_key(self) -> str:
        """What feedback is gathered under until there is enough of it."""
        return f"{self.rule.name}#{self.response.event.value}#{self.subject.key}"

    @property
    def response_id(self) -> str:
        """A support case is of one feedback; a product is pulled at most once in each span of its evidence."""
        cause = self.feedback_id
        if self.response.event is ResponseEvent.PRODUCT_PULL:
            cause = str(int(self.received.timestamp() // self.response.within.total_seconds()))
        return "response-" + hashlib.sha256(f"{self.evidence_key}\n{cause}".encode()).hexdigest()[:24]


def wanted_response(policy: Policy, entry: Entry) -> Wanted | None:
    """What the policy asks for after this feedback; None for nothing."""
    rule = policy.rule_for(entry)
    if rule is None or rule.response is None:
        return None
    subject = subject_of(entry.event)
    if rule.response.event is ResponseEvent.PRODUCT_PULL and subject.kind != "product":
        return None  # there is no product to pull
    return Wanted(
        rule=rule,
        response=rule.response,
        subject=subject,
        feedback_id=entry.event.id,
        received=datetime.fromisoformat(entry.event.received_at.replace("Z", "+00:00")),
    )


def detail(wanted: Wanted, *, evidence: int) -> Mapping[str, object]:
    """What the event says: ids and figures; what was said is asked for by the feedback's id."""
    return {
        "version": 1,
        "response_id": wanted.response_id,
        "feedback_id": wanted.feedback_id,
        "subject": wanted.subject.document,
        "severity": wanted.rule.severity.value,
        "team": wanted.rule.team,
        "rule": wanted.rule.name,
        "evidence": evidence,
    }
