"""Gathers what an alert tells: the feedback, the words behind its decision, similar ones, and the policy's advice.

Whatever is an extra (words, similar ones) is left out where it cannot be had. It does not know destinations.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from feedback.alerting.messages import AlertMessage, Kind, ProductMessage
from feedback.alerting.planning import Subject
from feedback.alerting.policy import Policy
from feedback.alerting.wording import SIMILAR_LIMIT, Notice, about_feedback, about_many, about_product
from feedback.ledger import Entry, MalformedEntryError
from feedback.sentiment import Sentiment
from lambdas.aws.alert_record import AlertRecord, examples_of
from lambdas.aws.ledger import Ledger, LedgerUnavailableError
from lambdas.telemetry import log_error


class Words(Protocol):
    """Explains decisions."""

    def of(self, feedback_id: str, text: str) -> list[str]:
        """The most telling words first; none where there is no explanation."""


@dataclass(frozen=True, kw_only=True)
class Composing:
    """The use case with its collaborators."""

    policy: Policy
    ledger: Ledger
    record: AlertRecord
    words: Words
    feedback_url: str

    def notice(self, message: AlertMessage | ProductMessage, alert: Mapping[str, Any]) -> Notice | None:
        """What is to be told; None where its feedback was erased or is negative no more."""
        if isinstance(message, ProductMessage):
            return about_product(
                message,
                severity=alert["severity"],
                team=alert["team"],
                advice=self.policy.products.advice,
                examples=self._entries(message.examples),
            )
        if message.kind is Kind.DIGEST:
            storm = self.record.storm(alert["scope"], alert["window"])
            return about_many(
                message.id,
                subject=Subject(**alert["subject"]),
                severity=alert["severity"],
                team=alert["team"],
                alerts=int(storm.get("digested", 0)),
                advice=self._advice(alert["rule"]),
                examples=self._entries(examples_of(storm)),
            )
        entry = self.ledger.find(message.id)
        if entry is None or entry.effective_sentiment is not Sentiment.NEGATIVE:  # erased, or corrected meanwhile
            return None
        return about_feedback(
            entry,
            alert=alert,
            advice=self._advice(alert["rule"]),
            step=message.step,
            words=self.words.of(entry.event.id, entry.event.text),
            similar=self._similar(entry, alert["scope"]),
            feedback_url=self.feedback_url,
        )

    def _advice(self, rule_name: str) -> str:
        rule = self.policy.rule_named(rule_name)
        return rule.advice if rule is not None else self.policy.products.advice

    def _similar(self, entry: Entry, scope: str) -> list[Entry]:
        try:
            ids = [id_ for id_ in self.record.recent_examples(scope) if id_ != entry.event.id]
        except LedgerUnavailableError as error:
            log_error("Similar feedback could not be looked up.", error, feedback_id=entry.event.id)
            return []
        return self._entries(ids[:SIMILAR_LIMIT])

    def _entries(self, ids: Sequence[str]) -> list[Entry]:
        try:
            items = self.ledger.find_items(ids) if ids else {}
        except LedgerUnavailableError as error:
            log_error("Examples could not be read.", error)
            return []
        entries = []
        for id_ in ids:
            try:
                entries.append(Entry.from_document(items[id_]))
            except (KeyError, MalformedEntryError):  # forgotten since, or none of ours: there are others
                continue
        return entries
