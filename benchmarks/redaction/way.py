"""The way of a feedback through the product, in process: what each place on it gets to see.

Acceptance, answers, archive rows and alerts are the product's own; stores, queue and model are stand-ins that keep what
they are given. It does not know how redaction works.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import StringIO
from typing import Any, Final

from feedback.alerting import forms, wording
from feedback.alerting.messages import FIRST
from feedback.alerting.teams import DestinationKind
from feedback.ledger import Entry
from feedback.prediction import Outcome, Prediction
from feedback.problem import Problem
from feedback.sentiment import Sentiment
from lambdas.archive.rows import objects
from lambdas.aws.ledger import LedgerUnavailableError
from lambdas.aws.originals import Original
from lambdas.intake.acceptance import Accepted, Intake
from lambdas.intake.request import BODY_LIMIT_BYTES, RefusedError, read_document, read_feedback
from lambdas.intake.response import entry_response, feedback_response, problem_response
from lambdas.telemetry import count

NOW: Final = datetime(2026, 3, 1, 10, tzinfo=UTC)
ORIGINALS: Final = "originals"
_NEGATIVE: Final = Prediction(
    sentiment=Sentiment.NEGATIVE, probabilities=(0.9, 0.06, 0.04), confidence=0.9, model_version="m"
)

Seen = dict[str, list[str]]
"""What each place was given, in words."""


@dataclass(kw_only=True)
class Stores:
    """Ledger and originals; ``is_away`` makes them refuse."""

    seen: Seen
    is_away: bool = False

    def accept(self, entry: Entry, *, original: Original | None = None, now: datetime) -> Entry:
        """Keep a new entry, and its original where there is one."""
        if self.is_away:
            raise LedgerUnavailableError("The ledger is away.")
        self._keep(entry)
        if original is not None:
            self.seen[ORIGINALS].append(json.dumps({"text": original.text, "metadata": dict(original.metadata)}))
        return entry

    def decide(self, entry: Entry) -> bool:
        """Keep the decision."""
        self._keep(entry)
        return True

    def _keep(self, entry: Entry) -> None:
        # The digest of the whole document is a hash: it holds no words.
        document = {name: value for name, value in entry.to_document().items() if name != "body_digest"}
        self.seen["ledger"].append(json.dumps(document, ensure_ascii=False))


@dataclass(kw_only=True)
class Model:
    """The endpoint, and the queue before it."""

    seen: Seen

    def admits(self) -> bool:
        """Always."""
        return True

    def classify(self, texts: Sequence[tuple[str, str]]) -> list[Outcome]:
        """Negative, so that an alert follows."""
        self.seen["endpoint request"] += [text for _, text in texts]
        return [_NEGATIVE for _ in texts]

    def send(self, feedback_ids: Iterable[str], *, delay_seconds: int) -> set[str]:
        """Queue them."""
        queued = set(feedback_ids)
        self.seen["queue"].append(json.dumps(sorted(queued)))
        return queued


@dataclass(kw_only=True)
class Context:
    """What Lambda hands over."""

    function_name: str = "intake"
    aws_request_id: str = "r"

    def get_remaining_time_in_millis(self) -> int:
        """Enough."""
        return 30_000


PLACES: Final = (
    ORIGINALS, "ledger", "queue", "endpoint request", "answers", "error answers", "archive rows", "alerts",
    "log lines and metrics",
)  # fmt: skip


@dataclass(kw_only=True)
class Way:
    """Puts texts through everything, and tells what each place saw."""

    seen: Seen = field(default_factory=lambda: {place: [] for place in PLACES})

    def walk(self, number: int, text: str) -> Seen:
        """What each place saw of one text."""
        for place in self.seen.values():
            place.clear()
        document = {
            "id": f"fb-{number}",
            "channel": "email",
            "text": text,
            "metadata": {"subject": text[:200], "note": text[:400]},
        }
        with redirect_stdout(StringIO()) as said:
            self._accept(document)
            self._refuse(document)
        self.seen["log lines and metrics"].append(said.getvalue())
        return self.seen

    def _accept(self, document: Mapping[str, Any]) -> None:
        stores, model = Stores(seen=self.seen), Model(seen=self.seen)
        intake = Intake(ledger=stores, queue=model, endpoint=model, now=lambda: NOW)  # type: ignore[arg-type]
        (answer,) = intake.take_in([read_feedback(document)])
        self.seen["answers"].append(_words(feedback_response(answer)))
        count(Context(), Accepted=isinstance(answer, Accepted))
        if isinstance(answer, Accepted):
            self.seen["answers"].append(_words(entry_response(answer.entry)))
            self.seen["archive rows"] += [body.decode() for body in objects([answer.entry]).values()]
            self.seen["alerts"] += _alerts(answer.entry)

    def _refuse(self, document: Mapping[str, Any]) -> None:
        """The same words where they cannot be accepted."""
        text = document["text"]
        away = Intake(ledger=Stores(seen=self.seen, is_away=True), queue=Model(seen=self.seen), now=lambda: NOW)  # type: ignore[arg-type]
        (answer,) = away.take_in([document])
        self.seen["error answers"].append(_words(feedback_response(answer)))
        (answer,) = away.take_in([{**document, "text": f"{text}\x00"}])
        self.seen["error answers"].append(_words(feedback_response(answer)))
        wrong = (
            {**document, "channel": text},
            {**document, "rating": text},
            {**document, "id": f" {text}"},
            {**document, "customer_ref": text * 40},
            {**document, "unknown": text},
            {"channel": "web", "texts": text},
        )
        for refused in wrong:
            self.seen["error answers"].append(_words(problem_response(_refusal(refused))))
        for body in (f'{{"text": "{text}', text, f'["{text}"]'):
            self.seen["error answers"].append(_words(problem_response(_refusal_of_body(body))))


def _refusal(document: object) -> Problem:
    try:
        read_feedback(document)
    except RefusedError as error:
        return error.problem
    raise AssertionError("this document is to be refused")


def _refusal_of_body(body: str) -> Problem:
    event = {"headers": {"Content-Type": "application/json"}, "body": body, "isBase64Encoded": False}
    try:
        return _refusal(read_document(event, limit_bytes=BODY_LIMIT_BYTES))
    except RefusedError as error:
        return error.problem


def _alerts(entry: Entry) -> Iterator[str]:
    notice = wording.about_feedback(
        entry,
        alert={"severity": "high", "rule": "r", "team": "t"},
        advice="Write to them.",
        step=FIRST,
        words=("broke",),
        similar=(entry,),
        feedback_url="https://api.example/v1/feedback/",
    )
    for kind in (DestinationKind.TOPIC, DestinationKind.TOPIC_RAW):
        letter = forms.letter(notice, kind=kind, delivery="d")
        yield f"{letter.subject}\n{letter.body}"
    yield json.dumps(forms.slack(notice), ensure_ascii=False)
    yield json.dumps(forms.teams(notice), ensure_ascii=False)


def _words(response: Mapping[str, Any]) -> str:
    return json.dumps(response, ensure_ascii=False)
