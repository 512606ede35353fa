"""What must hold at the end of every schedule. It does not know how the schedule came about."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from benchmarks.simulation.estate import Estate
from benchmarks.simulation.installation import Here
from benchmarks.simulation.story import Story
from faults.runtime import sentiment_of
from feedback.sentiment import Sentiment

UNDECIDED = "RECEIVED"


def broken_promises(estate: Estate, story: Story) -> list[str]:
    """One sentence for each promise that does not hold at the end; none where all is well."""
    return [
        *_of_the_code(estate),
        *acceptance_broken(estate, story),
        *_of_decisions(estate, story),
        *_of_effects(estate),
    ]


def dead_ids(estate: Estate) -> set[str]:
    """The feedback in the dead letters."""
    return {json.loads(each.body)["feedback_id"] for each in estate.dead_letters.messages.values()}


def _of_the_code(estate: Estate) -> Iterator[str]:
    if Here.leaks:
        yield f"{Here.leaks} printed lines hold the text of a feedback"
    for call in sorted(estate.world.unknown):
        yield f"{call} is not simulated"


def acceptance_broken(estate: Estate, story: Story) -> Iterator[str]:
    """What was accepted is decided or in the dead letters, and was answered as it is."""
    dead = dead_ids(estate)
    for id_ in sorted(story.accepted):
        item = estate.ledger.items.get((id_,))
        if item is None:
            yield f"{id_} was accepted and is not in the ledger"
        elif item["state"]["S"] == UNDECIDED and id_ not in dead:
            yield f"{id_} was accepted and is neither decided nor in the dead letters"
    if story.statuses.count(500):
        yield f"{story.statuses.count(500)} requests were answered 500"
    for id_, answers in story.answers.items():
        sentiments = {each["sentiment"] for each in answers if each.get("sentiment") is not None}
        if len(sentiments) > 1:
            yield f"{id_} was answered with two sentiments"


def _of_decisions(estate: Estate, story: Story) -> Iterator[str]:
    decisions: dict[str, set[str]] = {}
    for item in estate.history:
        if item["state"]["S"] != UNDECIDED:
            decisions.setdefault(item["feedback_id"]["S"], set()).add(item["decided_at"]["S"])
    for id_, moments in sorted(decisions.items()):
        if len(moments) > 1:
            yield f"{id_} was decided {len(moments)} times"
    for (id_,), item in estate.ledger.items.items():
        state = item["state"]["S"]
        expected = sentiment_of(story.feedback[id_].document["text"])
        if state == "CLASSIFIED" and int(item["sentiment"]["N"]) != int(expected):
            yield f"{id_} was classified otherwise than the model said"
        if state == "FAILED" and not item.get("failure", {}).get("S"):
            yield f"{id_} failed without a reason"


def _of_effects(estate: Estate) -> Iterator[str]:
    decided = {
        (id_, item["decided_at"]["S"])
        for (id_,), item in estate.ledger.items.items()
        if item["state"]["S"] != UNDECIDED
    }
    rows = {(row["feedback_id"], row["decided_at"]): row for row in lake_rows(estate)}
    for id_, decided_at in sorted(decided - set(rows)):
        yield f"{id_} has no row in the lake for its decision at {decided_at}"
    for id_, decided_at in sorted(set(rows) - decided):
        yield f"{id_} has a row in the lake for a decision at {decided_at} that it has not"
    if any(row != rows[row["feedback_id"], row["decided_at"]] for row in lake_rows(estate)):
        yield "a row of the lake is there in two versions"
    alerts = Counter(id_ for id_, _ in alert_deliveries(estate))
    for (id_,), item in estate.ledger.items.items():
        wanted = int(item["state"]["S"] == "CLASSIFIED" and int(item["sentiment"]["N"]) == int(Sentiment.NEGATIVE))
        if alerts[id_] != wanted:
            yield f"{id_} has {alerts[id_]} alerts instead of {wanted}"


def alert_deliveries(estate: Estate) -> set[tuple[str, str]]:
    """Feedback and delivery of every alert, where a receiver keeps one of equal deliveries."""
    return {
        (message.attributes["feedback_id"], message.attributes.get("delivery_id", message.id))
        for message in estate.world.topics.published
    }


def repeated_alerts(estate: Estate) -> int:
    """Alerts that a receiver can tell to be the same as one before."""
    return len(estate.world.topics.published) - len(alert_deliveries(estate))


def repeated_rows(estate: Estate) -> int:
    """Rows of the lake that are there more than once, which readers take as one."""
    rows = lake_rows(estate)
    return len(rows) - len({(row["feedback_id"], row["decided_at"]) for row in rows})


def lake_rows(estate: Estate) -> list[dict[str, Any]]:
    """Every row of the table of decided feedback."""
    return [
        json.loads(line)
        for (_, key), body in sorted(estate.world.buckets.objects.items())
        if key.startswith("feedback/")
        for line in body.splitlines()
    ]
