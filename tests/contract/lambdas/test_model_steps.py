"""Gate, register and release against botocore's shapes: the Stubber refuses requests and answers that AWS would not."""

import hashlib
import json
from datetime import UTC, datetime

import boto3
import pytest
from botocore.stub import ANY, Stubber

from lambdas.gate import handler as gate
from lambdas.register import handler as register
from lambdas.release import handler as release
from lambdas.release.artifacts import IncompleteReleaseError
from tests.unit.lambdas.fakes import FakeContext

GROUP = "earshot-test"
ARN = f"arn:aws:sagemaker:us-east-1:000000000000:model-package/{GROUP}/1"
PREFIX = "s3://lake/models/20260301-100000/"
STACK_ID = "arn:aws:cloudformation:us-east-1:000000000000:stack/earshot-test-endpoint/1"
NOW = datetime(2026, 3, 1, tzinfo=UTC)
REPORT = {
    "run": "20260301-100000",
    "model_version": "20260301-100000",
    "rows": 2000,
    "accuracy": 0.8,
    "macro_f1": 0.71,
    "balanced_accuracy": 0.7,
    "negative_recall": 0.66,
    "calibration_error": 0.012,
    "features": {"fingerprint": "f-1"},
}
METRICS = {name: value for name, value in REPORT.items() if name != "features"} | {"fingerprint": "f-1"}


@pytest.fixture
def stub(aws, monkeypatch):
    """A stubbed client per service, in place of the function's own; S3 stays moto's."""
    stubbers = {}
    for service in ("sagemaker", "cloudformation", "ssm"):
        stubbers[service] = Stubber(boto3.client(service))
        stubbers[service].activate()

    def client(service, **_):
        return stubbers[service].client if service in stubbers else boto3.client(service)

    for module in (gate, register, release):
        monkeypatch.setattr(module, "client", client)
    for name, value in {
        "MODEL_PACKAGE_GROUP": GROUP,
        "MINIMUM_MACRO_F1": "0.5",
        "TRANSFORM_IMAGE": "registry/sklearn:1",
        "CLASSIFY_IMAGE": "registry/huggingface:1",
        "LABEL_IMAGE": "registry/sklearn:1",
        "APPROVAL": "automatic",
        "INSTANCE_TYPE": "ml.m5.large",
        "RELEASE_PARAMETER": "/earshot/test/release",
        "ENDPOINT_STACK": "earshot-test-endpoint",
    }.items():
        monkeypatch.setenv(name, value)
    yield stubbers
    for stubber in stubbers.values():
        stubber.assert_no_pending_responses()


def summaries(*descriptions):
    return {
        "ModelPackageSummaryList": [
            {
                "ModelPackageArn": ARN,
                "ModelPackageStatus": "Completed",
                "CreationTime": NOW,
                "ModelPackageDescription": description,
            }
            for description in descriptions
        ]
    }


def package(*, metadata=None, approval="Approved", prefix=PREFIX):
    return {
        "ModelPackageArn": ARN,
        "ModelPackageName": GROUP,
        "ModelPackageStatus": "Completed",
        "ModelPackageStatusDetails": {"ValidationStatuses": []},
        "CreationTime": NOW,
        "ModelApprovalStatus": approval,
        "CustomerMetadataProperties": metadata or {},
        "InferenceSpecification": {
            "Containers": [
                {"Image": "registry/image:1", "ModelDataUrl": f"{prefix}{name}.tar.gz"}
                for name in ("transform", "classify", "label")
            ]
        },
    }


def listing(**more):
    return {"ModelPackageGroupName": GROUP, "SortBy": "CreationTime", "SortOrder": "Descending"} | more


# Gate


@pytest.fixture
def report(bucket):
    def put(document):
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        bucket.put_object(Key="reports/r/evaluation/evaluation.json", Body=body)
        return {"evaluation_uri": "s3://lake/reports/r/evaluation/evaluation.json"}

    return put


def test_the_first_model_passes_with_the_minimum(stub, report):
    stub["sagemaker"].add_response("list_model_packages", summaries(), listing(ModelApprovalStatus="Approved"))
    answer = gate.handle(report(REPORT), FakeContext())
    assert answer == {
        "passed": True,
        "reasons": [],
        "notes": ["no-worse: there is no approved model to compare with."],
        "metrics": METRICS,
    }


def test_a_clearly_worse_model_is_refused_with_a_sentence(stub, report):
    stub["sagemaker"].add_response("list_model_packages", summaries("x"), listing(ModelApprovalStatus="Approved"))
    current = {name: str(value) for name, value in (METRICS | {"macro_f1": 0.8, "model_version": "old"}).items()}
    stub["sagemaker"].add_response("describe_model_package", package(metadata=current), {"ModelPackageName": ARN})
    answer = gate.handle(report(REPORT), FakeContext())
    assert not answer["passed"]
    assert answer["reasons"] == [
        "no-worse-macro-f1: macro-F1 is 0.710, clearly below the 0.800 of the approved model old on the same rows."
    ]


