"""Processing jobs with AWS's Spark image: smspark-submit's command line, and a program that runs on pyspark here."""

import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from local.options import REPOSITORY
from local.sagemaker.builtin import spark
from local.sagemaker.service import SageMaker
from tests.unit.local_sagemaker.conftest import LocalAws, Served
from tests.unit.local_sagemaker.job_kit import ended

SPARK_PYTHON = REPOSITORY / ".venv-spark" / "bin" / "python"
IMAGE = "173754725891.dkr.ecr.us-east-1.amazonaws.com/sagemaker-spark-processing:3.5-cpu-py39-v1.0"
# Java and Spark take five of them on a quiet machine.
SPARK_SECONDS = 120.0
CODE = "/opt/ml/processing/input/code"
COUNTING = """
import sys
from pathlib import Path
from pyspark.sql import SparkSession
from words import column
assert "local" not in sys.modules and not any(path == sys.argv[3] for path in sys.path)
session = SparkSession.builder.getOrCreate()
counted = session.sparkContext.textFile("file://" + sys.argv[1]).filter(lambda line: line == column).count()
Path(sys.argv[2], "count.txt").write_text(str(counted))
"""


def _command(argv: list[str], folder: Path) -> list[str]:
    return spark.command(argv, opt_ml=folder, spark_home=Path("/spark"))


def test_a_folder_of_python_files_becomes_a_list_and_the_programs_own_options_stay(tmp_path: Path) -> None:
    for name in ("b.py", "a.zip"):
        (tmp_path / name).touch()
    line = _command(["--py-files", str(tmp_path), "/code/main.py", "--files", "x", "-v"], tmp_path)
    assert line[:3] == ["/spark/bin/spark-submit", "--master", "local[*]"]
    assert line[-6:] == ["--py-files", f"{tmp_path}/a.zip,{tmp_path}/b.py", "/code/main.py", "--files", "x", "-v"]


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["--py-files", "relative", "main.py"], "must be the absolute path"),
        (["--py-files", "/not/there", "main.py"], "must be the absolute path"),
        (["--conf", "a=b", "main.py"], "smspark-submit"),
        ([], "smspark-submit"),
    ],
)
def test_a_command_line_that_the_container_refuses_is_refused(argv: list[str], sentence: str, tmp_path: Path) -> None:
    with pytest.raises(spark.SubmitError, match=sentence):
        _command(argv, tmp_path)


def test_the_configuration_is_honoured_but_for_what_is_a_clusters(tmp_path: Path) -> None:
    file = tmp_path / spark.CONFIGURATION
    file.parent.mkdir(parents=True)
    properties = {"spark.sql.shuffle.partitions": "4", "spark.executor.memory": "64g", "spark.master": "yarn"}
    file.write_text(json.dumps([{"Classification": "spark-defaults", "Properties": properties}]))
    line = _command(["main.py"], tmp_path)
    assert "spark.sql.shuffle.partitions=4" in line
    assert not [word for word in line if word.startswith(("spark.executor", "spark.master"))]


def _process(aws: LocalAws, script: str, *, instances: int = 1, arguments: list[str] | None = None) -> Any:
    aws.put("s3://b/code/main.py", script.encode())
    aws.put("s3://b/code/words.py", b"column = 'x'\n")
    aws.put("s3://b/data/a.csv", b"word\nx\ny\nx\n")

    def given(name: str) -> dict[str, Any]:
        place = {"S3Uri": f"s3://b/{name}/", "LocalPath": f"/opt/ml/processing/input/{name}", "S3DataType": "S3Prefix"}
        return {"InputName": name, "S3Input": {**place, "S3InputMode": "File"}}

    output = {"S3Uri": "s3://b/out/", "LocalPath": "/opt/ml/processing/output", "S3UploadMode": "EndOfJob"}
    aws.client.create_processing_job(
        ProcessingJobName="job",
        RoleArn="arn:aws:iam::000000000000:role/earshot-local",
        AppSpecification={
            "ImageUri": IMAGE,
            "ContainerEntrypoint": ["smspark-submit", "--py-files", f"{CODE}/words.py", f"{CODE}/main.py"],
            "ContainerArguments": arguments
            or ["/opt/ml/processing/input/data/a.csv", "/opt/ml/processing/output", str(REPOSITORY)],
        },
        ProcessingInputs=[given("code"), given("data")],
        ProcessingOutputConfig={"Outputs": [{"OutputName": "out", "S3Output": output}]},
        ProcessingResources={
            "ClusterConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": instances, "VolumeSizeInGB": 30}
        },
    )
    end = time.monotonic() + SPARK_SECONDS
    while aws.client.describe_processing_job(ProcessingJobName="job")["ProcessingJobStatus"] == "InProgress":
        assert time.monotonic() < end, "the job has not ended"
        time.sleep(0.1)
    return ended(aws, "Processing")


@pytest.fixture
def spark_aws(local_aws: LocalAws, served: Served) -> Iterator[LocalAws]:
    """A local SageMaker with a Spark interpreter."""
    if not SPARK_PYTHON.exists() or not shutil.which("java"):
        pytest.skip("there is no .venv-spark, or no Java")
    local_aws.service.close()
    context = replace(local_aws.context, spark_python=SPARK_PYTHON)
    service = SageMaker(context, stop_grace_seconds=1.0)
    served.stage.service = service
    service.start()
    yield LocalAws(client=served.client, service=service, context=context, aws=local_aws.aws, bus=local_aws.bus)
    service.close()


def test_a_program_runs_on_spark_whatever_the_number_of_instances(spark_aws: LocalAws) -> None:
    job = _process(spark_aws, COUNTING, instances=2)
    log = (spark_aws.context.home / "jobs" / "processing-job" / "job" / "log.txt").read_text()
    assert job["ProcessingJobStatus"] == "Completed", log
    assert spark_aws.get("s3://b/out/count.txt") == b"2"


def test_without_the_spark_environment_the_job_fails_with_a_sentence(local_aws: LocalAws) -> None:
    job = _process(local_aws, COUNTING)
    assert job["ProcessingJobStatus"] == "Failed"
    assert "there is no .venv-spark" in job["FailureReason"]


def test_without_java_the_job_fails_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert spark.main([str(tmp_path / "ml"), "main.py"]) == 1
    assert "Spark needs Java 17" in capsys.readouterr().err
    assert "Spark needs Java 17" in (tmp_path / "ml" / "output" / "message").read_text()
