"""Gate and register against botocore's shapes: the Stubber refuses requests and answers that AWS would not."""

import json
from datetime import UTC, datetime

import boto3
import pytest
from botocore.stub import ANY, Stubber

from lambdas.gate import handler as gate
from lambdas.register import handler as register
from tests.unit.lambdas.fakes import FakeContext
from tests.unit.model_artifact.artifact_kit import release_of
from tests.unit.model_artifact.hostile import HOSTILE

GROUP = "earshot-test"
ARN = f"arn:aws:sagemaker:us-east-1:000000000000:model-package/{GROUP}/1"
PREFIX = "s3://lake/models/20260301-100000/"
NOW = datetime(2026, 3, 1, tzinfo=UTC)
RELEASE = release_of()
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
    "manifest": json.loads(RELEASE["manifest.json"])["artifacts"],
}
METRICS = {name: REPORT[name] for name in REPORT if name not in ("features", "manifest")} | {"fingerprint": "f-1"}


@pytest.fixture
def stub(aws, monkeypatch):
    """A stubbed client per service, in place of the function's own; S3 stays moto's."""
    stubbers = {}
    stubbers["sagemaker"] = Stubber(boto3.client("sagemaker"))
    stubbers["sagemaker"].activate()

    def client(service, **_):
        return stubbers[service].client if service in stubbers else boto3.client(service)

    for module in (gate, register):
        monkeypatch.setattr(module, "client", client)
    for name, value in {
        "MODEL_PACKAGE_GROUP": GROUP,
        "MINIMUM_MACRO_F1": "0.5",
        "TRANSFORM_IMAGE": "registry/sklearn:1",
        "CLASSIFY_IMAGE": "registry/huggingface:1",
        "LABEL_IMAGE": "registry/sklearn:1",
        "APPROVAL": "automatic",
        "INSTANCE_TYPE": "ml.m5.large",
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
def artifacts(bucket):
    """The three archives in S3 with their manifest."""
    for name, body in RELEASE.items():
        bucket.put_object(Key=f"models/20260301-100000/{name}", Body=body)
    return bucket


@pytest.fixture
def report(artifacts):
    def put(document):
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        artifacts.put_object(Key="reports/r/evaluation/evaluation.json", Body=body)
        return {"evaluation_uri": "s3://lake/reports/r/evaluation/evaluation.json", "release_prefix": PREFIX}

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


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (None, "There is no object s3://lake/models/20260301-100000/label.tar.gz, or no right to read it."),
        (RELEASE["classify.tar.gz"], "label.tar.gz is refused (wrong-container): 'manifest.json' is of the 'classify'"),
        (release_of("another")["label.tar.gz"], "label.tar.gz is not the archive that was evaluated."),
        (HOSTILE["a pickle called .json"][1](), "label.tar.gz is refused (pickle): 'config.json' is a pickle, which"),
        (HOSTILE["a gzip bomb"][1](), "label.tar.gz is refused (bomb): The archive unpacks to more than 100 times"),
    ],
)
def test_a_model_whose_archives_are_not_safe_is_refused_by_that_rule(stub, report, artifacts, body, reason):
    event, label = report(REPORT), artifacts.Object("models/20260301-100000/label.tar.gz")
    label.delete() if body is None else label.put(Body=body)
    stub["sagemaker"].add_response("list_model_packages", summaries(), listing(ModelApprovalStatus="Approved"))
    answer = gate.handle(event, FakeContext())
    assert not answer["passed"]
    (sentence,) = answer["reasons"]
    assert sentence.startswith(f"artifact-safety: {reason}")


@pytest.mark.parametrize("listed", [None, {}, {"transform.tar.gz": 1}])
def test_an_evaluation_that_lists_no_archives_is_refused(stub, report, listed):
    stub["sagemaker"].add_response("list_model_packages", summaries(), listing(ModelApprovalStatus="Approved"))
    answer = gate.handle(report(REPORT | {"manifest": listed}), FakeContext())
    assert answer["reasons"][0].startswith("artifact-safety: ")


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
