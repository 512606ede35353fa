from dataclasses import replace

import pytest

from lambdas.evaluation import Evaluation
from lambdas.gate.rules import judge

CURRENT = Evaluation(
    run="r1",
    model_version="m-1",
    fingerprint="f-1",
    rows=2000,
    accuracy=0.8,
    macro_f1=0.70,
    balanced_accuracy=0.7,
    negative_recall=0.66,
    calibration_error=0.01,
)


def rules_of(verdict):
    return [reason.split(":")[0] for reason in verdict.reasons]


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
def test_a_candidate_must_not_be_clearly_worse_on_the_same_rows(change, refused):
    verdict = judge(replace(CURRENT, run="r2", **change), CURRENT, minimum_macro_f1=0.5)
    assert rules_of(verdict) == refused
    assert verdict.is_passed is not bool(refused)


def test_the_first_model_needs_only_the_minimum():
    assert judge(CURRENT, None, minimum_macro_f1=0.7).is_passed
    refused = judge(CURRENT, None, minimum_macro_f1=0.71)
    assert refused.reasons == ("minimum-macro-f1: macro-F1 is 0.700, and at least 0.710 is asked.",)


def test_figures_from_other_rows_are_not_compared_and_that_is_said():
    verdict = judge(replace(CURRENT, fingerprint="f-2", macro_f1=0.55), CURRENT, minimum_macro_f1=0.5)
    assert verdict.is_passed
    assert verdict.notes == ("no-worse: not compared, since model m-1 was measured on other rows.",)
