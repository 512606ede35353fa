from dataclasses import replace

import pytest

from lambdas.evaluation import Evaluation
from lambdas.gate.bias import Bias, GroupDifference
from lambdas.gate.comparison import AgainstCurrent, Comparison, Difference
from lambdas.gate.rules import Bounds, judge

CURRENT = Evaluation(
    run="r1",
    candidate="bert",
    model_version="m-1",
    fingerprint="f-1",
    rows=2000,
    accuracy=0.8,
    macro_f1=0.70,
    balanced_accuracy=0.7,
    negative_recall=0.66,
    calibration_error=0.01,
)
CANDIDATE = replace(CURRENT, run="r2", candidate="tuned")
COMPARISON = Comparison(run="r2", champion="tuned", fingerprint="f-1", calibration_error=0.012, against_current=None)
FAIR = GroupDifference(value=0.04, facet="age_band", facet_value="65+", rows=120, surely_at_least=0.0)
BIAS = Bias(accuracy=FAIR, recall=FAIR)
BOUNDS = Bounds(
    minimum_macro_f1=0.5,
    maximum_calibration_error=0.05,
    maximum_accuracy_difference=0.1,
    maximum_recall_difference=0.2,
)
EQUAL = Difference(difference=0.0, low=-0.01, high=0.01, p_value=1.0)


def verdict_on(candidate=CANDIDATE, current=None, comparison=COMPARISON, bias=BIAS, refusals=(), **bounds):
    return judge(
        candidate, current, comparison=comparison, bias=bias, bounds=replace(BOUNDS, **bounds), refusals=refusals
    )


def beside(**more):
    against = AgainstCurrent(model_version="m-1", rows=1900, macro_f1=EQUAL, negative_recall=EQUAL)
    return replace(COMPARISON, against_current=replace(against, **more))


def rules_of(verdict):
    return [reason.split(":")[0] for reason in verdict.reasons]


# Good in itself


def test_the_first_model_needs_only_to_be_good_in_itself():
    verdict = verdict_on(minimum_macro_f1=0.7)
    assert verdict.is_passed
    assert verdict.notes == ("no-worse: there is no approved model to compare with.",)
    assert verdict_on(minimum_macro_f1=0.71).reasons == (
        "minimum-macro-f1: macro-F1 is 0.700, and at least 0.710 is asked.",
    )


@pytest.mark.parametrize(("error", "refused"), [(0.0, []), (0.05, []), (0.0501, ["calibration"])])
def test_probabilities_must_be_as_often_right_as_they_say(error, refused):
    assert rules_of(verdict_on(comparison=replace(COMPARISON, calibration_error=error))) == refused


def test_a_refusal_for_calibration_has_its_figures():
    (sentence,) = verdict_on(comparison=replace(COMPARISON, calibration_error=0.081)).reasons
    assert sentence == "calibration: probabilities are off by 0.081 on average, and at most 0.050 is allowed."


# No worse than the approved model, row by row


@pytest.mark.parametrize(
    ("difference", "is_refused"),
    [
        (Difference(difference=0.05, low=0.02, high=0.08, p_value=0.001), False),
        (Difference(difference=-0.02, low=-0.05, high=0.01, p_value=0.2), False),
        (Difference(difference=-0.02, low=-0.04, high=0.0, p_value=0.05), False),
        (Difference(difference=-0.002, low=-0.003, high=-0.001, p_value=0.001), True),
        (Difference(difference=-0.2, low=-0.3, high=-0.1, p_value=0.001), True),
    ],
)
@pytest.mark.parametrize("figure", ["macro_f1", "negative_recall"])
def test_only_a_difference_that_chance_does_not_explain_refuses(figure, difference, is_refused):
    verdict = verdict_on(comparison=beside(**{figure: difference}))
    assert rules_of(verdict) == ([f"no-worse-{figure.replace('_', '-')}"] if is_refused else [])
    assert verdict.notes == ()


def test_a_worse_model_is_told_by_how_much_and_on_how_many_rows():
    worse = Difference(difference=-0.041, low=-0.062, high=-0.019, p_value=0.001)
    assert verdict_on(comparison=beside(macro_f1=worse, negative_recall=worse)).reasons == (
        (
            "no-worse-macro-f1: macro-F1 is 0.041 (95 % interval 0.019 to 0.062, p = 0.001) below that of the approved "
            "model m-1 on 1900 rows that both answered."
        ),
        (
            "no-worse-negative-recall: the share of negative feedback that is found is 0.041 (95 % interval 0.019 to "
            "0.062, p = 0.001) below that of the approved model m-1 on 1900 rows that both answered."
        ),
    )


