"""Starting, refusing to start, stopping, and what is left after a kill."""

import io
import json
import os
import signal
import socket
import subprocess
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from .conftest import PYTHON, ROOT, LocalAws, alive, command, eventually, free_port, running, start


def refused(arguments: list[str]) -> str:
    """The one line that a start which is refused prints; it ends with code 2."""
    ended = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2, ended.stderr
    lines = ended.stderr.strip().splitlines()
    assert len(lines) == 1, ended.stderr
    return lines[0]


def function_zip(code: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("index.py", code)
    return packed.getvalue()


def make_function(aws: LocalAws, name: str, code: str, timeout: int = 20) -> None:
    aws.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role="arn:aws:iam::000000000000:role/function",
        Handler="index.handle",
        Code={"ZipFile": function_zip(code)},
        Timeout=timeout,
    )


def invoke(aws: LocalAws, name: str, payload: Any = None) -> Any:
    answer = aws.client("lambda").invoke(FunctionName=name, Payload=json.dumps(payload or {}))
    return json.loads(answer["Payload"].read())


def test_it_says_what_it_is_and_what_is_inert(aws: LocalAws) -> None:
    status = aws.status()
    assert status["ministack"] == "1.5.33"
    assert status["pid"] == aws.process.pid
    assert status["port"] == aws.port
    assert status["data_dir"] == str(aws.data_dir)
    assert status["processes"][0]["what"] == "local AWS"
    assert status["rss_bytes"] >= sum(each["rss_bytes"] for each in status["processes"][:1])
    assert any("no request is ever blocked" in line for line in status["inert"])
    assert "inert here: AWS::WAFv2::WebACL" in aws.log.read_text()


def test_it_listens_on_the_loopback_address_only(aws: LocalAws) -> None:
    listening = subprocess.run(["ss", "-ltn"], capture_output=True, text=True, check=False)
    if listening.returncode != 0:
        pytest.skip("ss is not installed")
    addresses = [line.split()[3] for line in listening.stdout.splitlines() if f":{aws.port} " in line]
    assert addresses == [f"127.0.0.1:{aws.port}"]


def test_a_second_start_on_the_same_data_is_refused_and_names_the_first(aws: LocalAws) -> None:
    line = refused(command(aws.data_dir, free_port()))
    assert f"process {aws.process.pid}" in line
    assert "--data-dir" in line


def test_a_port_in_use_is_refused(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        line = refused(command(tmp_path / "data", port))
    assert str(port) in line
    assert "--port" in line


def test_another_ministack_is_refused(tmp_path: Path) -> None:
    script = (
        "import sys, local.preflight as p; p.version = lambda name: '9.9.9'; sys.argv = ['local', '--data-dir', "
        f"{str(tmp_path / 'data')!r}]; from local.__main__ import main; sys.exit(main())"
    )
    line = refused([str(PYTHON), "-c", script])
    assert "9.9.9" in line
    assert "pip install ministack==1.5.33" in line


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("del ministack.services.glue._start_crawler", "_start_crawler is gone"),
        ("ministack.services.eventbridge._put_events = lambda data: None", "_put_events takes"),
        ("ministack.core.lambda_runtime._PYTHON_WORKER_SCRIPT = ''", "script has no line"),
    ],
)
def test_a_seam_that_moved_is_refused(change: str, told: str) -> None:
    script = (
        "import sys, ministack.app, ministack.services.glue, ministack.services.eventbridge\n"
        f"import ministack.core.lambda_runtime\n{change}\n"
        "from local.aws import seams\nfrom local.preflight import Refusal\n"
        "try:\n    seams.verify()\nexcept Refusal as refusal:\n    print(refusal, file=sys.stderr)\n    sys.exit(2)"
    )
    assert told in refused([str(PYTHON), "-c", script])


def test_state_survives_a_stop_and_a_start(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    with running(data_dir) as first:
        first.client("s3").create_bucket(Bucket="kept")
        first.client("s3").put_object(Bucket="kept", Key="a/b", Body=b"content")
        first.client("dynamodb").create_table(
            TableName="kept",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        )
        first.client("dynamodb").put_item(TableName="kept", Item={"id": {"S": "1"}})
        first.client("sagemaker").create_model_package_group(ModelPackageGroupName="kept")
        key = {
            "ServiceNamespace": "sagemaker",
            "ResourceId": "endpoint/kept/variant/v",
            "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
        }
        first.client("application-autoscaling").register_scalable_target(**key, MinCapacity=1, MaxCapacity=2)
        assert first.stop() == 0
        assert "stopped, state saved" in first.log.read_text()
        assert not (data_dir / "local.json").exists()
    with running(data_dir) as second:
        assert second.client("s3").get_object(Bucket="kept", Key="a/b")["Body"].read() == b"content"
        assert second.client("dynamodb").get_item(TableName="kept", Key={"id": {"S": "1"}})["Item"]
        groups = second.client("sagemaker").list_model_package_groups()["ModelPackageGroupSummaryList"]
        assert [each["ModelPackageGroupName"] for each in groups] == ["kept"]
        targets = second.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="sagemaker")
        assert targets["ScalableTargets"][0]["MaxCapacity"] == 2


