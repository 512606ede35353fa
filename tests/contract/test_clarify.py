"""What is written for SageMaker Clarify, against AWS's own descriptions.

The schema below follows the page "Analysis Configuration Files" of the SageMaker developer guide, narrowed to tabular
bias analyses; AWS publishes none.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import botocore.session
import fastjsonschema
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.validate import ParamValidator

from training_code.bias import length_band, write_posttraining, write_pretraining
from training_code.bias.clarify_config import CONFIG_FILE, DATASET_FILE

NAME_OR_INDEX = {"anyOf": [{"type": "string", "minLength": 1}, {"type": "integer", "minimum": 0}]}
VALUES = {"type": "array", "items": {"type": ["string", "number"]}}
PRETRAINING = ["CI", "DPL", "KL", "JS", "LP", "TVD", "KS", "CDDL"]
POSTTRAINING = ["DPPL", "DI", "DCA", "DCR", "SD", "RD", "DAR", "DRR", "AD", "TE", "CDDPL", "FT", "GE"]


def methods(names: list[str]) -> dict[str, Any]:
    listed = {"type": "array", "items": {"enum": names}, "minItems": 1, "uniqueItems": True}
    return {
        "type": "object",
        "required": ["methods"],
        "properties": {"methods": {"anyOf": [{"const": "all"}, listed]}},
        "additionalProperties": False,
    }


ANALYSIS_CONFIG = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "required": ["dataset_type", "label", "label_values_or_threshold", "facet", "methods"],
    "properties": {
        "version": {"const": "1.0"},
        "dataset_type": {"const": "text/csv"},
        "headers": {"type": "array", "items": {"type": "string", "minLength": 1}, "uniqueItems": True},
        "label": NAME_OR_INDEX,
        "label_values_or_threshold": VALUES | {"minItems": 1},
        "facet": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["name_or_index"],
                "properties": {"name_or_index": NAME_OR_INDEX, "value_or_threshold": VALUES},
                "additionalProperties": False,
            },
        },
        "group_variable": NAME_OR_INDEX,
        "predicted_label": NAME_OR_INDEX,
        "methods": {
            "type": "object",
            "properties": {
                "pre_training_bias": methods(PRETRAINING),
                "post_training_bias": methods(POSTTRAINING),
                "report": {
                    "type": "object",
                    "required": ["name"],
                    "properties": {"name": {"type": "string"}, "title": {"type": "string"}},
                    "additionalProperties": False,
                },
            },
            "additionalProperties": False,
        },
    },
    "additionalProperties": False,
}


def written_before_training(folder: Path, *, category: list[str | None]) -> dict[str, Any]:
    rows = [
        {"text_id": f"t{n}", "sentiment": n % 3 - 1, "category": value, "words": n % 90 + 1}
        for n, value in enumerate(category)
    ]
    schema = pa.schema(
        [("text_id", pa.string()), ("sentiment", pa.int64()), ("category", pa.string()), ("words", pa.int64())]
    )
    (folder / "train").mkdir()
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), folder / "train" / "part-0.parquet")
    write_pretraining(folder, folder / "bias")
    config: dict[str, Any] = json.loads((folder / "bias" / CONFIG_FILE).read_text())
    return config


def written_after_training(folder: Path, *, category: list[str | None]) -> dict[str, Any]:
    rows = range(len(category))
    write_posttraining(
        folder / "bias",
        facets={"category": category, "length": [length_band(n % 90 + 1) for n in rows]},
        truth=[n % 3 - 1 for n in rows],
        answers=[n % 2 - 1 for n in rows],
        text_ids=[f"t{n}" for n in rows],
    )
    config: dict[str, Any] = json.loads((folder / "bias" / CONFIG_FILE).read_text())
    return config


@pytest.mark.parametrize("write", [written_before_training, written_after_training])
@pytest.mark.parametrize("category", [["a", "b"] * 100, [None] * 200, ["a"] * 200, ["a"] * 5])
def test_every_analysis_configuration_is_as_aws_documents_it(
    tmp_path: Path, write: Any, category: list[str | None]
) -> None:
    config = write(tmp_path, category=category)

    fastjsonschema.validate(ANALYSIS_CONFIG, config)
    named = [config["label"], *(facet["name_or_index"] for facet in config["facet"])]
    named += [config[key] for key in ("predicted_label", "group_variable") if key in config]
    assert set(named) <= set(config["headers"])
    first = (tmp_path / "bias" / DATASET_FILE).read_text().splitlines()[0]
    assert len(first.split(",")) == len(config["headers"])


def test_a_metric_that_clarify_has_not_would_be_noticed(tmp_path: Path) -> None:
    config = written_before_training(tmp_path, category=["a", "b"] * 100)
    config["methods"]["pre_training_bias"]["methods"].append("XX")

    with pytest.raises(fastjsonschema.JsonSchemaValueException):
        fastjsonschema.validate(ANALYSIS_CONFIG, config)


def processing_input(name: str, folder: str, file: str) -> dict[str, Any]:
    return {
        "InputName": name,
        "S3Input": {
            "S3Uri": f"s3://lake/curated/features/run/views/bias/{file}",
            "LocalPath": f"/opt/ml/processing/input/{folder}",
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
            "S3DataDistributionType": "FullyReplicated",
            "S3CompressionType": "None",
        },
    }


REQUEST = {
    "ProcessingJobName": "bias",
    "RoleArn": "arn:aws:iam::123456789012:role/clarify",
    # Clarify's image has its own entrypoint: ContainerEntrypoint and ContainerArguments are not supported.
    "AppSpecification": {
        "ImageUri": "131013547314.dkr.ecr.eu-central-1.amazonaws.com/sagemaker-clarify-processing:1.0"
    },
    "ProcessingInputs": [
        processing_input("analysis_config", "config", CONFIG_FILE),
        processing_input("dataset", "data", DATASET_FILE),
    ],
    "ProcessingOutputConfig": {
        "Outputs": [
            {
                "OutputName": "analysis_result",
                "S3Output": {
                    "S3Uri": "s3://lake/reports/run/bias/pretraining",
                    "LocalPath": "/opt/ml/processing/output",
                    "S3UploadMode": "EndOfJob",
                },
            }
        ]
    },
    "ProcessingResources": {
        "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.xlarge", "VolumeSizeInGB": 30}
    },
}
"""The job as docs/bias.md shows it: names and paths that Clarify requires."""


def test_the_request_of_the_job_fits_sagemakers_model() -> None:
    service = botocore.session.get_session().get_service_model("sagemaker")
    shape = service.operation_model("CreateProcessingJob").input_shape

    assert not ParamValidator().validate(REQUEST, shape).has_errors()


def test_the_guide_names_the_inputs_and_the_output_that_clarify_requires() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "bias.md").read_text()

    for given in REQUEST["ProcessingInputs"]:  # type: ignore[attr-defined]
        assert f"`{given['InputName']}`" in guide
        assert f"`{given['S3Input']['LocalPath']}`" in guide
    assert "`analysis_result`" in guide
    assert "`/opt/ml/processing/output`" in guide