def test_too_few_common_rows_refuse_nothing_and_that_is_said():
    verdict = verdict_on(
        comparison=beside(rows=12, macro_f1=None, negative_recall=None, note="only 12 test rows are the same.")
    )
    assert verdict.is_passed
    assert verdict.notes == ("no-worse: not compared with model m-1: only 12 test rows are the same.",)


def test_registered_figures_do_not_count_where_rows_were_compared():
    assert verdict_on(current=replace(CURRENT, macro_f1=0.99), comparison=beside()).is_passed


# No worse than the approved model, where its answers are gone


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        ({}, []),
        ({"macro_f1": 0.9}, []),
        ({"macro_f1": 0.681}, []),
        ({"macro_f1": 0.679}, ["no-worse-macro-f1"]),
        ({"negative_recall": 0.62}, []),
        ({"negative_recall": 0.60}, ["no-worse-negative-recall"]),
        (
            {"macro_f1": 0.3, "negative_recall": 0.1},
            ["minimum-macro-f1", "no-worse-macro-f1", "no-worse-negative-recall"],
        ),
    ],
)
def test_registered_figures_of_the_same_rows_are_compared_with_a_tolerance(change, refused):
    verdict = verdict_on(replace(CANDIDATE, **change), CURRENT)
    assert rules_of(verdict) == refused
    assert verdict.is_passed is not bool(refused)


def test_registered_figures_of_other_rows_are_not_compared_and_that_is_said():
    verdict = verdict_on(replace(CANDIDATE, fingerprint="f-2", macro_f1=0.55), CURRENT)
    assert verdict.is_passed
    assert verdict.notes == (
        "no-worse: not compared, since model m-1 was measured on other rows and its answers are gone.",
    )


# Equal to all groups


@pytest.mark.parametrize(
    ("value", "surely", "refused"),
    [
        (0.1, 0.05, []),
        (0.11, 0.05, ["bias"]),
        (-0.11, 0.05, ["bias"]),
        (0.11, None, ["bias"]),
        (0.9, 0.0, []),
    ],
)
def test_a_group_must_not_be_served_surely_worse_than_all_others(value, surely, refused):
    verdict = verdict_on(bias=replace(BIAS, accuracy=replace(FAIR, value=value, surely_at_least=surely)))
    assert rules_of(verdict) == refused


def test_a_refusal_for_bias_names_the_group_its_rows_and_both_figures():
    found = replace(FAIR, value=0.254, surely_at_least=0.021)
    assert verdict_on(bias=Bias(accuracy=replace(found, value=-0.254), recall=found)).reasons == (
        (
            "bias: accuracy of age_band 65+ (120 rows) is 0.254 above that of all others, and at most 0.100 is "
            "allowed; it is surely at least 0.021."
        ),
        (
            "bias: recall of negative feedback of age_band 65+ (120 rows) is 0.254 below that of all others, and at "
            "most 0.200 is allowed; it is surely at least 0.021."
        ),
    )


def test_a_large_difference_that_may_be_chance_is_noted():
    verdict = verdict_on(bias=replace(BIAS, recall=replace(FAIR, value=0.3)), comparison=beside())
    assert verdict.is_passed
    assert verdict.notes == (
        (
            "bias: recall of negative feedback of age_band 65+ (120 rows) is 0.300 below that of all others, and at "
            "most 0.200 is allowed, but that may be chance."
        ),
    )


def test_where_no_group_has_rows_enough_nothing_is_known_and_that_is_said():
    verdict = verdict_on(bias=Bias(accuracy=None, recall=None), comparison=beside())
    assert verdict.is_passed
    assert verdict.notes == (
        "bias: no group has rows enough to compare its accuracy.",
        "bias: no group has rows enough to compare its recall of negative feedback.",
    )


def test_every_rule_that_refuses_is_told():
    verdict = verdict_on(
        replace(CANDIDATE, macro_f1=0.1),
        comparison=replace(COMPARISON, calibration_error=0.3),
        bias=replace(BIAS, accuracy=replace(FAIR, value=0.5, surely_at_least=0.4)),
        refusals=("artifact-safety: label.tar.gz is refused.",),
    )
    assert rules_of(verdict) == ["artifact-safety", "minimum-macro-f1", "calibration", "bias"]
