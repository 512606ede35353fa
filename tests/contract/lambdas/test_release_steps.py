"""The steps of a release against botocore's shapes: the Stubber refuses requests and answers that AWS would not."""

import hashlib
import json
from datetime import UTC, datetime

import boto3
import pytest
from botocore.stub import Stubber

from lambdas.artifacts import RefusedArtifactError
from lambdas.release import handler as release
from lambdas.release.inspecting import NotApprovedError, UnregisteredArtifactsError, WrongRequestError
from tests.unit.lambdas.fakes import FakeContext
from tests.unit.model_artifact.artifact_kit import release_of
from tests.unit.model_artifact.hostile import HOSTILE

ARN = "arn:aws:sagemaker:us-east-1:000000000000:model-package/earshot-test/1"
RUN = "20260301-100000"
PREFIX = f"s3://lake/models/{RUN}/"
STACK_ID = "arn:aws:cloudformation:us-east-1:000000000000:stack/earshot-test-endpoint/1"
NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def stub(aws, monkeypatch):
    """A stubbed client per service, in place of the function's own; S3 stays moto's."""
    stubbers = {}
    for service in ("sagemaker", "cloudformation", "cloudwatch", "ssm"):
        stubbers[service] = Stubber(boto3.client(service))
        stubbers[service].activate()

    def client(service, **_):
        return stubbers[service].client if service in stubbers else boto3.client(service)

    monkeypatch.setattr(release, "client", client)
    for name, value in {
        "RELEASE_PARAMETER": "/earshot/test/release",
        "BESIDE_PARAMETER": "/earshot/test/beside",
        "GUARDRAIL_PARAMETER": "/earshot/test/guardrail",
        "ENDPOINT_STACK": "earshot-test-endpoint",
        "ROLLBACK_ALARMS": "errors,latency",
    }.items():
        monkeypatch.setenv(name, value)
    yield stubbers
    for stubber in stubbers.values():
        stubber.assert_no_pending_responses()


def package(*, approval="Approved"):
    evaluation = {"ContentType": "application/json", "S3Uri": f"s3://lake/reports/{RUN}/evaluation/evaluation.json"}
    return {
        "ModelPackageArn": ARN,
        "ModelPackageName": "earshot-test",
        "ModelPackageStatus": "Completed",
        "ModelPackageStatusDetails": {"ValidationStatuses": []},
        "CreationTime": NOW,
        "ModelApprovalStatus": approval,
        "ModelMetrics": {"ModelQuality": {"Statistics": evaluation}},
        "InferenceSpecification": {
            "Containers": [
                {"Image": "registry/image:1", "ModelDataUrl": f"{PREFIX}{name}.tar.gz"}
                for name in ("transform", "classify", "label")
            ]
        },
    }


@pytest.fixture
def artifacts(bucket):
    """The three artifacts in S3 with their manifest, and the evaluation that was registered."""
    put_release(bucket, RUN)
    return bucket


def put_release(bucket, run, *, registered=None, **changed):
    """A release as the evaluation job leaves it. ``registered`` are other digests than the true ones."""
    files = release_of() | changed
    for name, body in files.items():
        bucket.put_object(Key=f"models/{run}/{name}", Body=body)
    digests = registered or json.loads(files["manifest.json"])["artifacts"]
    evaluation = json.dumps({"manifest": digests}).encode()
    bucket.put_object(Key=f"reports/{run}/evaluation/evaluation.json", Body=evaluation)


def stack(status="UPDATE_COMPLETE"):
    parameters = [
        {"ParameterKey": "BootstrapVersion", "ParameterValue": "/cdk-bootstrap/x/version"},
        {"ParameterKey": "Release", "ParameterValue": "/earshot/test/release", "ResolvedValue": "starter"},
        {"ParameterKey": "Beside", "ParameterValue": "/earshot/test/beside", "ResolvedValue": "none"},
        {"ParameterKey": "Guardrail", "ParameterValue": "/earshot/test/guardrail", "ResolvedValue": "on"},
        {"ParameterKey": "BesideWeight", "ParameterValue": "0"},
    ]
    described = {"StackName": "s", "StackId": STACK_ID, "CreationTime": NOW, "StackStatus": status}
    return {"Stacks": [described | {"Parameters": parameters}]}


