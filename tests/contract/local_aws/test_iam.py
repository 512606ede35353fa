"""With IAM on, a role may do what its policies allow and nothing else; an administrator's key may do everything."""

import io
import json
import subprocess
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.aws.iam_record import Decision, read
from tests.contract.local_aws.conftest import ROOT, LocalAws, command, eventually, free_port

Json = dict[str, Any]

ACCOUNT = "000000000000"
PROBE = """
import boto3
from botocore.exceptions import ClientError

def handle(event, context):
    try:
        getattr(boto3.client(event["service"]), event["call"])(**event["arguments"])
    except ClientError as refusal:
        return refusal.response["Error"]["Code"]
    return "done"
"""
POLICY: list[Json] = [
    {"Action": "s3:PutObject", "Resource": "arn:aws:s3:::probed/mine/*"},
    {
        "Action": "s3:ListBucket",
        "Resource": "arn:aws:s3:::probed",
        "Condition": {"StringLike": {"s3:prefix": ["mine/*"]}},
    },
    {"Action": "sagemaker:InvokeEndpoint", "Resource": f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:endpoint/mine"},
    {"Action": "sagemaker:DescribeModel", "Resource": f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:model/mine"},
    {"Action": "glue:StartCrawler", "Resource": f"arn:aws:glue:us-east-1:{ACCOUNT}:crawler/mine"},
]
DENIED = ("AccessDenied", "AccessDeniedException")


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """A local AWS of this file's own, with IAM on."""
    data_dir, port = tmp_path_factory.mktemp("guarded") / "data", free_port()
    log = data_dir.parent / "log"
    with log.open("wb") as output:
        process = subprocess.Popen([*command(data_dir, port), "--iam"], cwd=ROOT, stdout=output, stderr=output)
    try:
        eventually(lambda: (data_dir / "local.json").exists() or process.poll() is not None, 30)
        assert process.poll() is None, log.read_text()
        yield LocalAws(process, port, data_dir, log)
    finally:
        process.terminate()
        process.wait(20)


def make_role(aws: LocalAws, name: str, service: str, statements: list[Json]) -> str:
    trust = {"Effect": "Allow", "Principal": {"Service": f"{service}.amazonaws.com"}, "Action": "sts:AssumeRole"}
    iam = aws.client("iam")
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))["Role"]["Arn"]
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement} for statement in statements]}
    made = iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(document))
    iam.attach_role_policy(RoleName=name, PolicyArn=made["Policy"]["Arn"])
    return str(arn)


@pytest.fixture(scope="module")
def probe(guarded: LocalAws) -> str:
    """A function that makes the call it is told, with a role of its own."""
    guarded.client("s3").create_bucket(Bucket="probed")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("probe.py", PROBE)
    guarded.client("lambda").create_function(
        FunctionName="probe",
        Runtime="python3.12",
        Handler="probe.handle",
        Role=make_role(guarded, "probing", "lambda", POLICY),
        Code={"ZipFile": archive.getvalue()},
        Timeout=30,
    )
    return "probe"


def answer_of(aws: LocalAws, probe: str, service: str, call: str, **arguments: Any) -> str:
    payload = json.dumps({"service": service, "call": call, "arguments": arguments})
    answer = json.load(aws.client("lambda").invoke(FunctionName=probe, Payload=payload)["Payload"])
    assert isinstance(answer, str), answer
    return answer


INVOKE = {"ContentType": "application/json", "Body": "{}"}
ALLOWED: list[tuple[str, str, Json]] = [
    ("s3", "put_object", {"Bucket": "probed", "Key": "mine/a", "Body": "a"}),
    ("s3", "list_objects_v2", {"Bucket": "probed", "Prefix": "mine/a"}),
    ("sagemaker-runtime", "invoke_endpoint", {"EndpointName": "mine", **INVOKE}),
    ("sagemaker", "describe_model", {"ModelName": "mine"}),
    ("glue", "start_crawler", {"Name": "mine"}),
    ("sts", "get_caller_identity", {}),
]
REFUSED: list[tuple[str, str, Json]] = [
    ("s3", "put_object", {"Bucket": "probed", "Key": "yours/a", "Body": "a"}),
    ("s3", "get_object", {"Bucket": "probed", "Key": "mine/a"}),
    ("s3", "list_objects_v2", {"Bucket": "probed", "Prefix": "yours/"}),
    ("s3", "list_objects_v2", {"Bucket": "probed"}),
    ("sagemaker-runtime", "invoke_endpoint", {"EndpointName": "yours", **INVOKE}),
    ("sagemaker", "describe_model", {"ModelName": "yours"}),
    ("sagemaker", "list_models", {}),
    ("glue", "start_crawler", {"Name": "yours"}),
    ("application-autoscaling", "describe_scalable_targets", {"ServiceNamespace": "sagemaker"}),
    ("dynamodb", "list_tables", {}),
    ("iam", "list_roles", {}),
]


