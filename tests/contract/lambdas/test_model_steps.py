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
KEY = "models/20260301-100000/tuned/"
PREFIX = f"s3://lake/{KEY}"
REPORTS = "reports/20260301-100000/"
NOW = datetime(2026, 3, 1, tzinfo=UTC)
RELEASE = release_of()
REPORT = {
    "run": "20260301-100000",
    "candidate": "tuned",
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

COMPARISON = {
    "run": "20260301-100000",
    "champion": "tuned",
    "fingerprint": "f-1",
    "candidates": [{"name": "tuned", "status": "scored", "metrics": {"calibration_error": 0.012}}],
    "against_current": None,
    "worst_mistakes": [{"text": "what a customer wrote"}],
}
WORSE = {"difference": -0.041, "low": -0.062, "high": -0.019, "p_value": 0.001}
FAIR = {"value": 0.04, "facet": "age_band", "facet_value": "65+", "rows": 120, "interval": [-0.01, 0.09]}
BIAS = {"largest": {"accuracy_difference": FAIR, "recall_difference": FAIR}}
CARD = {"model_overview": {"model_creator": "Earshot"}}


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
        "MAXIMUM_CALIBRATION_ERROR": "0.05",
        "MAXIMUM_ACCURACY_DIFFERENCE": "0.1",
        "MAXIMUM_RECALL_DIFFERENCE": "0.2",
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
        bucket.put_object(Key=f"{KEY}{name}", Body=body)
    return bucket


@pytest.fixture
def report(artifacts):
    """Puts the reports of a run into S3 and answers with the gate's input."""

    def put(evaluation=REPORT, *, comparison=COMPARISON, bias=BIAS):
        event = {"release_prefix": PREFIX}
        for name, key, document in (
            ("evaluation_uri", f"{REPORTS}evaluation/tuned/evaluation.json", evaluation),
            ("comparison_uri", f"{REPORTS}comparison/comparison.json", comparison),
            ("bias_uri", f"{REPORTS}bias/bias.json", bias),
        ):
            body = document if isinstance(document, bytes) else json.dumps(document).encode()
            artifacts.put_object(Key=key, Body=body)
            event[name] = f"s3://lake/{key}"
        return event

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


def test_where_the_answers_of_two_models_were_compared_the_registry_is_not_asked(stub, report):
    against = {"model_version": "old", "rows": 1900, "macro_f1": WORSE, "negative_recall": WORSE | {"high": 0.01}}
    answer = gate.handle(report(comparison=COMPARISON | {"against_current": against}), FakeContext())
    assert answer["reasons"] == [
        (
            "no-worse-macro-f1: macro-F1 is 0.041 (95 % interval 0.019 to 0.062, p = 0.001) below that of the approved "
            "model old on 1900 rows that both answered."
        )
    ]


def test_a_model_is_refused_by_calibration_and_bias_and_no_text_is_logged(stub, report, capsys):
    stub["sagemaker"].add_response("list_model_packages", summaries(), listing(ModelApprovalStatus="Approved"))
    unsure = COMPARISON | {"candidates": [COMPARISON["candidates"][0] | {"metrics": {"calibration_error": 0.08}}]}
    unfair = {"largest": BIAS["largest"] | {"recall_difference": FAIR | {"value": 0.4, "interval": [0.2, 0.6]}}}
    answer = gate.handle(report(comparison=unsure, bias=unfair), FakeContext())
    assert [reason.partition(":")[0] for reason in answer["reasons"]] == ["calibration", "bias"]
    printed = capsys.readouterr().out
    assert "recall of negative feedback of age_band 65+ (120 rows) is 0.400 below" in printed
    assert "what a customer wrote" not in printed


def test_reports_of_two_models_judge_none(stub, report):
    other = COMPARISON | {"champion": "bert", "candidates": [COMPARISON["candidates"][0] | {"name": "bert"}]}
    event = report(comparison=other)
    with pytest.raises(ValueError, match=r"^The comparison is about bert of run .*, and the evaluation about tuned of"):
        gate.handle(event, FakeContext())


@pytest.mark.parametrize("name", ["evaluation_uri", "comparison_uri", "bias_uri", "release_prefix"])
def test_a_gate_that_is_not_handed_everything_judges_nothing(stub, report, name):
    event = report()
    del event[name]
    with pytest.raises(ValueError, match=rf"^The input of this step has no {name}\.$"):
        gate.handle(event, FakeContext())


@pytest.mark.parametrize("name", ["comparison", "bias"])
@pytest.mark.parametrize("body", [b"", b"\xff", b"{}", b"[" * 100_000])
def test_an_unreadable_report_stops_the_pipeline(stub, report, name, body):
    if name == "bias":
        stub["sagemaker"].add_response("list_model_packages", summaries(), listing(ModelApprovalStatus="Approved"))
    with pytest.raises(ValueError, match=rf"^The {name}.*\.$"):
        gate.handle(report(**{name: body}), FakeContext())


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (None, "There is no object s3://lake/models/20260301-100000/tuned/label.tar.gz, or no right to read it."),
        (RELEASE["classify.tar.gz"], "label.tar.gz is refused (wrong-container): 'manifest.json' is of the 'classify'"),
        (release_of("another")["label.tar.gz"], "label.tar.gz is not the archive that was evaluated."),
        (HOSTILE["a pickle called .json"][1](), "label.tar.gz is refused (pickle): 'config.json' is a pickle, which"),
        (HOSTILE["a gzip bomb"][1](), "label.tar.gz is refused (bomb): The archive unpacks to more than 100 times"),
    ],
)
def test_a_model_whose_archives_are_not_safe_is_refused_by_that_rule(stub, report, artifacts, body, reason):
    event, label = report(REPORT), artifacts.Object(f"{KEY}label.tar.gz")
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


