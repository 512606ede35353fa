"""Fakes of the AWS services that the commands call and moto does not carry as this product uses them."""

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cli.connection import AwsConnection
from cli.steps import Step

OUTPUTS: dict[str, dict[str, str]] = {
    "data-lake": {
        "LakeBucket": "lake",
        "ArtifactBucket": "artifacts",
        "Database": "earshot_dev",
        "Crawler": "crawler",
        "WorkGroup": "earshot-dev",
    },
    "training": {
        "ModelPipeline": "arn:aws:states:us-east-1:000000000000:stateMachine:pipeline",
        "ModelPackageGroup": "earshot-dev",
    },
    "endpoint": {
        "EndpointName": "earshot-dev",
        "ReleaseParameter": "/earshot/dev/release",
        "ReleaseStateMachine": "arn:aws:states:us-east-1:000000000000:stateMachine:release",
        "RescoreRole": "arn:aws:iam::000000000000:role/rescore",
        "RescoreKey": "arn:aws:kms:us-east-1:000000000000:key/lake",
    },
    "intake": {"ApiUrl": "https://api.example/prod/", "AlertTopic": "arn:aws:sns:us-east-1:000000000000:alerts"},
}


def connection(
    clients: Mapping[str, Any] | None = None, outputs: Mapping[str, Mapping[str, str]] = OUTPUTS
) -> AwsConnection:
    """A deployed stage whose services are the given fakes, or boto3's own clients under moto."""
    return AwsConnection(
        stage="dev",
        endpoint_url=None,
        _clients=dict(clients or {}),
        _outputs={stack: dict(found) for stack, found in outputs.items()},
    )


class RecordedStep(Step):
    """A step whose lines can be read."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.result = ""

    def now(self, text: str) -> None:
        """Nothing to show."""

    def say(self, text: str) -> None:
        self.lines.append(text)


@dataclass
class Pages:
    pages: Sequence[dict[str, Any]]

    def paginate(self, **_: object) -> Iterator[dict[str, Any]]:
        return iter(self.pages)


@dataclass
class FakeS3:
    """Objects by key, whatever the bucket."""

    objects: dict[str, bytes] = field(default_factory=dict)

    class exceptions:  # noqa: N801 - boto3's name
        NoSuchKey = KeyError

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> None:  # noqa: N803 - boto3's names
        self.objects[Key] = Body

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        return {"Body": io.BytesIO(self.objects[Key])}

    def get_paginator(self, operation: str) -> Any:
        assert operation == "list_objects_v2"
        return _Listing(self.objects)


@dataclass
class _Listing:
    objects: dict[str, bytes]

    def paginate(self, *, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:  # noqa: N803
        yield {"Contents": [{"Key": key} for key in self.objects if key.startswith(Prefix)]}


@dataclass
class FakeSsm:
    release: str = "starter"

    def get_parameter(self, *, Name: str) -> dict[str, Any]:  # noqa: N803
        return {"Parameter": {"Value": self.release}}


@dataclass
class FakeRegistry:
    """SageMaker's model registry: packages as `cli.models` reads them."""

    packages: list[dict[str, Any]] = field(default_factory=list)

    def add(self, run: str, *, status: str = "Approved") -> str:
        version = len(self.packages) + 1
        arn = f"arn:aws:sagemaker:us-east-1:000000000000:model-package/earshot-dev/{version}"
        self.packages.append(
            {
                "ModelPackageArn": arn,
                "ModelPackageVersion": version,
                "ModelApprovalStatus": status,
                "CreationTime": datetime(2026, 1, version, tzinfo=UTC),
                "InferenceSpecification": {
                    "Containers": [
                        {"ModelDataUrl": f"s3://artifacts/models/{run}/{container}.tar.gz"}
                        for container in ("transform", "classify", "label")
                    ]
                },
            }
        )
        return arn

    def get_paginator(self, operation: str) -> Pages:
        assert operation == "list_model_packages"
        return Pages([{"ModelPackageSummaryList": [{"ModelPackageArn": p["ModelPackageArn"]} for p in self.packages]}])

    def describe_model_package(self, *, ModelPackageName: str) -> dict[str, Any]:  # noqa: N803
        return next(package for package in self.packages if package["ModelPackageArn"] == ModelPackageName)

    def update_model_package(self, *, ModelPackageArn: str, ModelApprovalStatus: str) -> None:  # noqa: N803
        self.describe_model_package(ModelPackageName=ModelPackageArn)["ModelApprovalStatus"] = ModelApprovalStatus