@pytest.mark.parametrize(("service", "call", "arguments"), ALLOWED)
def test_a_function_may_do_what_its_role_may(
    guarded: LocalAws, probe: str, service: str, call: str, arguments: Json
) -> None:
    assert answer_of(guarded, probe, service, call, **arguments) not in DENIED


@pytest.mark.parametrize(("service", "call", "arguments"), REFUSED)
def test_a_function_may_do_nothing_else(
    guarded: LocalAws, probe: str, service: str, call: str, arguments: Json
) -> None:
    assert answer_of(guarded, probe, service, call, **arguments) in DENIED


def test_an_administrator_may_do_everything(guarded: LocalAws, probe: str) -> None:
    guarded.client("s3").put_object(Bucket="probed", Key="yours/b", Body=b"b")
    assert guarded.client("sagemaker").list_models()["Models"] == []


def test_every_decision_on_a_role_is_recorded(guarded: LocalAws, probe: str) -> None:
    answer_of(guarded, probe, "sagemaker", "describe_model", ModelName="mine")
    answer_of(guarded, probe, "sagemaker", "describe_model", ModelName="theirs")
    prefix = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:model"
    recorded = read(guarded.data_dir / "iam.jsonl")
    for name, allowed in (("mine", True), ("theirs", False)):
        wanted = Decision(
            role="probing", action="sagemaker:DescribeModel", resource=f"{prefix}/{name}", allowed=allowed
        )
        assert recorded.count(wanted) == 1


def outcome(aws: LocalAws, name: str, statements: list[Json], resource: str, parameters: Json) -> Json:
    """How an execution ended whose only task is this, in a state machine whose role has these statements."""
    states = aws.client("stepfunctions")
    definition = {
        "StartAt": "Task",
        "States": {"Task": {"Type": "Task", "Resource": resource, "Parameters": parameters, "End": True}},
    }
    role = make_role(aws, name, "states", statements)
    machine = states.create_state_machine(name=name, roleArn=role, definition=json.dumps(definition))
    execution = states.start_execution(stateMachineArn=machine["stateMachineArn"])["executionArn"]
    deadline = time.monotonic() + 20
    while (described := states.describe_execution(executionArn=execution))["status"] == "RUNNING":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return dict(described)


def test_a_task_needs_the_right_to_its_call(guarded: LocalAws, probe: str) -> None:
    invoking = ("arn:aws:states:::lambda:invoke", {"FunctionName": probe, "Payload": {}})
    refused = outcome(guarded, "may-nothing", [{"Action": "s3:GetObject", "Resource": "*"}], *invoking)
    assert (refused["status"], refused["error"]) == ("FAILED", "States.Permissions")
    function = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{probe}"
    allowed = outcome(guarded, "may-invoke", [{"Action": "lambda:InvokeFunction", "Resource": function}], *invoking)
    assert allowed.get("error") != "States.Permissions"


def test_a_job_needs_the_right_to_pass_its_role(guarded: LocalAws) -> None:
    passed = f"arn:aws:iam::{ACCOUNT}:role/training"
    job = ("arn:aws:states:::sagemaker:createTrainingJob", {"TrainingJobName": "guarded", "RoleArn": passed})
    creating = {
        "Action": "sagemaker:CreateTrainingJob",
        "Resource": f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:training-job/*",
    }
    passing = {
        "Action": "iam:PassRole",
        "Resource": passed,
        "Condition": {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
    }
    refused = outcome(guarded, "may-not-pass", [creating], *job)
    assert refused["error"] == "States.Permissions"
    assert "iam:PassRole" in refused["cause"]
    assert outcome(guarded, "may-pass", [creating, passing], *job)["error"] != "States.Permissions"


def test_refusals_are_printed(guarded: LocalAws, probe: str) -> None:
    answer_of(guarded, probe, "dynamodb", "list_tables")
    assert "access denied: probing may not dynamodb:ListTables" in Path(guarded.log).read_text()
