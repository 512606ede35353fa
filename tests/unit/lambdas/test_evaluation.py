import json

import pytest

from lambdas.evaluation import Evaluation, UnreadableEvaluationError

REPORT = {
    "run": "20260301-100000",
    "candidate": "tuned",
    "model_version": "m-1",
    "rows": 2000,
    "accuracy": 0.8,
    "macro_f1": 0.71,
    "balanced_accuracy": 0.7,
    "negative_recall": 0.66,
    "calibration_error": 0.012,
    "confusion": [[1, 0, 0]],
    "features": {"fingerprint": "f-1"},
}


def test_an_evaluation_is_read_from_its_report_and_travels_unchanged():
    evaluation = Evaluation.from_report(json.dumps(REPORT))
    assert (evaluation.run, evaluation.macro_f1, evaluation.fingerprint) == ("20260301-100000", 0.71, "f-1")
    assert Evaluation.from_document(json.loads(json.dumps(evaluation.to_document()))) == evaluation
    assert Evaluation.from_metadata(evaluation.to_metadata()) == evaluation


def test_metadata_are_strings_as_the_registry_keeps_them():
    metadata = Evaluation.from_report(json.dumps(REPORT | {"model_version": "m" * 300})).to_metadata()
    assert all(isinstance(value, str) and 0 < len(value) <= 256 for value in metadata.values())


@pytest.mark.parametrize(
    "change",
    [
        {"macro_f1": None},
        {"macro_f1": "0.7"},
        {"macro_f1": 1.2},
        {"accuracy": True},
        {"rows": 0},
        {"rows": 1.5},
        {"run": ""},
        {"candidate": None},
        {"features": {}},
        {"features": None},
    ],
)
def test_a_report_without_usable_figures_is_refused_by_name(change):
    name = next(iter(change)).replace("features", "fingerprint")
    with pytest.raises(UnreadableEvaluationError, match=name):
        Evaluation.from_report(json.dumps(REPORT | change))


@pytest.mark.parametrize("report", ["", "[]", json.dumps(REPORT).replace("0.71", "NaN")])
def test_what_is_no_report_is_refused(report):
    with pytest.raises(UnreadableEvaluationError):
        Evaluation.from_report(report)


def test_a_package_without_figures_is_refused():
    with pytest.raises(UnreadableEvaluationError, match="run"):
        Evaluation.from_metadata({"colour": "red"})


def test_a_package_from_before_there_were_candidates_is_of_the_only_one():
    metadata = Evaluation.from_report(json.dumps(REPORT)).to_metadata()
    assert Evaluation.from_metadata(metadata).candidate == "tuned"
    del metadata["candidate"]
    assert Evaluation.from_metadata(metadata).candidate == "bert"
