"""Training jobs from their creation to their artifacts, and every way in which they end."""

import io
import json
import os
import tarfile
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.sagemaker.context import Context
from local.sagemaker.service import SageMaker
from tests.unit.local_sagemaker.job_kit import channel, ended, members, train, until

REPORTING = """
import json, os, sys
from pathlib import Path
report = {"argv": sys.argv[1:], "cwd_is_code": os.getcwd() == os.environ["SM_MODULE_DIR"], "env": dict(os.environ)}
report["train"] = sorted(str(p.relative_to(os.environ["SM_CHANNEL_TRAIN"])) for p in Path(os.environ["SM_CHANNEL_TRAIN"]).rglob("*") if p.is_file())
Path(os.environ["SM_MODEL_DIR"], "model.json").write_text("{}")
Path(os.environ["SM_OUTPUT_DATA_DIR"], "report.json").write_text(json.dumps(report))
print("epoch 1 loss=0.9\\nepoch 2 loss=0.25 done")
"""  # noqa: E501
WAITING = "import os, time\nopen(os.environ['SM_MODEL_DIR'] + '/half', 'w').close()\nprint('up')\ntime.sleep(60)\n"
DEAF = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('up')\ntime.sleep(60)\n"


def _is_up(local_aws: Any, name: str = "job") -> bool:
    log = local_aws.context.home / "jobs" / "training-job" / name / "log.txt"
    return log.is_file() and "up" in log.read_text()


def test_a_job_completes_under_the_script_mode_contract(local_aws: Any) -> None:
    local_aws.put("s3://b/data/part-0.csv", b"1")
    local_aws.put("s3://b/data/more/part-1.csv", b"2")
    train(
        local_aws,
        REPORTING,
        HyperParameters={"epochs": "2", "name": '"a b"', "flag": "true", "x": "/opt/ml/checkpoints"},
        InputDataConfig=[channel("train", "s3://b/data/")],
        Environment={"CACHE": "/opt/ml/cache"},
        AlgorithmSpecification={
            "TrainingImage": "image",
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "loss", "Regex": r"loss=([0-9.]+)"}],
        },
    )
    job = ended(local_aws, "Training")
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Completed", "Completed"), job
    assert job["ModelArtifacts"] == {"S3ModelArtifacts": "s3://b/training/job/output/model.tar.gz"}
    assert members(local_aws.get("s3://b/training/job/output/model.tar.gz")) == {"model.json": b"{}"}
    report = json.loads(members(local_aws.get("s3://b/training/job/output/output.tar.gz"))["report.json"])
    home = str(local_aws.context.home / "jobs" / "training-job" / "job" / "opt" / "ml")
    assert report["argv"] == ["--epochs", "2", "--flag", "True", "--name", "a b", "-x", f"{home}/checkpoints"]
    assert report["train"] == ["more/part-1.csv", "part-0.csv"]
    assert report["cwd_is_code"]
    env = report["env"]
    assert json.loads(env["SM_HPS"]) == {"epochs": 2, "flag": True, "name": "a b", "x": f"{home}/checkpoints"}
    assert (env["SM_CHANNELS"], env["SM_HOSTS"], env["SM_CURRENT_HOST"]) == ('["train"]', '["algo-1"]', "algo-1")
    assert json.loads(env["SM_TRAINING_ENV"])["channel_input_dirs"] == {"train": f"{home}/input/data/train"}
    assert (env["TRAINING_JOB_NAME"], env["CACHE"]) == ("job", f"{home}/cache")
    assert (env["AWS_ENDPOINT_URL"], env["AWS_REGION"]) == (local_aws.context.endpoint_url, "us-east-1")
    steps = job["SecondaryStatusTransitions"]
    assert [step["Status"] for step in steps] == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert all(step["StartTime"] <= step["EndTime"] and step["StatusMessage"] for step in steps)
    assert [(metric["MetricName"], metric["Value"]) for metric in job["FinalMetricDataList"]] == [("loss", 0.25)]
    assert job["TrainingStartTime"] <= job["TrainingEndTime"]
    assert job["BillableTimeInSeconds"] >= 1
    (((group, stream), lines),) = local_aws.aws.logs.items()
    assert (group, stream.startswith("job/algo-1-")) == ("/aws/sagemaker/TrainingJobs", True)
    assert lines == ["epoch 1 loss=0.9", "epoch 2 loss=0.25 done"]
    told = [(kind, detail["SecondaryStatus"]) for _, kind, detail in local_aws.bus.events]
    assert told == [("SageMaker Training Job State Change", step["Status"]) for step in steps]


def test_a_completed_job_is_described_and_listed_by_a_real_client(local_aws: Any) -> None:
    train(local_aws, "print('done')")
    local_aws.client.get_waiter("training_job_completed_or_stopped").wait(
        TrainingJobName="job", WaiterConfig={"Delay": 1}
    )
    described = local_aws.client.describe_training_job(TrainingJobName="job")
    assert described["TrainingEndTime"].year > 2000
    listed = local_aws.client.list_training_jobs(StatusEquals="Completed")["TrainingJobSummaries"]
    assert [job["TrainingJobName"] for job in listed] == ["job"]
    assert local_aws.client.list_training_jobs(StatusEquals="Failed")["TrainingJobSummaries"] == []