def test_a_kill_leaves_no_child_and_loses_only_the_last_seconds(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    with running(data_dir) as killed:
        killed.client("sqs").create_queue(QueueName="kept")
        make_function(killed, "idle", "def handle(event, context):\n    return 1\n")
        make_function(killed, "busy", "import time\ndef handle(event, context):\n    time.sleep(60)\n", timeout=60)
        invoke(killed, "idle")
        killed.client("lambda").invoke(FunctionName="busy", InvocationType="Event", Payload="{}")
        children = eventually(lambda: _lambda_pids(killed, 2))
        eventually(lambda: (data_dir / "state" / "sqs.json").exists(), 15)
        os.kill(killed.process.pid, signal.SIGKILL)
        killed.process.wait()
        eventually(lambda: not any(alive(pid) for pid in children))
    with running(data_dir) as again:
        assert again.client("sqs").get_queue_url(QueueName="kept")["QueueUrl"]


def _lambda_pids(aws: LocalAws, number: int) -> list[int]:
    pids = [each["pid"] for each in aws.status()["processes"] if each["what"].startswith("lambda ")]
    return pids if len(pids) == number else []


def test_a_stop_ends_the_children(tmp_path: Path) -> None:
    stopped = start(tmp_path / "data")
    make_function(stopped, "idle", "def handle(event, context):\n    return 1\n")
    invoke(stopped, "idle")
    children = _lambda_pids(stopped, 1)
    assert stopped.stop() == 0
    assert children
    assert not any(alive(pid) for pid in children)
    assert not list((tmp_path / "data" / "tmp").iterdir())


def test_a_stop_does_not_wait_for_what_is_still_under_way(tmp_path: Path) -> None:
    with running(tmp_path / "data") as stopped:
        make_function(stopped, "busy", "import time\ndef handle(event, context):\n    time.sleep(60)\n", timeout=60)
        stopped.client("lambda").invoke(FunctionName="busy", InvocationType="Event", Payload="{}")
        arn = stopped.client("lambda").get_function(FunctionName="busy")["Configuration"]["FunctionArn"]
        thing = {"Type": "Custom::Thing", "Properties": {"ServiceToken": arn}}
        stopped.client("cloudformation").create_stack(
            StackName="waiting", TemplateBody=json.dumps({"Resources": {"Thing": thing}})
        )
        wait = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 60, "End": True}}}
        machine = stopped.client("stepfunctions").create_state_machine(
            name="waiting", definition=json.dumps(wait), roleArn="arn:aws:iam::000000000000:role/machine"
        )
        stopped.client("stepfunctions").start_execution(stateMachineArn=machine["stateMachineArn"])
        eventually(lambda: _lambda_pids(stopped, 2))
        started = time.monotonic()
        assert stopped.stop() == 0
        assert time.monotonic() - started < 8
        assert "stopped, state saved" in stopped.log.read_text()


def test_a_function_sees_nothing_of_the_person_who_started_it(aws: LocalAws) -> None:
    code = "import os\ndef handle(event, context):\n    return sorted(os.environ)\n"
    make_function(aws, "environment", code)
    seen = invoke(aws, "environment")
    assert "AWS_ENDPOINT_URL" in seen
    assert "PYTHONPATH" not in seen
    assert "AWS_PROFILE" not in seen


COPY = """import boto3
def handle(event, context):
    for record in event["Records"]:
        boto3.client("sqs").send_message(QueueUrl="{queue}", MessageBody=record["dynamodb"]["Keys"]["id"]["S"])
"""


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_a_consumer_of_a_stream_misses_nothing_after_a_restart(tmp_path: Path, ending: signal.Signals) -> None:
    data_dir = tmp_path / "data"
    with running(data_dir) as first:
        queue = first.client("sqs").create_queue(QueueName="told")["QueueUrl"]
        table = first.client("dynamodb").create_table(
            TableName="ledger",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
        )["TableDescription"]
        make_function(first, "copy", COPY.format(queue=queue))
        first.client("lambda").create_event_source_mapping(
            FunctionName="copy", EventSourceArn=table["LatestStreamArn"], StartingPosition="LATEST"
        )
        for number in range(5):
            put(first, f"before-{number}")
        eventually(lambda: told(first, queue) == 5, 20)
        eventually(lambda: (data_dir / "state" / "lambda.json").exists(), 15)
        time.sleep(5)  # quiet long enough to be saved
        first.process.send_signal(ending)
        first.process.wait(20)
    with running(data_dir, first.port) as again:
        put(again, "after")
        eventually(lambda: told(again, queue) == 6, 20)


def put(aws: LocalAws, identifier: str) -> None:
    aws.client("dynamodb").put_item(TableName="ledger", Item={"id": {"S": identifier}})


def told(aws: LocalAws, queue: str) -> int:
    answer = aws.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["ApproximateNumberOfMessages"])
    return int(answer["Attributes"]["ApproximateNumberOfMessages"])
