"""`earshot rescore` over the local SageMaker with the starter's containers: the answers are those of the chain."""

import dataclasses
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from rich.console import Console

from bundles.sources import ROOT
from cli import rescore, transform_job
from cli.models import find_package
from cli.steps import Steps
from local.sagemaker import objects
from local.sagemaker.context import Context
from local.sagemaker.hosting.chain import Chain
from local.sagemaker.service import SageMaker
from tests.unit.cli.fakes import FakeSsm, connection
from tests.unit.local_sagemaker.conftest import Bus, FakeAws, Served, served

__all__ = ["served"]  # the fixture

PYTHON = ROOT / ".venv-serving" / "bin" / "python"
STARTER = ROOT / ".build" / "starter"
CONTAINERS = ("transform", "classify", "label")
ENVIRONMENT = {"SAGEMAKER_PROGRAM": "inference.py"}
TYPE = "application/jsonlines"
TEXTS = ("It broke at once", "I love it", "It is a shirt", "Süß, würde ich wieder kaufen 😀", "Never again!")
pytestmark = pytest.mark.skipif(not STARTER.is_dir(), reason="the bundles are not built: run make build")


@pytest.fixture
def aws(tmp_path: Path, served: Served, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAws]:
    """A local SageMaker whose registry holds the starter as a package, over a lake with feedback of two days."""
    aws = FakeAws()
    context = Context(
        home=tmp_path,
        endpoint_url=served.endpoint_url,
        serving_python=PYTHON,
        training_python=PYTHON,
        publish=Bus().publish,
    )
    service = SageMaker(context, stop_grace_seconds=1.0)
    served.stage.service, served.stage.aws = service, aws
    service.start()

    def download(uri: str, path: Path, *, s3: Any) -> None:
        """The fake S3 knows no ranges, in which boto3 fetches large objects."""
        path.write_bytes(aws.objects[uri.removeprefix("s3://")])

    monkeypatch.setattr(objects, "download", download)
    for container in CONTAINERS:
        aws.objects[f"artifacts/models/run/{container}.tar.gz"] = (STARTER / f"{container}.tar.gz").read_bytes()
    for day in ("01", "02"):
        rows = [
            {
                "feedback_id": f"{day}-{number}",
                "text": text,
                "label": "unsure",
                "received_at": f"2026-01-{day}",
                "decided_at": "2026-01-03",
            }
            for number, text in enumerate(TEXTS)
        ]
        aws.objects[f"lake/feedback/dt=2026-01-{day}/a.jsonl"] = "".join(
            json.dumps(row) + "\n" for row in rows
        ).encode()
    served.client.create_model_package_group(ModelPackageGroupName="earshot-dev")
    served.client.create_model_package(
        ModelPackageGroupName="earshot-dev",
        InferenceSpecification={
            "Containers": [
                {
                    "ContainerHostname": container,
                    "Image": f"image-of-{container}",
                    "ModelDataUrl": f"s3://artifacts/models/run/{container}.tar.gz",
                    "Environment": ENVIRONMENT,
                }
                for container in CONTAINERS
            ],
            "SupportedContentTypes": [TYPE],
            "SupportedResponseMIMETypes": [TYPE],
        },
        ModelApprovalStatus="Approved",
    )
    yield aws
    service.close()


def test_a_rescored_lake_has_the_answers_of_the_containers(
    aws: FakeAws, served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transform_job, "POLL_SECONDS", 0.1)
    s3 = boto3.client(
        "s3",
        endpoint_url=served.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    ssm = FakeSsm(release="s3://artifacts/models/run/")
    stage = connection({"s3": s3, "sagemaker": served.client, "ssm": ssm})

    report = rescore.run(stage, find_package(stage, "released"), Steps(Console(file=io.StringIO())))

    key = report["results"].removeprefix("s3://") + "part-0000.jsonl.out"
    answers: list[dict[str, Any]] = [json.loads(line) for line in aws.objects[key].splitlines()]
    assert sorted(answer["id"] for answer in answers) == sorted(
        f"{day}-{number}" for day in ("01", "02") for number in range(len(TEXTS))
    )
    archives = [STARTER / f"{container}.tar.gz" for container in CONTAINERS]
    with Chain.from_archives(
        archives, python=PYTHON, folder=tmp_path / "chain", environments=[ENVIRONMENT] * 3
    ) as chain:
        asked = aws.objects[key.replace("/output/", "/input/").removesuffix(".out")]
        assert chain.invoke(asked, content_type=TYPE, accept=TYPE).body == aws.objects[key]
    assert report["texts"] == report["unsure_before"] == 2 * len(TEXTS)
    assert report["changed"] + report["unsure_after"] == report["texts"]
    assert served.client.list_models()["Models"] == []
    assert dataclasses.asdict(ssm)["release"] == "s3://artifacts/models/run/"
