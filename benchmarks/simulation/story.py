"""What is sent in one schedule: feedback of every kind, by senders that repeat themselves when they are not answered.

It does not know what becomes of it.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.simulation.estate import Estate
from benchmarks.simulation.model import POISON, UNREADABLE
from benchmarks.simulation.world import START

MARK = "shibboleth"
"""In every text, and in nothing that a function may print."""
_TEXTS = (
    "Terrible, it broke after a day",
    "Bad seams and a poor fit",
    "Awful service, I hate waiting",
    "Love it, great colour",
    "Perfect fit, excellent cloth",
    "It is a shirt",
    "It arrived on Tuesday",
)
_TRIES = 4


@dataclass(frozen=True, kw_only=True)
class Feedback:
    """One feedback as its sender words it."""

    id: str
    document: Mapping[str, Any]


@dataclass
class Story:
    """What was sent, and how it was answered. ``accepted`` are the ids that a sender was told are taken."""

    feedback: dict[str, Feedback] = field(default_factory=dict)
    accepted: set[str] = field(default_factory=set)
    statuses: list[int] = field(default_factory=list)
    answers: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)


def tell(estate: Estate, chance: random.Random, *, feedbacks: int, seconds: float) -> Story:
    """Plan everything that is sent in the first ``seconds``; it happens when the world's time runs."""
    story = Story()
    for number in range(feedbacks):
        one = _feedback(number, chance)
        story.feedback[one.id] = one
    waiting = list(story.feedback.values())
    chance.shuffle(waiting)
    while waiting:
        size = chance.choice((1, 1, 1, 2, 5))
        group, waiting = waiting[:size], waiting[size:]
        for _ in range(chance.choice((1, 1, 1, 2, 5))):  # the same feedback, from somebody who sends it again
            moment = START + chance.random() * seconds
            estate.world.turns.at(moment, _sender(estate, story, group, chance))
    return story


def post(estate: Estate, documents: Sequence[Mapping[str, Any]], done: Callable[[int | None, Any], None]) -> None:
    """One request; ``done`` gets its status and document, or None where there is no answer."""
    is_single = len(documents) == 1
    resource = "/v1/feedback" if is_single else "/v1/feedback/batch"
    body = documents[0] if is_single else {"items": list(documents)}
    event = {
        "httpMethod": "POST",
        "resource": resource,
        "path": resource,
        "headers": {"Content-Type": "application/json"},
        "pathParameters": None,
        "queryStringParameters": None,
        "requestContext": {"requestId": "simulated", "resourcePath": resource, "httpMethod": "POST"},
        "body": json.dumps(body),
        "isBase64Encoded": False,
    }

    def ended(result: Any, error: BaseException | None) -> None:
        if error is None:
            done(int(result["statusCode"]), json.loads(result["body"]))
        else:
            done(None, None)

    estate.world.fleet.invoke(estate.intake, event, ended)


def _feedback(number: int, chance: random.Random) -> Feedback:
    text = chance.choice(_TEXTS)
    dice = chance.random()
    if dice < 0.06:
        text = f"{text}, {POISON}"
    elif dice < 0.12:
        text = f"{text}, {UNREADABLE}"
    id_ = f"feedback-{number}"
    document = {
        "id": id_,
        "channel": chance.choice(("web", "app", "email", "chat")),
        "text": f"{text}. {MARK} {number}",
        "product_id": f"P-{number % 3}",
        "customer_ref": f"C-{number % 4}",
    }
    return Feedback(id=id_, document=document)


def _sender(estate: Estate, story: Story, group: Sequence[Feedback], chance: random.Random) -> Callable[[], None]:
    tries_left = _TRIES

    def attempt() -> None:
        nonlocal tries_left
        tries_left -= 1
        post(estate, [one.document for one in group], answered)

    def answered(status: int | None, document: Any) -> None:
        if status is not None:
            story.statuses.append(status)
            _note(story, group, status, document)
        if (status is None or status >= 500 or status == 409) and tries_left:
            estate.world.turns.after(1.0 + chance.random() * 20.0, attempt)

    return attempt


def _note(story: Story, group: Sequence[Feedback], status: int, document: Any) -> None:
    if len(group) == 1:
        results = [(status, document)]
    else:
        results = [(each["status"], each) for each in document.get("results", [])]
    for one, (result_status, result) in zip(group, results, strict=False):
        if result_status in (200, 202):
            story.accepted.add(one.id)
            story.answers.setdefault(one.id, []).append(result)
