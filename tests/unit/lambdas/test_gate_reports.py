"""What the gate reads out of comparison.json and bias.json, and what it refuses to read anything out of."""

import copy

import pytest

from lambdas.evaluation import Evaluation
from lambdas.gate.bias import Bias
from lambdas.gate.comparison import Comparison, InconsistentReportsError
from lambdas.gate.figures import UnreadableReportError, document_of
from tests.unit.lambdas.test_gate_rules import CANDIDATE

DIFFERENCE = {"difference": -0.02, "low": -0.05, "high": 0.01, "p_value": 0.2}
COMPARISON = {
    "run": "r2",
    "champion": "tuned",
    "fingerprint": "f-1",
    "test_rows": 2000,
    "candidates": [
        {"name": "tuned", "status": "scored", "metrics": {"calibration_error": 0.03, "macro_f1": 0.7}},
        {"name": "bert", "status": "scored", "metrics": {"calibration_error": 0.9}},
        {"name": "autopilot", "status": "failed", "reason": "no quota"},
    ],
    "pairs": [],
    "against_current": {
        "model_version": "m-1",
        "rows": 1900,
        "macro_f1": DIFFERENCE,
        "negative_recall": DIFFERENCE | {"difference": 0.0},
        "accuracy_p_value": 0.4,
    },
    "worst_mistakes": [{"text": "what a customer wrote"}],
}
GROUP = {"value": 0.12, "facet": "age_band", "facet_value": "65+", "rows": 80, "counted_rows": 31}
BIAS = {"facets": [], "largest": {"accuracy_difference": GROUP, "recall_difference": None, "disparate_impact": None}}


def changed(document, path, value):
    """A copy with what is at this path replaced, or taken away where the value is `...`."""
    copied = copy.deepcopy(document)
    *way, last = path.split("/")
    place = copied
    for step in way:
        place = place[int(step) if isinstance(place, list) else step]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return copied


def test_a_comparison_is_read_for_its_champion():
    found = Comparison.from_document(COMPARISON)
    assert (found.run, found.champion, found.calibration_error) == ("r2", "tuned", 0.03)
    assert found.against_current is not None
    assert (found.against_current.rows, found.against_current.macro_f1.low) == (1900, -0.05)
    assert found.against_current.negative_recall.difference == 0.0


def test_without_an_approved_model_there_is_nothing_beside():
    assert Comparison.from_document(COMPARISON | {"against_current": None}).against_current is None


def test_a_note_stands_for_the_differences():
    against = {"model_version": "m-1", "rows": 12, "note": "only 12 test rows\nare the same."}
    found = Comparison.from_document(COMPARISON | {"against_current": against}).against_current
    assert found is not None
    assert (found.macro_f1, found.negative_recall, found.note) == (None, None, "only 12 test rows are the same.")


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("run", "", "run"),
        ("champion", ..., "champion"),
        ("champion", "majority", "champion"),
        ("champion", "autopilot", "champion"),
        ("fingerprint", None, "fingerprint"),
        ("candidates", "all", "champion"),
        ("candidates/0/metrics", ..., "metrics"),
        ("candidates/0/metrics/calibration_error", None, "calibration_error"),
        ("candidates/0/metrics/calibration_error", True, "calibration_error"),
        ("candidates/0/metrics/calibration_error", -0.1, "calibration_error"),
        ("against_current", ..., "against_current"),
        ("against_current", [], "against_current"),
        ("against_current/rows", -1, "rows"),
        ("against_current/model_version", 3, "model_version"),
        ("against_current/macro_f1", ..., "macro_f1"),
        ("against_current/macro_f1", None, "macro_f1"),
        ("against_current/negative_recall/high", ..., "high"),
        ("against_current/negative_recall/high", -0.5, "negative_recall"),
        ("against_current/negative_recall/low", -2, "low"),
        ("against_current/negative_recall/p_value", 1.5, "p_value"),
        ("against_current/note", "", "note"),
    ],
)
def test_a_comparison_that_does_not_say_what_is_judged_is_refused_by_name(path, value, told):
    with pytest.raises(UnreadableReportError, match=told):
        Comparison.from_document(changed(COMPARISON, path, value))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"run": "r9"}, "about tuned of run r9, and the evaluation about tuned of run r2"),
        ({"champion": "bert"}, "about bert of run r2, and the evaluation about tuned of run r2"),
        ({"fingerprint": "f-9"}, "of run r2 were measured on different rows"),
    ],
)
def test_a_comparison_of_another_model_judges_none(change, told):
    candidate: Evaluation = CANDIDATE
    Comparison.from_document(COMPARISON).assert_is_of(candidate)
    with pytest.raises(InconsistentReportsError, match=told):
        Comparison.from_document(COMPARISON | change).assert_is_of(candidate)


def test_a_bias_report_is_read_for_its_largest_differences():
    found = Bias.from_document(BIAS)
    assert found.recall is None
    assert found.accuracy is not None
    assert (found.accuracy.value, found.accuracy.facet_value, found.accuracy.rows) == (0.12, "65+", 80)
    assert not found.accuracy.may_be_chance


@pytest.mark.parametrize(
    ("told", "may_be_chance"),
    [
        ({}, False),
        ({"interval": [0.01, 0.2]}, False),
        ({"interval": [-0.2, -0.01]}, False),
        ({"interval": [-0.01, 0.2]}, True),
        ({"interval": [0.01, 0.2], "surely_at_least": 0.0}, True),
        ({"interval": [-0.01, 0.2], "surely_at_least": 0.05}, False),
    ],
)
def test_a_difference_whose_interval_crosses_zero_may_be_chance(told, may_be_chance):
    found = Bias.from_document({"largest": BIAS["largest"] | {"accuracy_difference": GROUP | told}}).accuracy
    assert found is not None
    assert found.may_be_chance is may_be_chance


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("largest", ..., "largest"),
        ("largest", None, "largest"),
        ("largest/accuracy_difference", ..., "accuracy_difference"),
        ("largest/accuracy_difference", 0.3, "accuracy_difference"),
        ("largest/recall_difference", ..., "recall_difference"),
        ("largest/accuracy_difference/value", "0.3", "value"),
        ("largest/accuracy_difference/value", 1.2, "value"),
        ("largest/accuracy_difference/facet", ..., "facet"),
        ("largest/accuracy_difference/facet_value", ..., "facet_value"),
        ("largest/accuracy_difference/rows", 1.5, "rows"),
        ("largest/accuracy_difference/interval", [0.1], "interval"),
        ("largest/accuracy_difference/interval", [0.1, None], "high"),
        ("largest/accuracy_difference/surely_at_least", None, "surely_at_least"),
    ],
)
def test_a_bias_report_that_does_not_say_what_is_judged_is_refused_by_name(path, value, told):
    with pytest.raises(UnreadableReportError, match=told):
        Bias.from_document(changed(BIAS, path, value))


@pytest.mark.parametrize("body", [b"", b"\xff", b"[]", b'{"a": NaN}', b'{"a": 1, "a": 2}', b"[" * 100_000])
def test_what_is_no_report_is_refused(body):
    with pytest.raises(UnreadableReportError, match=r"^The comparison .*\.$"):
        document_of(body, report="comparison")


def test_names_in_sentences_are_printable_and_short():
    group = GROUP | {"facet_value": "a\nb" + "c" * 1000}
    found = Bias.from_document({"largest": BIAS["largest"] | {"accuracy_difference": group}}).accuracy
    assert found is not None
    assert found.facet_value.startswith("a bc")
    assert len(found.facet_value) == 300