@pytest.mark.parametrize("body", [b"", b"\xff", b"{}", b"[" * 100_000])
def test_an_unreadable_evaluation_stops_the_pipeline(stub, report, body):
    with pytest.raises(ValueError, match=r"[Ee]valuation"):
        gate.handle(report(body), FakeContext())


def test_a_missing_evaluation_stops_the_pipeline(stub, bucket):
    with pytest.raises(LookupError, match="no object"):
        gate.handle({"evaluation_uri": "s3://lake/nothing.json"}, FakeContext())


# Register


TASK = {
    "run": "20260301-100000",
    "evaluation_uri": "s3://lake/reports/20260301-100000/evaluation/evaluation.json",
    "release_prefix": PREFIX,
    "metrics": METRICS,
}


@pytest.mark.parametrize(("approval", "status"), [("automatic", "Approved"), ("manual", "PendingManualApproval")])
def test_a_model_is_registered_with_containers_metrics_and_approval(stub, monkeypatch, approval, status):
    monkeypatch.setenv("APPROVAL", approval)
    stub["sagemaker"].add_response("list_model_packages", summaries("another run"), listing())
    environment = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}
    expected = {
        "ModelPackageGroupName": GROUP,
        "ModelPackageDescription": "Earshot sentiment model of run 20260301-100000",
        "ClientToken": ANY,
        "InferenceSpecification": {
            "Containers": [
                {
                    "ContainerHostname": name,
                    "Image": image,
                    "ModelDataUrl": f"{PREFIX}{name}.tar.gz",
                    "Environment": environment,
                }
                for name, image in (
                    ("transform", "registry/sklearn:1"),
                    ("classify", "registry/huggingface:1"),
                    ("label", "registry/sklearn:1"),
                )
            ],
            "SupportedContentTypes": ["application/jsonlines"],
            "SupportedResponseMIMETypes": ["application/jsonlines"],
            "SupportedRealtimeInferenceInstanceTypes": ["ml.m5.large"],
            "SupportedTransformInstanceTypes": ["ml.m5.large"],
        },
        "ModelMetrics": {
            "ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": TASK["evaluation_uri"]}}
        },
        "CustomerMetadataProperties": {name: str(value) for name, value in METRICS.items()},
        "ModelApprovalStatus": status,
    }
    stub["sagemaker"].add_response("create_model_package", {"ModelPackageArn": ARN}, expected)
    assert register.handle(TASK, FakeContext()) == {"model_package_arn": ARN}


def test_a_run_is_registered_once(stub):
    found = summaries("another run", "Earshot sentiment model of run 20260301-100000")
    stub["sagemaker"].add_response("list_model_packages", found, listing())
    assert register.handle(TASK, FakeContext()) == {"model_package_arn": ARN}


# Release


@pytest.fixture
def artifacts(bucket):
    """The three artifacts in S3 with their manifest."""
    digests = {}
    for name in ("transform", "classify", "label"):
        body = name.encode()
        digests[f"{name}.tar.gz"] = hashlib.sha256(body).hexdigest()
        bucket.put_object(Key=f"models/20260301-100000/{name}.tar.gz", Body=body)
    bucket.put_object(
        Key="models/20260301-100000/manifest.json",
        Body=json.dumps({"model_version": "v", "artifacts": digests}).encode(),
    )
    return bucket


def stack(status="UPDATE_COMPLETE"):
    parameters = [
        {"ParameterKey": "BootstrapVersion", "ParameterValue": "/cdk-bootstrap/x/version"},
        {"ParameterKey": "Release", "ParameterValue": "/earshot/test/release", "ResolvedValue": "starter"},
    ]
    described = {"StackName": "s", "StackId": STACK_ID, "CreationTime": NOW, "StackStatus": status}
    return {"Stacks": [described | {"Parameters": parameters}]}


NAMED = {"StackName": "earshot-test-endpoint"}
UPDATE = NAMED | {
    "UsePreviousTemplate": True,
    "Parameters": [
        {"ParameterKey": "BootstrapVersion", "UsePreviousValue": True},
        {"ParameterKey": "Release", "UsePreviousValue": True},
    ],
    "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
}
BEGIN = {"action": "begin", "model_package_arn": ARN}
BEGUN = {"model_package_arn": ARN, "release": PREFIX, "previous": "starter", "status": "RUNNING"}


def named(value):
    return {"Name": "/earshot/test/release", "Value": value, "Type": "String", "Overwrite": True}


def expect_begin(stub):
    stub["sagemaker"].add_response("describe_model_package", package(), {"ModelPackageName": ARN})
    stub["cloudformation"].add_response("describe_stacks", stack(), NAMED)
    stub["ssm"].add_response("get_parameter", {"Parameter": {"Value": "starter"}}, {"Name": "/earshot/test/release"})
    stub["ssm"].add_response("put_parameter", {"Version": 2}, named(PREFIX))
    stub["cloudformation"].add_response("describe_stacks", stack(), NAMED)


