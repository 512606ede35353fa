"""Processing jobs from their inputs to their outputs, and every way in which they end."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.sagemaker.jobs.folder import JobFolder
from tests.unit.local_sagemaker.job_kit import ROLE, ended, is_running, process, until


def _input(name: str, uri: str) -> dict[str, Any]:
    place = f"/opt/ml/processing/input/{name}"
    return {
        "InputName": name,
        "S3Input": {"S3Uri": uri, "LocalPath": place, "S3DataType": "S3Prefix", "S3InputMode": "File"},
    }


def _output(name: str, uri: str, mode: str = "EndOfJob") -> dict[str, Any]:
    place = f"/opt/ml/processing/output/{name}"
    return {"OutputName": name, "S3Output": {"S3Uri": uri, "LocalPath": place, "S3UploadMode": mode}}


def test_a_job_completes_with_opt_ml_in_its_own_folder(local_aws: Any) -> None:
    local_aws.put("s3://b/in/rows.csv", b"1,2")
    script = (
        "set -e; cp /opt/ml/processing/input/rows/rows.csv $TARGET/copy.csv; "
        'python3 -c \'import sys; print("python", sys.version_info[0], sys.argv[1:])\' "$0" --to=/opt/ml/processing/x'
        " > $TARGET/sub.txt; "
        "printf 'two rows' > /opt/ml/output/message; echo done"
    )
    process(
        local_aws,
        script,
        AppSpecification={"ContainerArguments": ["/opt/ml/processing/arg"]},
        Environment={"TARGET": "/opt/ml/processing/output/out"},
        ProcessingInputs=[_input("rows", "s3://b/in/rows.csv")],
        ProcessingOutputConfig={"Outputs": [_output("out", "s3://b/out/run-1")]},
    )
    job = ended(local_aws, "Processing")
    assert (job["ProcessingJobStatus"], job["ExitMessage"]) == ("Completed", "two rows"), job
    assert local_aws.get("s3://b/out/run-1/copy.csv") == b"1,2"
    home = local_aws.context.home / "jobs" / "processing-job" / "job" / "opt" / "ml" / "processing"
    assert local_aws.get("s3://b/out/run-1/sub.txt").decode() == f"python 3 ['{home}/arg', '--to={home}/x']\n"
    assert job["ProcessingStartTime"] <= job["ProcessingEndTime"]
    (((group, _), lines),) = local_aws.aws.logs.items()
    assert (group, lines) == ("/aws/sagemaker/ProcessingJobs", ["done"])
    told = [(kind, detail["ProcessingJobStatus"]) for _, kind, detail in local_aws.bus.events]
    assert told[0] == ("SageMaker Processing Job State Change", "InProgress")
    assert told[-1] == ("SageMaker Processing Job State Change", "Completed")


def test_a_job_that_fails_says_why_and_uploads_nothing(local_aws: Any) -> None:
    process(
        local_aws,
        "echo 1 > /opt/ml/processing/output/out/half; echo 'disk full' >&2; exit 4",
        ProcessingOutputConfig={"Outputs": [_output("out", "s3://b/out")]},
    )
    job = ended(local_aws, "Processing")
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"] == "AlgorithmError: disk full, exit code: 4"
    assert local_aws.keys("s3://b/out") == []


def test_a_program_that_is_not_there_fails_the_job(local_aws: Any) -> None:
    process(local_aws, "", AppSpecification={"ContainerEntrypoint": ["no-such-program"]})
    assert ended(local_aws, "Processing")["FailureReason"].endswith("No such file or directory, exit code: 127")


def test_a_continuous_output_is_there_before_the_end(local_aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.sagemaker.jobs.sync.FolderSync.__init__.__kwdefaults__", {"interval_seconds": 0.05})
    process(
        local_aws,
        "echo 1 > /opt/ml/processing/output/out/first; sleep 60",
        ProcessingOutputConfig={"Outputs": [_output("out", "s3://b/out", "Continuous")]},
    )
    until(lambda: local_aws.keys("s3://b/out") == ["b/out/first"])
    local_aws.client.stop_processing_job(ProcessingJobName="job")
    assert ended(local_aws, "Processing")["ProcessingJobStatus"] == "Stopped"


def test_a_job_that_takes_too_long_is_stopped_and_says_so(local_aws: Any) -> None:
    process(local_aws, "sleep 60", StoppingCondition={"MaxRuntimeInSeconds": 1})
    job = ended(local_aws, "Processing")
    assert job["ProcessingJobStatus"] == "Stopped"
    assert "MaxRuntimeInSeconds of 1" in job["FailureReason"]


def test_what_a_job_leaves_behind_ends_with_it(local_aws: Any) -> None:
    process(
        local_aws,
        "sleep 60 & echo $! > /opt/ml/processing/output/out/pid",
        ProcessingOutputConfig={"Outputs": [_output("out", "s3://b/out")]},
    )
    assert ended(local_aws, "Processing")["ProcessingJobStatus"] == "Completed"
    pid = int(local_aws.get("s3://b/out/pid"))
    until(lambda: not is_running(pid))


def test_a_processing_job_needs_an_entrypoint_and_paths_of_its_own(local_aws: Any) -> None:
    with pytest.raises(ClientError, match="ContainerEntrypoint is needed"):
        local_aws.client.create_processing_job(
            ProcessingJobName="job",
            RoleArn="arn:aws:iam::000000000000:role/earshot-local",
            AppSpecification={"ImageUri": "image"},
            ProcessingResources={
                "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10}
            },
        )
    outside = _output("out", "s3://b/out")
    outside["S3Output"]["LocalPath"] = "/opt/ml/processing/../../etc"
    with pytest.raises(ClientError, match="must be below /opt/ml/processing"):
        process(local_aws, "", ProcessingOutputConfig={"Outputs": [outside]})


@pytest.mark.parametrize(
    ("text", "localised"),
    [
        ("/opt/ml", "{}"),
        ("--to=/opt/ml/processing", "--to={}/processing"),
        ("cd /opt/ml/a && ls '/opt/ml/b'", "cd {}/a && ls '{}/b'"),
        ("file:///opt/ml/a:/opt/ml/b", "file://{}/a:{}/b"),
        ("/opt/mlflow /opt/ml-x", "/opt/mlflow /opt/ml-x"),
        ("s3://bucket/opt/ml/model", "s3://bucket/opt/ml/model"),
    ],
)
def test_opt_ml_is_rewritten_where_it_is_a_path_of_its_own(local_aws: Any, text: str, localised: str) -> None:
    folder = JobFolder(local_aws.context, "processing-job", "job")
    assert folder.localised(text) == localised.replace("{}", str(folder.opt_ml))


def test_a_job_inherits_the_machine_and_not_what_is_about_the_local_aws_alone(
    local_aws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "PYTHONPATH", "AWS_PROFILE", "JAVA_HOME"):
        monkeypatch.setenv(name, "of this process")
    folder = JobFolder(local_aws.context, "processing-job", "job")
    found = folder.environment([("MALLOC_ARENA_MAX", "4")], role_arn=ROLE)
    assert {name for name, value in found.items() if value == "of this process"} == {"JAVA_HOME"}
    assert found["MALLOC_ARENA_MAX"] == "4", "what the job asks for"
