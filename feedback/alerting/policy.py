"""The alert policy as data: rules in order, teams, destinations, and what a storm is.

:meth:`Policy.parse` refuses nonsense with its place and reason; ``policy-v1.json`` beside this module says the same as
a JSON Schema, for editors. It does not know the clock, nor what was told before.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from feedback.alerting.reading import Node
from feedback.alerting.reading import PolicyError as PolicyError
from feedback.alerting.rules import Rule, Severity, read_rule
from feedback.alerting.teams import Destination, Team, read_destination, read_team
from feedback.ledger import Entry, State
from feedback.sentiment import Sentiment
from feedback.strict_json import BrokenJsonError, parse

VERSION: Final = 1
SIZE_LIMIT: Final = 4096
"""Bytes of a parameter of Systems Manager in its standard tier, which is where a stage keeps its policy."""
DEFAULT_THRESHOLD: Final = 0.7

_HERE: Final = Path(__file__).parent
_ALERTING_STATES: Final = (State.CLASSIFIED, State.CORRECTED)


@dataclass(frozen=True, kw_only=True)
class Storm:
    """Of one subject and severity ``alone`` alerts a window go out by themselves; a digest tells of the others."""

    window: timedelta
    alone: Mapping[Severity, int]


@dataclass(frozen=True, kw_only=True)
class ProductRule:
    """Who hears that a product, category or channel is going wrong."""

    severity: Severity
    team: str
    advice: str


@dataclass(frozen=True, kw_only=True)
class Policy:
    """Who hears of what."""

    rules: tuple[Rule, ...]
    teams: Mapping[str, Team]
    destinations: Mapping[str, Destination]
    storm: Storm
    products: ProductRule

    def rule_for(self, entry: Entry) -> Rule | None:
        """The first rule that matches a negative feedback; None where nobody is to be told."""
        if entry.state not in _ALERTING_STATES or entry.effective_sentiment is not Sentiment.NEGATIVE:
            return None
        probability = negative_probability(entry)
        return next((rule for rule in self.rules if rule.when.matches(entry.event, probability)), None)

    def rule_named(self, name: str) -> Rule | None:
        """The rule of this name, if the policy still has it."""
        return next((rule for rule in self.rules if rule.name == name), None)

    @classmethod
    def parse(cls, text: str) -> "Policy":
        """The policy in a JSON document; PolicyError with place and reason otherwise."""
        if len(text.encode("utf-8", "surrogatepass")) > SIZE_LIMIT:
            raise PolicyError("", f"is larger than {SIZE_LIMIT} bytes")
        try:
            document = parse(text)
        except BrokenJsonError as error:
            raise PolicyError("", f"cannot be read. {error}") from error
        return _read(Node(document))


def default_policy() -> str:
    """The policy of a stage that names none, as text."""
    return (_HERE / "default_policy.json").read_text(encoding="utf-8")


def negative_probability(entry: Entry) -> float:
    """The calibrated probability that the feedback is negative; a person who said so is certain."""
    if entry.state is State.CORRECTED or entry.prediction is None:
        return float(entry.effective_sentiment is Sentiment.NEGATIVE)
    return entry.prediction.probability(Sentiment.NEGATIVE)


def _read(node: Node) -> Policy:
    fields = node.fields(
        required=("version", "destinations", "teams", "rules", "products"),
        optional=("description", "negative_probability", "storm"),
    )
    fields["version"].whole(VERSION, VERSION)
    threshold = fields.get("negative_probability", Node(DEFAULT_THRESHOLD)).number(0.0, 1.0)
    destinations = {_key(name, each): read_destination(name, each) for name, each in fields["destinations"].entries()}
    teams = {_key(name, each): read_team(name, each, destinations) for name, each in fields["teams"].entries()}
    rules = tuple(read_rule(each, teams, threshold=threshold) for each in fields["rules"].items())
    names = [rule.name for rule in rules]
    for index, name in enumerate(names):
        if name in names[:index]:
            fields["rules"].items()[index].refuse("has the name of another rule")
    return Policy(
        rules=rules,
        teams=teams,
        destinations=destinations,
        storm=_storm(fields.get("storm", Node({}))),
        products=_products(fields["products"], teams),
    )


def _key(name: str, node: Node) -> str:
    return Node(name, node.place).name()


def _storm(node: Node) -> Storm:
    fields = node.fields(optional=("window_minutes", "alone"))
    alone = fields["alone"].fields(optional=[severity.value for severity in Severity]) if "alone" in fields else {}
    defaults = {Severity.CRITICAL: 20, Severity.HIGH: 5, Severity.LOW: 3}
    return Storm(
        window=timedelta(minutes=fields["window_minutes"].whole(1, 24 * 60) if "window_minutes" in fields else 15),
        alone={
            severity: alone[severity.value].whole(0, 10_000) if severity.value in alone else default
            for severity, default in defaults.items()
        },
    )


def _products(node: Node, teams: Mapping[str, Team]) -> ProductRule:
    fields = node.fields(required=("severity", "team", "advice"))
    return ProductRule(
        severity=Severity(fields["severity"].choice(severity.value for severity in Severity)),
        team=fields["team"].choice(teams),
        advice=fields["advice"].text(),
    )