def test_begin_names_the_artifacts_and_updates_the_stack_as_it_is(stub, artifacts):
    expect_begin(stub)
    stub["cloudformation"].add_response("update_stack", {"StackId": STACK_ID}, UPDATE)
    assert release.handle(BEGIN, FakeContext()) == {"action": "begin", **BEGUN}


def test_a_stack_that_has_nothing_to_update_is_a_success(stub, artifacts):
    expect_begin(stub)
    stub["cloudformation"].add_client_error("update_stack", "ValidationError", "No updates are to be performed.")
    begun = release.handle(BEGIN, FakeContext())
    assert begun["status"] == "RELEASED"
    assert release.handle({**begun, "action": "check"}, FakeContext())["status"] == "RELEASED"


def test_an_update_that_is_refused_puts_the_parameter_back(stub, artifacts):
    expect_begin(stub)
    stub["cloudformation"].add_client_error("update_stack", "AccessDenied", "no")
    stub["ssm"].add_response("put_parameter", {"Version": 3}, named("starter"))
    with pytest.raises(Exception, match="AccessDenied"):
        release.handle(BEGIN, FakeContext())


@pytest.mark.parametrize(
    ("key", "body"),
    [
        ("label.tar.gz", b"something else"),
        ("label.tar.gz", None),
        ("manifest.json", None),
        ("manifest.json", b"{"),
        ("manifest.json", b'{"artifacts": {}}'),
        ("manifest.json", b"[]"),
    ],
)
def test_nothing_is_changed_for_a_release_that_is_not_whole(stub, artifacts, key, body):
    path = f"models/20260301-100000/{key}"
    artifacts.Object(path).delete() if body is None else artifacts.put_object(Key=path, Body=body)
    stub["sagemaker"].add_response("describe_model_package", package(), {"ModelPackageName": ARN})
    with pytest.raises(IncompleteReleaseError):
        release.handle(BEGIN, FakeContext())


def test_what_is_not_approved_or_not_ours_is_not_released(stub, artifacts):
    stub["sagemaker"].add_response("describe_model_package", package(approval="Rejected"))
    with pytest.raises(release.NotApprovedError):
        release.handle(BEGIN, FakeContext())
    foreign = package()
    foreign["InferenceSpecification"]["Containers"].reverse()
    stub["sagemaker"].add_response("describe_model_package", foreign)
    with pytest.raises(ValueError, match="of one release"):
        release.handle(BEGIN, FakeContext())


def test_check_says_how_the_update_stands_and_why_it_failed(stub):
    for status, expected in (("UPDATE_IN_PROGRESS", "RUNNING"), ("UPDATE_COMPLETE", "RELEASED")):
        stub["cloudformation"].add_response("describe_stacks", stack(status), NAMED)
        assert release.handle(BEGUN | {"action": "check"}, FakeContext())["status"] == expected

    def event(status, logical, *, reason="", physical="x"):
        return {
            "StackId": STACK_ID,
            "EventId": "1",
            "StackName": "s",
            "Timestamp": NOW,
            "LogicalResourceId": logical,
            "PhysicalResourceId": physical,
            "ResourceStatus": status,
            "ResourceStatusReason": reason,
        }

    newest_first = [
        event("UPDATE_ROLLBACK_COMPLETE", "stack", physical=STACK_ID),
        event("UPDATE_FAILED", "Alarm", reason="Resource update cancelled"),
        event("UPDATE_FAILED", "Endpoint", reason="The container did not answer its health check"),
        event("UPDATE_IN_PROGRESS", "stack", physical=STACK_ID),
        event("UPDATE_FAILED", "Endpoint", reason="an older failure"),
    ]
    stub["cloudformation"].add_response("describe_stacks", stack("UPDATE_ROLLBACK_COMPLETE"), NAMED)
    stub["cloudformation"].add_response("describe_stack_events", {"StackEvents": newest_first}, NAMED)
    checked = release.handle(BEGUN | {"action": "check"}, FakeContext())
    assert checked["status"] == "FAILED"
    assert checked["reason"] == (
        "The Endpoint stack is UPDATE_ROLLBACK_COMPLETE. Endpoint: The container did not answer its health check"
    )


def test_undo_puts_the_parameter_back(stub):
    stub["ssm"].add_response("get_parameter", {"Parameter": {"Value": PREFIX}})
    stub["ssm"].add_response("put_parameter", {"Version": 3}, named("starter"))
    assert release.handle(BEGUN | {"action": "undo"}, FakeContext())["restored"]


def test_other_actions_are_refused(stub):
    with pytest.raises(release.UnknownActionError):
        release.handle({"action": "dance"}, FakeContext())
