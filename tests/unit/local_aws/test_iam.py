"""What calls and tasks need, by the service authorization reference, and the record of decisions."""

from pathlib import Path
from typing import Any

import pytest

from local.aws.iam_record import Decision, Record, read
from local.aws.iam_requests import Need, crawler_resource, of_task, sagemaker_resource, transcription_resource

REGION, ACCOUNT = "us-east-1", "000000000000"
SAGEMAKER = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}"
PASSED = f"arn:aws:iam::{ACCOUNT}:role/training"
VERSION = f"{SAGEMAKER}:model-package/group/1"


@pytest.mark.parametrize(
    ("operation", "body", "resource"),
    [
        ("DescribeEndpoint", {"EndpointName": "e"}, f"{SAGEMAKER}:endpoint/e"),
        ("UpdateEndpoint", {"EndpointName": "e", "EndpointConfigName": "c"}, f"{SAGEMAKER}:endpoint/e"),
        ("CreateEndpoint", {"EndpointConfigName": "c", "EndpointName": "e"}, f"{SAGEMAKER}:endpoint/e"),
        ("CreateEndpointConfig", {"EndpointConfigName": "c"}, f"{SAGEMAKER}:endpoint-config/c"),
        ("UpdateEndpointWeightsAndCapacities", {"EndpointName": "e"}, f"{SAGEMAKER}:endpoint/e"),
        ("CreateTrainingJob", {"TrainingJobName": "t"}, f"{SAGEMAKER}:training-job/t"),
        ("CreateTransformJob", {"TransformJobName": "t", "ModelName": "m"}, f"{SAGEMAKER}:transform-job/t"),
        ("DescribeModelPackage", {"ModelPackageName": VERSION}, VERSION),
        ("UpdateModelPackage", {"ModelPackageArn": VERSION}, VERSION),
        ("CreateModelPackage", {"ModelPackageGroupName": "group"}, f"{SAGEMAKER}:model-package/group/*"),
        ("ListModelPackages", {"ModelPackageGroupName": "group"}, f"{SAGEMAKER}:model-package-group/group"),
        ("ListTags", {"ResourceArn": VERSION}, VERSION),
        ("ListEndpoints", {}, "*"),
    ],
)
def test_a_sagemaker_call_is_about_its_resource(operation: str, body: dict[str, Any], resource: str) -> None:
    assert sagemaker_resource(operation, "/", body, REGION, ACCOUNT) == resource


@pytest.mark.parametrize("path", ["/endpoints/e/invocations", "/endpoints/e/async-invocations"])
def test_an_invocation_is_about_its_endpoint(path: str) -> None:
    assert sagemaker_resource("InvokeEndpoint", path, {}, REGION, ACCOUNT) == f"{SAGEMAKER}:endpoint/e"


def test_a_crawler_is_told_from_a_table() -> None:
    crawler = f"arn:aws:glue:{REGION}:{ACCOUNT}:crawler/c"
    assert crawler_resource("StartCrawler", {"Name": "c"}, REGION, ACCOUNT) == crawler
    assert crawler_resource("GetTable", {"Name": "c"}, REGION, ACCOUNT) is None


def test_a_transcription_is_asked_for_its_job():
    job = f"arn:aws:transcribe:{REGION}:{ACCOUNT}:transcription-job/call-1"
    assert transcription_resource("StartTranscriptionJob", {"TranscriptionJobName": "call-1"}, REGION, ACCOUNT) == job
    assert transcription_resource("ListTranscriptionJobs", {}, REGION, ACCOUNT) is None


def test_a_job_that_is_waited_for_needs_all_that_step_functions_does_for_it() -> None:
    data = {"TrainingJobName": "t", "RoleArn": PASSED}
    needs = list(of_task("arn:aws:states:::sagemaker:createTrainingJob.sync", data, REGION, ACCOUNT))
    assert [need.action for need in needs] == [
        "sagemaker:CreateTrainingJob",
        "iam:PassRole",
        "sagemaker:DescribeTrainingJob",
        "sagemaker:AddTags",
        "events:DescribeRule",
        "events:PutRule",
        "events:PutTargets",
    ]
    assert needs[1] == Need(
        action="iam:PassRole", resource=PASSED, context={"iam:passedtoservice": "sagemaker.amazonaws.com"}
    )


def test_a_task_on_a_function_or_a_crawler_needs_its_one_action() -> None:
    function = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:gate"
    invoking = [Need(action="lambda:InvokeFunction", resource=function)]
    assert list(of_task(function, {}, REGION, ACCOUNT)) == invoking
    for name in ("gate", function):
        assert list(of_task("arn:aws:states:::lambda:invoke", {"FunctionName": name}, REGION, ACCOUNT)) == invoking
    assert list(of_task("arn:aws:states:::aws-sdk:glue:startCrawler", {"Name": "c"}, REGION, ACCOUNT)) == [
        Need(action="glue:StartCrawler", resource=f"arn:aws:glue:{REGION}:{ACCOUNT}:crawler/c")
    ]


def test_a_task_that_looks_for_objects_needs_the_right_to_list_their_bucket() -> None:
    data = {"Bucket": "lake", "Prefix": "curated/", "MaxKeys": 1}
    assert list(of_task("arn:aws:states:::aws-sdk:s3:listObjectsV2", data, REGION, ACCOUNT)) == [
        Need(action="s3:ListBucket", resource="arn:aws:s3:::lake", context={"s3:prefix": "curated/"})
    ]


def test_a_decision_is_recorded_once_and_outlives_the_process(tmp_path: Path) -> None:
    path = tmp_path / "iam.jsonl"
    decision = Decision(role="r", action="s3:GetObject", resource="arn:aws:s3:::b/k", allowed=True)
    for _ in range(2):
        record = Record(path)
        record.note(decision)
        record.note(decision)
    assert read(path) == [decision]


def test_a_few_resources_stand_for_many_and_every_refusal_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = Record(tmp_path / "iam.jsonl")
    for number in range(100):
        record.note(Decision(role="r", action="s3:GetObject", resource=f"arn:aws:s3:::b/{number}", allowed=True))
    record.note(Decision(role="r", action="s3:GetObject", resource="arn:aws:s3:::c/k", allowed=False))
    assert 1 < len(read(tmp_path / "iam.jsonl")) < 50
    assert "r may not s3:GetObject on arn:aws:s3:::c/k" in capsys.readouterr().out


def test_a_line_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "iam.jsonl"
    Record(path).note(Decision(role="r", action="a:B", resource="*", allowed=True))
    with path.open("a") as file:
        file.write('{"role": "r", "act')
    assert len(read(path)) == 1
