from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from local.sagemaker.builtin import clarify
from local.sagemaker.service import SageMaker
from tests.contract.test_clarify import REQUEST, written_after_training
from tests.unit.local_sagemaker.conftest import LocalAws, Served
from tests.unit.local_sagemaker.job_kit import ended
from tests.unit.training_code.model_kit import TRAINING_PYTHON

CATEGORIES: list[str | None] = ["Dresses", "Knits", None] * 60


def container(folder: Path, **changes: Any) -> Path:
    """A job's folder as the local SageMaker leaves it before the program runs; changes are of the configuration."""
    opt_ml = folder / "opt" / "ml"
    source = folder / "source"
    source.mkdir(parents=True)
    config = written_after_training(source, category=CATEGORIES) | changes
    inputs = opt_ml / "processing" / "input"
    for name in ("config", "data"):
        (inputs / name).mkdir(parents=True)
    (inputs / "config" / "analysis_config.json").write_text(json.dumps(config))
    (source / "bias" / "dataset.csv").rename(inputs / "data" / "dataset.csv")
    (opt_ml / "config").mkdir()
    (opt_ml / "config" / "processingjobconfig.json").write_text(json.dumps(REQUEST))
    return folder


@pytest.fixture
def training_aws(local_aws: LocalAws, served: Served) -> Iterator[LocalAws]:
    """A local SageMaker whose training interpreter can write pages."""
    assert TRAINING_PYTHON.exists(), f"{TRAINING_PYTHON} is missing: `make test` sets it up"
    local_aws.service.close()
    context = replace(local_aws.context, training_python=TRAINING_PYTHON)
    service = SageMaker(context, stop_grace_seconds=1.0)
    served.stage.service = service
    service.start()
    yield LocalAws(client=served.client, service=service, context=context, aws=local_aws.aws, bus=local_aws.bus)
    service.close()


def run_as_a_job(aws: LocalAws, folder: Path, **changes: Any) -> Any:
    """The processing job of the guide, with what `container` writes in its bucket."""
    inputs = container(folder, **changes) / "opt" / "ml" / "processing" / "input"
    for given in REQUEST["ProcessingInputs"]:  # type: ignore[attr-defined]
        source = given["S3Input"]
        place = inputs / Path(source["LocalPath"]).name / Path(source["S3Uri"]).name
        aws.put(source["S3Uri"], place.read_bytes())
    aws.client.create_processing_job(**REQUEST)  # type: ignore[arg-type]
    return ended(aws, "Processing", "bias")


def test_the_job_of_the_guide_writes_the_analysis_and_a_report(training_aws: LocalAws, tmp_path: Path) -> None:
    job = run_as_a_job(training_aws, tmp_path)

    assert job["ProcessingJobStatus"] == "Completed", job
    output = "s3://lake/reports/run/bias/pretraining"
    found = json.loads(training_aws.get(f"{output}/analysis.json"))["post_training_bias_metrics"]
    assert found["label"] == "sentiment"
    assert found["label_value_or_threshold"] == "negative"
    assert {entry["value_or_threshold"] for entry in found["facets"]["category"]} == {"Dresses", "Knits", "unknown"}
    page = training_aws.get(f"{output}/report.html").decode()
    assert "Dresses" in page
    assert "<script" not in page


def test_a_job_that_is_refused_says_why_as_its_reason(local_aws: LocalAws, tmp_path: Path) -> None:
    job = run_as_a_job(local_aws, tmp_path, methods={"shap": {"num_samples": 10}})

    assert job["ProcessingJobStatus"] == "Failed"
    assert "The method 'shap' is not computed here" in job["FailureReason"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"methods": {"shap": {"num_samples": 10}}}, "The method 'shap' is not computed here"),
        ({"methods": {"pdp": {"grid_resolution": 10}}}, "The method 'pdp' is not computed here"),
        ({"methods": {"report": {"name": "report"}}}, "asks for no bias method"),
        ({"methods": None}, "has no 'methods'"),
        ({"dataset_type": "application/jsonlines"}, "'application/jsonlines' is not read here"),
        ({"version": "2.0"}, "there is only '1.0'"),
        ({"predicted_label_dataset_uri": "s3://bucket/key"}, "'predicted_label_dataset_uri' is not read here"),
    ],
)
def test_what_is_not_here_ends_the_job_with_a_sentence(
    tmp_path: Path, changes: dict[str, Any], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status = clarify.main(["--opt-ml", str(container(tmp_path, **changes) / "opt" / "ml")])

    assert status == 1
    assert sentence in (tmp_path / "opt" / "ml" / "output" / "message").read_text()
    assert sentence in capsys.readouterr().err


def test_a_job_without_the_inputs_that_clarify_requires_is_told_so(tmp_path: Path) -> None:
    opt_ml = container(tmp_path) / "opt" / "ml"
    request = REQUEST | {"ProcessingInputs": REQUEST["ProcessingInputs"][:1]}  # type: ignore[index]
    (opt_ml / "config" / "processingjobconfig.json").write_text(json.dumps(request))

    assert clarify.main(["--opt-ml", str(opt_ml)]) == 1
    assert "no input named 'dataset'" in (opt_ml / "output" / "message").read_text()


def test_a_configuration_that_is_no_json_is_told_so(tmp_path: Path) -> None:
    opt_ml = container(tmp_path) / "opt" / "ml"
    (opt_ml / "processing" / "input" / "config" / "analysis_config.json").write_text("{")

    assert clarify.main(["--opt-ml", str(opt_ml)]) == 1
    assert "is no JSON in UTF-8" in (opt_ml / "output" / "message").read_text()
