"""When a new model is too different: any of the bad kinds is, a better one and a handful of texts are not."""

from dataclasses import replace

import pytest

from lambdas.canary.answers import Question
from lambdas.canary.judging import Figures, Limits, Served, Verdict, judge, measure

LIMITS = Limits(
    disagreement=0.25, negative_shift=0.15, unsure_shift=0.25, accuracy_drop=0.1, unexpected=0.05, milliseconds=1000.0
)
LABEL = {"-": "negative", "0": "neutral", "+": "positive", "n": "unsure", "o": "unsure", "p": "unsure"}
TRUTH = {"-": "negative", "0": "neutral", "+": "positive", "n": "negative", "o": "neutral", "p": "positive"}
GOOD = "--00++" * 30
SWAPPED = GOOD.translate(str.maketrans("-+", "+-"))
ONE_CLASS = "+" * len(GOOD)
HALF_RIGHT = "-+0-+0" * 30


def probes(truth, expected=None):
    """Labelled questions, one for each character."""
    said = expected or truth
    return [
        Question(text="t", truth=TRUTH[label], expected=LABEL[other]) for label, other in zip(truth, said, strict=True)
    ]


def texts(count):
    return [Question(text="t") for _ in range(count)]


def verdict(questions, answers, *, served=GOOD, version="m-1", errors=0, milliseconds=20.0):
    before = None if served is None else Served(version=version, answers=served)
    figures = measure(questions, answers, served=before, errors=errors, milliseconds=milliseconds)
    return judge(figures, LIMITS)


def test_the_same_answers_are_good():
    judged = verdict(probes(GOOD), GOOD)
    assert judged.verdict is Verdict.GOOD
    assert "180 texts" in judged.reason


@pytest.mark.parametrize(
    ("answers", "named"),
    [
        (SWAPPED, "less often right than the served model by at least"),
        (ONE_CLASS, "less often right than the served model by at least"),
        ("-" * len(GOOD), "share of negatives by at least"),
        ("n" * len(GOOD), "share of unsure answers by at least"),
        ("!" * len(GOOD), "disagrees with the served model on at least"),
    ],
)
def test_a_bad_kind_is_stopped_by_a_sentence_that_names_metric_figure_and_limit(answers, named):
    judged = verdict(probes(GOOD, answers.replace("!", "-")), answers)
    assert judged.verdict is Verdict.BAD
    assert named in judged.reason
    assert "% (limit " in judged.reason


def test_without_any_labelled_text_a_disagreement_is_still_seen():
    judged = verdict(texts(len(GOOD)), SWAPPED)
    assert judged.verdict is Verdict.BAD
    assert "disagrees with the served model on at least" in judged.reason


def test_a_model_that_answers_otherwise_than_when_it_was_evaluated_is_stopped_whatever_was_served():
    judged = verdict(probes(GOOD), SWAPPED, served=None)
    assert judged.verdict is Verdict.BAD
    assert "otherwise than when it was evaluated" in judged.reason


def test_a_clearly_better_model_may_disagree():
    judged = verdict(probes(GOOD), GOOD, served=HALF_RIGHT)
    assert judged.verdict is Verdict.GOOD


def test_an_equally_good_model_may_not_disagree_as_much():
    other = HALF_RIGHT[1:] + HALF_RIGHT[0]
    assert verdict(probes(GOOD, other), other, served=HALF_RIGHT).verdict is Verdict.BAD


def test_a_model_that_replaces_the_starter_is_held_to_its_own_evaluation_alone():
    assert verdict(probes(GOOD, SWAPPED), SWAPPED, version="starter-1").verdict is Verdict.GOOD
    assert verdict(probes(GOOD), SWAPPED, version="starter-1").verdict is Verdict.BAD


def test_a_handful_of_texts_stops_no_model():
    assert verdict(texts(3), "+++", served="--+").verdict is Verdict.GOOD
    assert verdict(texts(20), "-" * 10 + "+" * 10, served="-" * 16 + "+" * 4).verdict is Verdict.GOOD


def test_a_slow_model_and_failing_calls_are_stopped_before_any_answer():
    slow = judge(Figures(errors=0, milliseconds=3010.4), LIMITS)
    assert slow.verdict is Verdict.BAD
    assert "3010 ms (limit 1000 ms)" in slow.reason
    assert judge(Figures(errors=2), LIMITS).verdict is Verdict.BAD


def test_no_answer_and_one_failed_call_prove_nothing():
    assert judge(Figures(errors=1), LIMITS).verdict is Verdict.WAITING


def test_what_was_not_asked_counts_for_nothing():
    asked = len(GOOD) // 2
    rest = "." * (len(GOOD) - asked)
    served = Served(version="m", answers=GOOD)
    figures = measure(probes(GOOD), GOOD[:asked] + rest, served=served, errors=0, milliseconds=5.0)
    assert (figures.texts, figures.probes, figures.disagreement) == (asked, asked, 0.0)
    nothing = measure(probes(GOOD), "." * len(GOOD), served=served, errors=0, milliseconds=None)
    assert nothing == Figures(errors=0)
    assert judge(nothing, LIMITS).verdict is Verdict.WAITING


def test_only_what_was_looked_at_is_a_metric():
    figures = measure(texts(len(GOOD)), GOOD, served=None, errors=0, milliseconds=5.0)
    assert figures == Figures(errors=0, milliseconds=5.0, texts=len(GOOD), probes=0)
    labelled = measure(probes(GOOD), GOOD, served=Served(version="m", answers=GOOD), errors=0, milliseconds=5.0)
    assert labelled == replace(
        figures,
        probes=len(GOOD),
        unexpected=0.0,
        accuracy_drop=0.0,
        disagreement=0.0,
        negative_shift=0.0,
        unsure_shift=0.0,
    )
