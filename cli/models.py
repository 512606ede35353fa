"""Model packages: what is registered, how good each is, which one is served.

Responsible for reading the registry and the evaluations beside it, and for finding the package that a user means. It
changes nothing; the commands are in `cli.models_commands`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cli.connection import Connection
from cli.errors import BadInput

_RUN = re.compile(r"/models/(?P<run>[^/]+)/")


@dataclass(frozen=True, kw_only=True)
class Package:
    """One registered model."""

    arn: str
    version: int
    status: str
    created: datetime
    run: str
    candidate: str
    """Which candidate of its run it is; empty for a package from before runs had several."""
    artifacts: tuple[str, ...]
    evaluation: dict[str, Any]
    released: bool

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "model_package_arn": self.arn,
            "version": self.version,
            "status": self.status,
            "released": self.released,
            "created": self.created.isoformat(),
            "run": self.run,
            "candidate": self.candidate,
            "artifacts": list(self.artifacts),
            "evaluation": self.evaluation,
        }


def packages(connection: Connection) -> list[Package]:
    """All packages of the stage's group, newest first."""
    group = connection.output("training", "ModelPackageGroup")
    pages = connection.client("sagemaker").get_paginator("list_model_packages").paginate(ModelPackageGroupName=group)
    arns = [entry["ModelPackageArn"] for page in pages for entry in page["ModelPackageSummaryList"]]
    released = released_run(connection)
    found = [_described(connection, arn, released) for arn in arns]
    return sorted(found, key=lambda package: package.version, reverse=True)


def find_package(connection: Connection, name: str) -> Package:
    """By ARN, version number, run, `latest` or `released`."""
    found = packages(connection)
    if not found:
        raise BadInput("There is no model package yet: train one with `earshot train`.")
    if name == "latest":
        return found[0]
    for package in found:
        if name in {package.arn, str(package.version), package.run} or (name == "released" and package.released):
            return package
    known = ", ".join(str(package.version) for package in found[:10])
    raise BadInput(f"There is no model package '{name}': give a version ({known}), an ARN, latest or released.")


def package_of_run(connection: Connection, run: str) -> Package | None:
    """The package that a run of the pipeline registered."""
    return next((package for package in packages(connection) if package.run == run), None)


def released_run(connection: Connection) -> str | None:
    """The run whose model the endpoint serves; None for the starter."""
    name = connection.output("endpoint", "ReleaseParameter")
    value = connection.client("ssm").get_parameter(Name=name)["Parameter"]["Value"]
    return run_of(value)


def run_of(address: str) -> str | None:
    """The run in `s3://BUCKET/models/RUN/...`."""
    match = _RUN.search(address)
    return match["run"] if match else None


def _described(connection: Connection, arn: str, released: str | None) -> Package:
    described = connection.client("sagemaker").describe_model_package(ModelPackageName=arn)
    artifacts = tuple(container["ModelDataUrl"] for container in described["InferenceSpecification"]["Containers"])
    run = run_of(artifacts[0]) or ""
    candidate = described.get("CustomerMetadataProperties", {}).get("candidate", "")
    return Package(
        arn=arn,
        version=int(described["ModelPackageVersion"]),
        status=described["ModelApprovalStatus"],
        created=described["CreationTime"],
        run=run,
        candidate=candidate,
        artifacts=artifacts,
        evaluation=_evaluation(connection, run, described),
        released=bool(run) and run == released,
    )


def _evaluation(connection: Connection, run: str, described: dict[str, Any]) -> dict[str, Any]:
    """The evaluation that the package points to; empty when it is not there any more."""
    statistics = described.get("ModelMetrics", {}).get("ModelQuality", {}).get("Statistics", {})
    lake = connection.output("data-lake", "LakeBucket")
    address = statistics.get("S3Uri", f"s3://{lake}/reports/{run}/evaluation/evaluation.json")
    client = connection.client("s3")
    bucket, _, key = address.removeprefix("s3://").partition("/")
    try:
        body = client.get_object(Bucket=bucket, Key=key)["Body"].read()
    except client.exceptions.NoSuchKey:
        return {}
    evaluation: dict[str, Any] = json.loads(body)
    return evaluation