NAMED = {"StackName": "earshot-test-endpoint"}
KEPT = [
    {"ParameterKey": key, "UsePreviousValue": True}
    for key in ("BootstrapVersion", "Release", "Beside", "Guardrail", "BesideWeight")
]
UPDATE = NAMED | {
    "UsePreviousTemplate": True,
    "Parameters": KEPT,
    "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
}
INSPECT = {"action": "inspect", "mode": "release", "model_package_arn": ARN}
INSPECTED = {
    "model_package_arn": ARN,
    "mode": "release",
    "slot": "release",
    "release": PREFIX,
    "is_guarded": True,
    "share": None,
}
BEGIN = INSPECTED | {"action": "begin"}
BEGUN = INSPECTED | {"previous": "starter", "status": "RUNNING"}


def named(parameter, value):
    return {"Name": f"/earshot/test/{parameter}", "Value": value, "Type": "String", "Overwrite": True}


def expect_read(stub, parameter, value):
    name = {"Name": f"/earshot/test/{parameter}"}
    stub["ssm"].add_response("get_parameter", {"Parameter": {"Value": value}}, name)


def expect_begin(stub):
    stub["cloudformation"].add_response("describe_stacks", stack(), NAMED)
    alarms = {"AlarmNames": ["errors", "latency"], "StateValue": "ALARM"}
    stub["cloudwatch"].add_response("describe_alarms", {"MetricAlarms": []}, alarms)
    expect_read(stub, "release", "starter")
    expect_read(stub, "guardrail", "on")
    stub["ssm"].add_response("put_parameter", {"Version": 2}, named("release", PREFIX))
    stub["cloudformation"].add_response("describe_stacks", stack(), NAMED)


def inspect(stub, described, served="starter", **request):
    stub["sagemaker"].add_response("describe_model_package", described, {"ModelPackageName": ARN})
    if served is not None:
        expect_read(stub, "release", served)
    return release.handle(INSPECT | request, FakeContext())


def test_inspect_finds_the_artifacts_of_an_approved_package(stub, artifacts):
    assert inspect(stub, package()) == {"action": "inspect", **INSPECTED}


@pytest.mark.parametrize(
    ("request_", "change"),
    [
        ({"mode": "rollback"}, {"slot": "release", "release": PREFIX, "is_guarded": False, "share": None}),
        (
            {"mode": "beside", "share": 0.1},
            {"slot": "beside", "release": PREFIX, "is_guarded": False, "share": 0.1},
        ),
    ],
)
def test_each_mode_has_its_slot_and_its_guardrail(stub, artifacts, request_, change):
    answer = inspect(stub, package(), **request_)
    assert {name: answer[name] for name in change} == change


@pytest.mark.parametrize(
    ("mode", "change"),
    [
        ("rollback", {"slot": "release", "release": "starter", "is_guarded": False, "share": None}),
        ("alone", {"slot": "beside", "release": "none", "is_guarded": False, "share": 0.0}),
    ],
)
def test_the_way_back_to_the_starter_and_to_one_model_needs_no_package(stub, mode, change):
    answer = release.handle({"action": "inspect", "mode": mode}, FakeContext())
    assert {name: answer[name] for name in change} == change


@pytest.mark.parametrize("share", [None, 1.0, -0.1])
def test_a_share_that_leaves_the_released_model_nothing_is_refused(stub, artifacts, share):
    with pytest.raises(WrongRequestError, match="below 1"):
        inspect(stub, package(), mode="beside", share=share)


def test_begin_names_the_artifacts_and_updates_the_stack_as_it_is(stub):
    expect_begin(stub)
    stub["cloudformation"].add_response("update_stack", {"StackId": STACK_ID}, UPDATE)
    assert release.handle(BEGIN, FakeContext()) == {"action": "begin", **BEGUN}


