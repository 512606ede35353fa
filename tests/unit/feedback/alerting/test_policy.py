import json
import re
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback.alerting import policy as module
from feedback.alerting.policy import SIZE_LIMIT, Policy, default_policy
from feedback.alerting.reading import PolicyError
from feedback.alerting.rules import Severity
from feedback.ledger import Correction, State
from feedback.sentiment import Sentiment
from tests.unit.feedback.alerting.kit import document, entry, policy, rule

SHIPPED = sorted(module._HERE.glob("*_policy.json"))
SCHEMA = jsonschema_rs.validator_for(json.loads((module._HERE / "policy-v1.json").read_text(encoding="utf-8")))
SLACK = {"kind": "slack", "secret": "chat"}
CARE = {"destinations": ["everyone"]}

NONSENSE = {
    "no object": ([], ""),
    "another version": (document(version=2), "/version"),
    "an unknown field": (document(rulez=[]), "/rulez"),
    "no rules": (document(rules=[]), "/rules"),
    "a threshold over 1": (document(negative_probability=1.5), "/negative_probability"),
    "a threshold that is true": (document(negative_probability=True), "/negative_probability"),
    "a threshold as text": (document(rules=[rule(when={"negative_probability": "0.5"})]), "/rules/0/when/negative_p"),
    "an unknown severity": (document(rules=[rule(severity="urgent")]), "/rules/0/severity"),
    "a rule that asks for a misspelt thing": (document(rules=[rule(when={"chanel": ["web"]})]), "/rules/0/when/chanel"),
    "no words": (document(rules=[rule(when={"words": []})]), "/rules/0/when/words"),
    "a name with a space": (document(rules=[rule(name="my rule")]), "/rules/0/name"),
    "advice of nothing": (document(rules=[rule(advice=" ")]), "/rules/0/advice"),
    "a webhook without its secret": (document(destinations={"everyone": {"kind": "slack"}}), "/destinations/everyone"),
    "a secret for the topic": (document(destinations={"everyone": {**SLACK, "kind": "topic"}}), "/destinations/ev"),
    "an unknown kind": (document(destinations={"everyone": {"kind": "pigeon"}}), "/destinations/everyone/kind"),
    "a team without destinations": (document(teams={"care": {"destinations": []}}), "/teams/care/destinations"),
    "half of the quiet hours": (document(teams={"care": {**CARE, "quiet_hours": {"from": "21:00"}}}), "/teams/care/q"),
    "a time of day that is none": (
        document(teams={"care": {**CARE, "quiet_hours": {"from": "24:00", "until": "07:00"}}}),
        "/teams/care/quiet_hours/from",
    ),
    "an escalation after nothing": (
        document(teams={"care": {**CARE, "escalation": {"after_minutes": 0, "destinations": ["everyone"]}}}),
        "/teams/care/escalation/after_minutes",
    ),
    "a storm of half a message": (document(storm={"alone": {"low": 0.5}}), "/storm/alone/low"),
    "an unknown response": (document(rules=[rule(respond={"event": "Panic"})]), "/rules/0/respond/event"),
}
# What a schema cannot say.
CONTRADICTIONS = {
    "a team that is not there": (document(rules=[rule(team="nobody")]), "/rules/0/team"),
    "a destination that is not there": (
        document(teams={"care": {"destinations": ["x"]}}),
        "/teams/care/destinations/0",
    ),
    "two rules of one name": (document(rules=[rule(), rule()]), "/rules/1"),
    "an unknown time zone": (document(teams={"care": {**CARE, "time_zone": "Mars/Olympus"}}), "/teams/care/time_zone"),
    "a path as a time zone": (document(teams={"care": {**CARE, "time_zone": "/etc/passwd"}}), "/teams/care/time_zone"),
    "a span of no length": (
        document(teams={"care": {**CARE, "quiet_hours": {"from": "07:00", "until": "07:00"}}}),
        "/teams/care/quiet_hours/until",
    ),
    "a product pulled for one feedback": (
        document(rules=[rule(respond={"event": "ProductPullWanted"})]),
        "/rules/0/respond",
    ),
    "a word of asterisks": (document(rules=[rule(when={"words": ["**"]})]), "/rules/0/when/words/0"),
}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_shipped_policies_are_policies_and_fit_a_parameter(path):
    text = path.read_text(encoding="utf-8")
    assert Policy.parse(text).rules
    assert SCHEMA.is_valid(json.loads(text))
    assert len(text.encode()) <= SIZE_LIMIT


