"""A batch transform job with a registered model: its model, its start, its end, and nothing left behind.

Responsible for the SageMaker calls and for stopping the job when its owner goes away. It does not know what is asked.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from cli.connection import Connection
from cli.errors import Problem
from cli.steps import Step

POLL_SECONDS = 1.0
CONTENT_TYPE = "application/jsonlines"
REQUESTS_AT_ONCE = 2
REQUEST_MEBIBYTES = 1
REQUEST_SECONDS = 600
# What a container is, of all that a model package says of it.
CONTAINER_MEMBERS = ("ContainerHostname", "Image", "ModelDataUrl", "Environment")


@dataclass(frozen=True, kw_only=True)
class TransformJob:
    """One job over the JSON lines below `source`; its answers lie below `results`."""

    connection: Connection
    name: str
    package_arn: str
    source: str
    results: str

    def run(self, step: Step, *, parts: int, instance_type: str) -> None:
        """Run it to its end; a Problem says why it failed. Whoever interrupts this stops the job, too."""
        client = self.connection.client("sagemaker")
        with self._model():
            client.create_transform_job(**self._request(instance_type))
            step.say(f"job {self.name}")
            try:
                self._follow(step, parts)
            except BaseException:
                self._stop()
                raise

    @contextmanager
    def _model(self) -> Iterator[None]:
        """The package as a model of its own, as long as the block lasts."""
        client = self.connection.client("sagemaker")
        package = client.describe_model_package(ModelPackageName=self.package_arn)
        client.create_model(
            ModelName=self.name,
            ExecutionRoleArn=self.connection.output("endpoint", "RescoreRole"),
            Containers=[
                {member: container[member] for member in CONTAINER_MEMBERS if member in container}
                for container in package["InferenceSpecification"]["Containers"]
            ],
            InferenceExecutionConfig={"Mode": "Serial"},
            EnableNetworkIsolation=True,
        )
        try:
            yield
        finally:
            client.delete_model(ModelName=self.name)

    def _request(self, instance_type: str) -> dict[str, Any]:
        key = self.connection.output("endpoint", "RescoreKey")
        return {
            "TransformJobName": self.name,
            "ModelName": self.name,
            "BatchStrategy": "MultiRecord",
            "MaxConcurrentTransforms": REQUESTS_AT_ONCE,
            "MaxPayloadInMB": REQUEST_MEBIBYTES,
            "ModelClientConfig": {"InvocationsTimeoutInSeconds": REQUEST_SECONDS, "InvocationsMaxRetries": 3},
            "TransformInput": {
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": self.source}},
                "ContentType": CONTENT_TYPE,
                "SplitType": "Line",
            },
            "TransformOutput": {
                "S3OutputPath": self.results,
                "Accept": CONTENT_TYPE,
                "AssembleWith": "None",
                "KmsKeyId": key,
            },
            "TransformResources": {"InstanceType": instance_type, "InstanceCount": 1},
        }

    def _follow(self, step: Step, parts: int) -> None:
        while (job := self._described())["TransformJobStatus"] == "InProgress":
            step.now(f"{self._answered()} of {parts} objects")
            time.sleep(POLL_SECONDS)
        if job["TransformJobStatus"] != "Completed":
            reason = job.get("FailureReason", "it was stopped")
            raise Problem(f"The job {self.name} did not complete: {reason}")

    def _stop(self) -> None:
        """Stop it where it still runs, and wait for that: its model may go only then."""
        client = self.connection.client("sagemaker")
        if self._described()["TransformJobStatus"] == "InProgress":
            client.stop_transform_job(TransformJobName=self.name)
        while self._described()["TransformJobStatus"] in ("InProgress", "Stopping"):
            time.sleep(POLL_SECONDS)

    def _described(self) -> dict[str, Any]:
        client = self.connection.client("sagemaker")
        job: dict[str, Any] = client.describe_transform_job(TransformJobName=self.name)
        return job

    def _answered(self) -> int:
        bucket, _, prefix = self.results.removeprefix("s3://").partition("/")
        pages = self.connection.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return sum(len(page.get("Contents", [])) for page in pages)