@pytest.mark.parametrize("name", ["evaluation_uri", "comparison_uri", "bias_uri"])
def test_a_missing_report_stops_the_pipeline(stub, report, name):
    if name == "bias_uri":
        stub["sagemaker"].add_response("list_model_packages", summaries(), listing(ModelApprovalStatus="Approved"))
    with pytest.raises(LookupError, match=r"no object s3://lake/nothing\.json"):
        gate.handle(report() | {name: "s3://lake/nothing.json"}, FakeContext())


# Register


TASK = {
    "run": "20260301-100000",
    "candidate": "tuned",
    "evaluation_uri": f"s3://lake/{REPORTS}evaluation/tuned/evaluation.json",
    "model_card_uri": f"s3://lake/{REPORTS}comparison/model_card.json",
    "release_prefix": PREFIX,
    "metrics": METRICS,
}


@pytest.fixture
def card(bucket):
    """The model card in S3, as the comparison writes it."""
    return bucket.put_object(Key=f"{REPORTS}comparison/model_card.json", Body=json.dumps(CARD, indent=2).encode())


@pytest.mark.parametrize(
    ("approval", "status", "review"),
    [("automatic", "Approved", "Draft"), ("manual", "PendingManualApproval", "PendingReview")],
)
def test_a_model_is_registered_with_containers_metrics_card_and_approval(
    stub, card, monkeypatch, approval, status, review
):
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
        "ModelCard": {
            "ModelCardContent": '{"model_overview":{"model_creator":"Earshot"}}',
            "ModelCardStatus": review,
        },
        "ModelApprovalStatus": status,
    }
    assert expected["CustomerMetadataProperties"].items() >= {"run": "20260301-100000", "candidate": "tuned"}.items()
    stub["sagemaker"].add_response("create_model_package", {"ModelPackageArn": ARN}, expected)
    assert register.handle(TASK, FakeContext()) == {"model_package_arn": ARN}


def test_a_run_is_registered_once(stub):
    found = summaries("another run", "Earshot sentiment model of run 20260301-100000")
    stub["sagemaker"].add_response("list_model_packages", found, listing())
    assert register.handle(TASK, FakeContext()) == {"model_package_arn": ARN}


@pytest.mark.parametrize("name", ["run", "candidate", "evaluation_uri", "model_card_uri", "release_prefix"])
def test_a_registration_that_is_not_handed_everything_registers_nothing(stub, name):
    with pytest.raises(ValueError, match=rf"^The input of this step has no {name}\.$"):
        register.handle({given: value for given, value in TASK.items() if given != name}, FakeContext())


def test_metrics_of_another_model_are_not_registered(stub, card):
    stub["sagemaker"].add_response("list_model_packages", summaries(), listing())
    with pytest.raises(ValueError, match="The metrics are of bert of run 20260301-100000, not of tuned of run"):
        register.handle(TASK | {"metrics": METRICS | {"candidate": "bert"}}, FakeContext())


def test_without_metrics_nothing_is_registered(stub, card):
    stub["sagemaker"].add_response("list_model_packages", summaries(), listing())
    with pytest.raises(ValueError, match="states no usable run"):
        register.handle(TASK | {"metrics": None}, FakeContext())


def test_a_model_whose_card_is_missing_is_not_registered(stub, bucket):
    stub["sagemaker"].add_response("list_model_packages", summaries(), listing())
    with pytest.raises(LookupError, match=r"no object s3://lake/reports/20260301-100000/comparison/model_card\.json"):
        register.handle(TASK, FakeContext())