@dataclass
class FakeStates:
    """Step Functions whose executions have already happened."""

    definition: dict[str, Any] = field(default_factory=lambda: {"States": {}})
    executions: dict[str, dict[str, Any]] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    started: list[dict[str, Any]] = field(default_factory=list)

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> dict[str, Any]:  # noqa: A002, N803
        self.started.append({"machine": stateMachineArn, "name": name, "input": json.loads(input)})
        return {"executionArn": f"{stateMachineArn.replace('stateMachine', 'execution')}:{name}"}

    def describe_state_machine(self, *, stateMachineArn: str) -> dict[str, Any]:  # noqa: N803
        return {"definition": json.dumps(self.definition)}

    def describe_execution(self, *, executionArn: str) -> dict[str, Any]:  # noqa: N803
        return self.executions[executionArn]

    def list_executions(self, *, stateMachineArn: str, maxResults: int) -> dict[str, Any]:  # noqa: N803
        return {"executions": [entry for entry in self.executions.values() if "startDate" in entry]}

    def get_paginator(self, operation: str) -> Pages:
        assert operation == "get_execution_history"
        return Pages([{"events": self.events}])

    def get_execution_history(self, **_: object) -> dict[str, Any]:
        return {"events": list(reversed(self.events))}


@dataclass
class FakeLogs:
    """Events of every group."""

    events: list[dict[str, Any]] = field(default_factory=list)

    class exceptions:  # noqa: N801
        class ResourceNotFoundException(Exception):  # noqa: N818
            pass

    def filter_log_events(self, **request: object) -> dict[str, Any]:
        if not self.events:
            raise self.exceptions.ResourceNotFoundException
        return {"events": [event for event in self.events if event["timestamp"] >= int(str(request["startTime"]))]}


def comparison(champion: str = "tuned") -> dict[str, Any]:
    """What the comparison step writes, in part."""

    def scored(name: str, macro_f1: float) -> dict[str, Any]:
        return {
            "name": name,
            "title": name.title(),
            "status": "scored",
            "metrics": {
                "macro_f1": macro_f1,
                "macro_f1_interval": [macro_f1 - 0.02, macro_f1 + 0.02],
                "accuracy": 0.8,
                "negative_recall": 0.7,
                "calibration_error": 0.01,
            },
            "cost": {"training_seconds": 75.0, "training_dollars": 0.03, "dollars_per_million": 1.5},
        }

    return {
        "run": "run-2",
        "champion": champion,
        "test_rows": 2000,
        "candidates": [
            scored("tfidf", 0.57),
            scored("bert", 0.68),
            scored("tuned", 0.71),
            {"name": "autopilot", "status": "failed", "reason": "The step SearchModels of autopilot failed: no rows"},
        ],
        "against_current": {
            "model_version": "m-1",
            "rows": 1900,
            "macro_f1": {"difference": 0.02, "low": -0.01, "high": 0.05, "p_value": 0.1},
            "negative_recall": {"difference": 0.0, "low": -0.01, "high": 0.01, "p_value": 1.0},
        },
        "worst_mistakes": [{"text": "what a customer wrote"}],
        "conflicts": [],
    }


def evaluation(macro_f1: float = 0.7, *, fingerprint: str = "rows-1") -> dict[str, Any]:
    """What the evaluation step writes."""
    return {
        "rows": 400,
        "accuracy": 0.8,
        "macro_f1": macro_f1,
        "balanced_accuracy": 0.69,
        "negative_recall": 0.75,
        "calibration_error": 0.02,
        "unsure_share": 0.1,
        "per_class": {
            label: {"precision": 0.7, "recall": 0.7, "f1": 0.7, "support": 100}
            for label in ("negative", "neutral", "positive")
        },
        "confusion": [[80, 10, 10], [20, 60, 20], [5, 15, 180]],
        "features": {"fingerprint": fingerprint},
    }