def test_a_model_beside_gets_its_weight_and_no_guardrail(stub):
    stub["cloudformation"].add_response("describe_stacks", stack(), NAMED)
    expect_read(stub, "beside", "none")
    expect_read(stub, "guardrail", "on")
    stub["ssm"].add_response("put_parameter", {"Version": 2}, named("guardrail", "off"))
    stub["ssm"].add_response("put_parameter", {"Version": 2}, named("beside", PREFIX))
    stub["cloudformation"].add_response("describe_stacks", stack(), NAMED)
    weighed = [*KEPT[:-1], {"ParameterKey": "BesideWeight", "ParameterValue": "0.25"}]
    stub["cloudformation"].add_response("update_stack", {"StackId": STACK_ID}, UPDATE | {"Parameters": weighed})
    beside = BEGIN | {"mode": "beside", "slot": "beside", "is_guarded": False, "share": 0.2}
    assert release.handle(beside, FakeContext())["previous"] == "none"


def test_a_stack_that_has_nothing_to_update_is_a_success(stub):
    expect_begin(stub)
    stub["cloudformation"].add_client_error("update_stack", "ValidationError", "No updates are to be performed.")
    expect_read(stub, "guardrail", "on")
    begun = release.handle(BEGIN, FakeContext())
    assert begun["status"] == "RELEASED"
    assert release.handle({**begun, "action": "check"}, FakeContext())["status"] == "RELEASED"


def test_an_update_that_is_refused_puts_the_parameter_back(stub):
    expect_begin(stub)
    stub["cloudformation"].add_client_error("update_stack", "AccessDenied", "no")
    stub["ssm"].add_response("put_parameter", {"Version": 3}, named("release", "starter"))
    expect_read(stub, "guardrail", "on")
    with pytest.raises(Exception, match="AccessDenied"):
        release.handle(BEGIN, FakeContext())


@pytest.mark.parametrize(
    ("key", "body"),
    [
        ("models/20260301-100000/label.tar.gz", b"something else"),
        ("models/20260301-100000/label.tar.gz", None),
        ("models/20260301-100000/manifest.json", None),
        ("models/20260301-100000/manifest.json", b"{"),
        ("models/20260301-100000/manifest.json", b'{"artifacts": {}}'),
        ("models/20260301-100000/manifest.json", b"[]"),
        ("reports/20260301-100000/evaluation/evaluation.json", None),
        ("reports/20260301-100000/evaluation/evaluation.json", b'{"manifest": {"label.tar.gz": "0"}}'),
    ],
)
def test_nothing_is_changed_for_a_release_that_is_not_whole_or_not_the_registered_one(stub, artifacts, key, body):
    artifacts.Object(key).delete() if body is None else artifacts.put_object(Key=key, Body=body)
    with pytest.raises((UnregisteredArtifactsError, RefusedArtifactError)):
        inspect(stub, package(), served=None)


@pytest.mark.parametrize(
    "kind", ["a parent path", "a symbolic link", "a member twice", "a gzip bomb", "half an archive"]
)
def test_a_hostile_archive_is_refused_with_its_code_though_its_digest_is_the_registered_one(stub, bucket, kind):
    code, build = HOSTILE[kind]
    body = build()
    manifest = json.loads(release_of()["manifest.json"])
    manifest["artifacts"]["classify.tar.gz"] = hashlib.sha256(body).hexdigest()
    changed = {"classify.tar.gz": body, "manifest.json": json.dumps(manifest).encode()}
    put_release(bucket, RUN, **changed)
    with pytest.raises(RefusedArtifactError, match=rf"classify.tar.gz is refused \({code}\): "):
        inspect(stub, package(), served=None)


def test_artifacts_that_were_exchanged_together_with_their_manifest_are_not_the_registered_ones(stub, bucket):
    put_release(bucket, RUN, registered={"label.tar.gz": "0"})
    with pytest.raises(UnregisteredArtifactsError, match="digests differ"):
        inspect(stub, package(), served=None)