def test_a_failure_file_is_the_reason(local_aws: Any) -> None:
    train(
        local_aws,
        "import os\nopen(os.environ['SM_OUTPUT_DIR'] + '/failure', 'w').write('no rows')\nraise SystemExit(3)",
    )
    job = ended(local_aws, "Training")
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Failed", "Failed")
    assert job["FailureReason"] == "AlgorithmError: no rows, exit code: 3"
    assert "ModelArtifacts" not in job


def test_without_a_failure_file_the_last_traceback_is_the_reason(local_aws: Any) -> None:
    train(local_aws, "print('x' * 5000)\nraise ValueError('bad column')")
    reason = ended(local_aws, "Training")["FailureReason"]
    assert reason.startswith("AlgorithmError: ExecuteUserScriptError: Traceback (most recent call last)")
    assert reason.endswith("ValueError: bad column, exit code: 1")


def test_a_job_that_is_stopped_keeps_what_it_has(local_aws: Any) -> None:
    train(local_aws, WAITING)
    until(lambda: _is_up(local_aws))
    local_aws.client.stop_training_job(TrainingJobName="job")
    job = ended(local_aws, "Training")
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "Stopped")
    assert [step["Status"] for step in job["SecondaryStatusTransitions"]][-3:] == ["Stopping", "Uploading", "Stopped"]
    assert "half" in members(local_aws.get(job["ModelArtifacts"]["S3ModelArtifacts"]))
    with pytest.raises(ClientError, match="rejected because the training job is in status Stopped"):
        local_aws.client.stop_training_job(TrainingJobName="job")


def test_a_job_that_does_not_listen_is_killed(local_aws: Any) -> None:
    train(local_aws, DEAF)
    until(lambda: _is_up(local_aws))
    local_aws.client.stop_training_job(TrainingJobName="job")
    assert ended(local_aws, "Training")["TrainingJobStatus"] == "Stopped"
    assert local_aws.service.processes() == []


def test_a_job_that_takes_too_long_is_stopped(local_aws: Any) -> None:
    train(local_aws, WAITING, StoppingCondition={"MaxRuntimeInSeconds": 1})
    job = ended(local_aws, "Training")
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
    assert "ModelArtifacts" in job


def test_an_input_that_is_not_there_is_the_clients_error(local_aws: Any) -> None:
    train(local_aws, "", InputDataConfig=[channel("train", "s3://b/none/")])
    job = ended(local_aws, "Training")
    assert job["FailureReason"] == "ClientError: Data download failed: no S3 objects found under S3 URL 's3://b/none/'"


def test_a_manifest_names_its_objects(local_aws: Any) -> None:
    local_aws.put("s3://b/manifest.json", json.dumps([{"prefix": "s3://b/data/"}, "a/1.csv"]).encode())
    local_aws.put("s3://b/data/a/1.csv", b"1")
    local_aws.put("s3://b/data/a/2.csv", b"2")
    train(local_aws, REPORTING, InputDataConfig=[channel("train", "s3://b/manifest.json", "ManifestFile")])
    ended(local_aws, "Training")
    report = json.loads(members(local_aws.get("s3://b/training/job/output/output.tar.gz"))["report.json"])
    assert report["train"] == ["a/1.csv"]


def test_checkpoints_come_from_s3_and_go_there(local_aws: Any) -> None:
    local_aws.put("s3://b/checkpoints/first", b"1")
    script = (
        "import sys; from pathlib import Path\n"
        "place = Path(sys.argv[2])\n"
        "(place / 'second').write_text((place / 'first').read_text() + '2')"
    )
    train(
        local_aws,
        script,
        HyperParameters={"checkpoints": "/opt/ml/checkpoints"},
        CheckpointConfig={"S3Uri": "s3://b/checkpoints"},
    )
    assert ended(local_aws, "Training")["TrainingJobStatus"] == "Completed"
    assert local_aws.get("s3://b/checkpoints/second") == b"12"


def test_hostile_code_is_refused_with_its_name(local_aws: Any) -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("../../outside.py"))
    local_aws.put("s3://b/hostile.tar.gz", stream.getvalue())
    train(local_aws, "", HyperParameters={"sagemaker_submit_directory": "s3://b/hostile.tar.gz"})
    reason = ended(local_aws, "Training")["FailureReason"]
    assert reason.startswith("ClientError: ")
    assert "'../../outside.py': leads out of the folder" in reason


def test_names_are_unique_and_one_instance_is_all_there_is(local_aws: Any) -> None:
    train(local_aws, "")
    with pytest.raises(ClientError, match="Training job names must be unique") as caught:
        train(local_aws, "")
    assert caught.value.response["Error"]["Code"] == "ResourceInUse"
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 10}
    with pytest.raises(ClientError, match="InstanceCount is 1"):
        train(local_aws, "", name="two", ResourceConfig=resources)
    ended(local_aws, "Training")


def test_a_restart_marks_what_was_running_as_failed(local_aws: Any) -> None:
    train(local_aws, WAITING)
    until(lambda: _is_up(local_aws))
    ((pid, what),) = local_aws.service.processes()
    assert what == "training-job job"
    local_aws.service.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    context: Context = local_aws.context
    again = SageMaker(context)
    again.start()
    job = again.call("DescribeTrainingJob", {"TrainingJobName": "job"})
    again.close()
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"] == "InternalServerError: the local AWS was restarted while the job was running"
    assert job["SecondaryStatusTransitions"][-1]["Status"] == "Failed"