def test_the_guides_example_is_a_policy():
    guide = (Path(__file__).resolve().parents[4] / "docs" / "alerts.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```json\n(.*?)```", guide, re.DOTALL)
    assert Policy.parse(example).destinations["care-chat"].secret == "care-chat"
    assert SCHEMA.is_valid(json.loads(example))


@pytest.mark.parametrize(("nonsense", "place"), NONSENSE.values(), ids=NONSENSE)
def test_nonsense_is_refused_with_its_place_by_reader_and_schema(nonsense, place):
    with pytest.raises(PolicyError) as refused:
        Policy.parse(json.dumps(nonsense))
    assert refused.value.place.startswith(place)
    assert not SCHEMA.is_valid(nonsense)


@pytest.mark.parametrize(("nonsense", "place"), CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_a_contradiction_is_refused_with_its_place(nonsense, place):
    with pytest.raises(PolicyError) as refused:
        Policy.parse(json.dumps(nonsense))
    assert refused.value.place == place


@pytest.mark.parametrize("text", ["", "[", "NaN", '{"version":1,"version":1}', "[" * 100_000, " " * (SIZE_LIMIT + 1)])
def test_what_is_no_json_is_refused(text):
    with pytest.raises(PolicyError):
        Policy.parse(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*document(), "kind", "x"]), inner),
    max_leaves=12,
)


@given(place=st.sampled_from(sorted(document())), value=JSON)
def test_whatever_stands_at_a_place_is_read_or_refused_and_nothing_else(place, value):
    with suppress(PolicyError):
        Policy.parse(json.dumps(document(**{place: value})))


def test_the_first_rule_that_matches_decides():
    found = policy(
        rules=[
            rule(name="safety", severity="critical", when={"words": ["caught fire", "explod*"]}),
            rule(name="gold", severity="high", when={"tiers": ["gold"]}),
            rule(name="shoes", when={"products": ["P-1"], "channels": ["web"], "negative_probability": 0.8}),
        ]
    )

    def named(*args, **fields):
        matching = found.rule_for(entry(*args, **fields))
        return matching and matching.name

    assert named("It CAUGHT  FIRE at night") == "safety"
    assert named("It exploded!") == "safety"
    assert named("A fire sale", metadata={"tier": "gold"}) == "gold"
    assert named("Too tight") == "shoes"
    assert named("Too tight", negative=0.75) is None
    assert named("Too tight", product_id="P-2") is None
    assert named("Too tight", channel="chat") is None


@pytest.mark.parametrize("text", ["He caught firewood", "xcaught fire"])
def test_words_are_whole_words(text):
    assert policy(rules=[rule(when={"words": ["caught fire"]})]).rule_for(entry(text)) is None


def test_only_negative_feedback_that_was_decided_matches():
    everything = policy(negative_probability=0.0)
    assert everything.rule_for(entry(negative=0.9)) is not None
    assert everything.rule_for(entry(negative=0.1)) is None
    assert everything.rule_for(entry(state=State.UNSURE)) is None


def test_a_person_who_says_negative_is_certain_and_wins_over_the_model():
    def corrected(sentiment, negative):
        correction = Correction(sentiment=sentiment, by="ann", at="2026-03-02T10:00:00.000Z")
        return replace(entry(negative=negative), state=State.CORRECTED, correction=correction)

    strict = policy(negative_probability=1.0)
    assert strict.rule_for(corrected(Sentiment.NEGATIVE, 0.1)) is not None
    assert strict.rule_for(corrected(Sentiment.POSITIVE, 1.0)) is None


def test_the_default_storm_lets_more_through_the_worse_it_is():
    alone = Policy.parse(default_policy()).storm.alone
    assert alone[Severity.CRITICAL] > alone[Severity.HIGH] > alone[Severity.LOW] > 0