def test_a_package_without_an_evaluation_has_no_digests_to_compare(stub, artifacts):
    described = package()
    del described["ModelMetrics"]
    with pytest.raises(UnregisteredArtifactsError, match="without digests"):
        inspect(stub, described, served=None)


def test_another_model_under_the_served_ones_version_is_refused(stub, artifacts):
    put_release(artifacts, "20260201-100000")
    with pytest.raises(UnregisteredArtifactsError, match=r"calls itself .*, as the served one does"):
        inspect(stub, package(), served="s3://lake/models/20260201-100000/")


def test_what_is_not_approved_or_not_ours_is_not_released(stub, artifacts):
    with pytest.raises(NotApprovedError):
        inspect(stub, package(approval="Rejected"), served=None)
    foreign = package()
    foreign["InferenceSpecification"]["Containers"].reverse()
    with pytest.raises(ValueError, match="of one release"):
        inspect(stub, foreign, served=None)


def test_check_says_how_the_update_stands_and_why_it_failed(stub):
    stub["cloudformation"].add_response("describe_stacks", stack("UPDATE_IN_PROGRESS"), NAMED)
    assert release.handle(BEGUN | {"action": "check"}, FakeContext())["status"] == "RUNNING"
    stub["cloudformation"].add_response("describe_stacks", stack("UPDATE_COMPLETE"), NAMED)
    expect_read(stub, "guardrail", "off")
    stub["ssm"].add_response("put_parameter", {"Version": 2}, named("guardrail", "on"))
    assert release.handle(BEGUN | {"action": "check"}, FakeContext())["status"] == "RELEASED"

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
    expect_read(stub, "guardrail", "on")
    stub["cloudformation"].add_response("describe_stack_events", {"StackEvents": newest_first}, NAMED)
    checked = release.handle(BEGUN | {"action": "check"}, FakeContext())
    assert checked["status"] == "FAILED"
    assert checked["reason"] == (
        "The Endpoint stack is UPDATE_ROLLBACK_COMPLETE. Endpoint: The container did not answer its health check"
    )


def test_undo_puts_the_parameter_back(stub):
    expect_read(stub, "release", PREFIX)
    stub["ssm"].add_response("put_parameter", {"Version": 3}, named("release", "starter"))
    assert release.handle(BEGUN | {"action": "undo"}, FakeContext())["restored"]


def test_a_model_that_was_judged_too_late_is_taken_back_at_once(stub):
    stub["cloudformation"].add_response("describe_stacks", stack(), NAMED)
    expect_read(stub, "release", PREFIX)
    expect_read(stub, "guardrail", "on")
    stub["ssm"].add_response("put_parameter", {"Version": 2}, named("guardrail", "off"))
    stub["ssm"].add_response("put_parameter", {"Version": 3}, named("release", "starter"))
    stub["cloudformation"].add_response("describe_stacks", stack(), NAMED)
    stub["cloudformation"].add_response("update_stack", {"StackId": STACK_ID}, UPDATE)
    assert release.handle(BEGUN | {"action": "take_back"}, FakeContext())["status"] == "RUNNING"


def test_a_bad_model_loses_its_approval_with_the_reason(stub):
    rejected = {"ModelPackageArn": ARN, "ModelApprovalStatus": "Rejected", "ApprovalDescription": "x" * 1024}
    stub["sagemaker"].add_response("update_model_package", {"ModelPackageArn": ARN}, rejected)
    release.handle({"action": "reject", "model_package_arn": ARN, "reason": "x" * 2000}, FakeContext())


def test_a_model_that_waits_for_approval_may_be_tried_beside_the_released_one(stub, artifacts):
    waiting = package(approval="PendingManualApproval")
    assert inspect(stub, waiting, mode="beside", share=0.0)["slot"] == "beside"
    with pytest.raises(NotApprovedError):
        inspect(stub, waiting, served=None)


def test_other_actions_are_refused(stub):
    with pytest.raises(release.UnknownActionError):
        release.handle({"action": "dance"}, FakeContext())
