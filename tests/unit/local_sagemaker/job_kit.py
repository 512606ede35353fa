"""Small jobs for the tests of the local SageMaker: archives of code, requests, and waiting for the end."""

import io
import subprocess
import tarfile
import time
from typing import Any

ROLE = "arn:aws:iam::000000000000:role/earshot-local"
IMAGE = "000000000000.dkr.ecr.us-east-1.amazonaws.com/training:1"
DEADLINE_SECONDS = 30.0


def code(**files: str) -> bytes:
    """A sourcedir.tar.gz with one file a keyword: ``train__py`` is train.py."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name.replace("__", "."))
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return stream.getvalue()


def members(packed: bytes) -> dict[str, bytes]:
    """The files of an archive by name."""
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive if member.isreg()}  # type: ignore[union-attr]


def train(local_aws: Any, script: str, *, name: str = "job", **more: Any) -> str:
    """Start a training job that runs ``script``."""
    local_aws.put("s3://b/sourcedir.tar.gz", code(train__py=script))
    hyperparameters = {
        "sagemaker_program": '"train.py"',
        "sagemaker_submit_directory": '"s3://b/sourcedir.tar.gz"',
        **more.pop("HyperParameters", {}),
    }
    request = {
        "TrainingJobName": name,
        "RoleArn": ROLE,
        "HyperParameters": hyperparameters,
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": "s3://b/training"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        **more,
    }
    arn: str = local_aws.client.create_training_job(**request)["TrainingJobArn"]
    return arn


def channel(name: str, uri: str, kind: str = "S3Prefix") -> dict[str, Any]:
    """One S3 channel of a training job."""
    return {"ChannelName": name, "DataSource": {"S3DataSource": {"S3DataType": kind, "S3Uri": uri}}}


def process(local_aws: Any, script: str, *, name: str = "job", **more: Any) -> str:
    """Start a processing job that runs a shell script."""
    application = {"ImageUri": IMAGE, "ContainerEntrypoint": ["/bin/sh", "-c", script]}
    cluster = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10}
    request = {
        "ProcessingJobName": name,
        "RoleArn": ROLE,
        "AppSpecification": {**application, **more.pop("AppSpecification", {})},
        "ProcessingResources": {"ClusterConfig": cluster},
        **more,
    }
    arn: str = local_aws.client.create_processing_job(**request)["ProcessingJobArn"]
    return arn


def ended(local_aws: Any, kind: str, name: str = "job") -> Any:
    """The description of a job (kind ``Training`` or ``Processing``) once it has ended."""
    operation = f"Describe{kind}Job"
    end = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < end:
        described = local_aws.service.call(operation, {f"{kind}JobName": name})
        if described[f"{kind}JobStatus"] not in ("InProgress", "Stopping"):
            return described
        time.sleep(0.02)
    raise AssertionError(f"{name} has not ended")


def until(what: Any) -> Any:
    """The first true answer within the deadline."""
    end = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < end:
        found = what()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("nothing came of it within the deadline")


def is_running(pid: int) -> bool:
    """True while a process lives; one that is only waiting to be reaped does not."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.strip().startswith("Z")
