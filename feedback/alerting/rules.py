"""The rules of a policy: which feedback they match, how severe it is, whose it is, and what follows by itself.

It does not know the hours, nor what was told before.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import Final

from feedback.alerting.reading import Node
from feedback.event import FeedbackEvent
from feedback.text import clean

TIER: Final = "tier"
"""The metadata in which a client names the customer's tier."""


class Severity(str, Enum):  # noqa: UP042 - StrEnum is 3.11
    """How bad it is. What is critical is not held back in quiet hours."""

    LOW = "low"
    HIGH = "high"
    CRITICAL = "critical"


class ResponseEvent(str, Enum):  # noqa: UP042 - StrEnum is 3.11
    """What a rule may ask of other systems, as the detail type of an event."""

    SUPPORT_CASE = "SupportCaseWanted"
    PRODUCT_PULL = "ProductPullWanted"

    @property
    def reverse(self) -> str:
        """The detail type of the event that takes it back."""
        return self.value.replace("Wanted", "Withdrawn")


@dataclass(frozen=True, kw_only=True)
class Response:
    """An event to raise once ``count`` feedbacks on one subject matched ``within`` a span; in a dry run only noted."""

    event: ResponseEvent
    dry_run: bool = True
    count: int = 1
    within: timedelta = timedelta(hours=24)


@dataclass(frozen=True, kw_only=True)
class When:
    """What a feedback must be; an empty set of words or names asks for nothing."""

    negative_probability: float
    channels: frozenset[str] = frozenset()
    products: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    tiers: frozenset[str] = frozenset()
    words: tuple[str, ...] = ()
    pattern: "re.Pattern[str] | None" = field(default=None, compare=False)

    def matches(self, event: FeedbackEvent, negative_probability: float) -> bool:
        """Whether the feedback is one of these."""
        return (
            negative_probability >= self.negative_probability
            and _is_in(event.channel, self.channels)
            and _is_in(event.product_id, self.products)
            and _is_in(event.category, self.categories)
            and _is_in(event.metadata.get(TIER), self.tiers)
            and (self.pattern is None or self.pattern.search(clean(event.text).casefold()) is not None)
        )


@dataclass(frozen=True, kw_only=True)
class Rule:
    """The first rule that matches decides. ``advice`` says what to do next."""

    name: str
    when: When
    severity: Severity
    team: str
    advice: str
    response: Response | None = None


def read_rule(node: Node, teams: Collection[str], *, threshold: float) -> Rule:
    """One rule of a policy; ``threshold`` is the negative probability where the rule names none."""
    fields = node.fields(required=("name", "severity", "team", "advice"), optional=("when", "respond"))
    return Rule(
        name=fields["name"].name(),
        when=_when(fields.get("when", Node({})), threshold),
        severity=Severity(fields["severity"].choice(severity.value for severity in Severity)),
        team=fields["team"].choice(teams),
        advice=fields["advice"].text(),
        response=_response(fields["respond"]) if "respond" in fields else None,
    )


def _when(node: Node, threshold: float) -> When:
    sets = ("channels", "products", "categories", "tiers")
    fields = node.fields(optional=("negative_probability", "words", *sets))
    words = tuple(_word(entry) for entry in fields["words"].items()) if "words" in fields else ()
    named = {name: frozenset(each.text() for each in fields[name].items()) for name in sets if name in fields}
    at_least = fields["negative_probability"].number(0.0, 1.0) if "negative_probability" in fields else threshold
    return When(negative_probability=at_least, words=words, pattern=_pattern(words), **named)


def _word(node: Node) -> str:
    word = clean(node.text(limit=60)).casefold()
    if not word.strip("*"):
        node.refuse("holds no word")
    return word


def _pattern(words: Collection[str]) -> "re.Pattern[str] | None":
    """Whole words and phrases; a trailing ``*`` takes every ending. Alternatives of plain text: linear time."""
    if not words:
        return None
    alternatives = (re.escape(word[:-1]) if word.endswith("*") else rf"{re.escape(word)}(?!\w)" for word in words)
    return re.compile(rf"(?<!\w)(?:{'|'.join(alternatives)})")


def _response(node: Node) -> Response:
    fields = node.fields(required=("event",), optional=("dry_run", "count", "within_hours"))
    event = ResponseEvent(fields["event"].choice(event.value for event in ResponseEvent))
    count = fields["count"].whole(1, 1000) if "count" in fields else 1
    if event is ResponseEvent.PRODUCT_PULL and count < 2:
        node.refuse("pulls a product for one feedback: give a count of 2 or more")
    return Response(
        event=event,
        dry_run=fields["dry_run"].flag() if "dry_run" in fields else True,
        count=count,
        within=timedelta(hours=fields["within_hours"].whole(1, 24 * 14) if "within_hours" in fields else 24),
    )


def _is_in(value: str | None, names: frozenset[str]) -> bool:
    return not names or value in names
