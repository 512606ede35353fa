"""Channels as they are deployed: what was dropped is heard of by one queue each, and options ask for what they need."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from policy import Template, examine
from stacks.launch import ROOT
from stacks.settings import DEV, PROD, SettingsError
from tests.gate import lint
from tests.infra.resources import of_type
from tests.synthesis import STAGES, Assembly, function_of, stand_in_assets

DOMAIN = "feedback.example.com"


@pytest.fixture(scope="module")
def folder(app: Assembly, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The templates of prod with mail and translation on."""
    from aws_cdk import App, Environment

    from stacks.stage import EarshotStage

    made_in = tmp_path_factory.mktemp("channels")
    context = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    made = App(outdir=str(made_in / "cdk.out"), context=context)
    EarshotStage(
        made,
        settings=replace(PROD, intake=replace(PROD.intake, email_domain=DOMAIN, translate=True)),
        assets=stand_in_assets(made_in / "build"),
        env=Environment(account="000000000000", region="eu-west-1"),
    )
    made.synth()
    return made_in / "cdk.out" / "assembly-prod"


@pytest.fixture(scope="module")
def path(folder: Path) -> Path:
    (found,) = folder.glob("prodIntake*.template.json")
    return found


@pytest.fixture(scope="module")
def resources(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text())["Resources"]
    return found


@pytest.mark.parametrize("stage", STAGES)
def test_what_was_dropped_has_the_key_of_the_originals(app: Assembly, stage: str) -> None:
    resources = app.template(stage, "Intake")["Resources"]
    encryption = of_type(resources, "AWS::S3::Bucket", "Drop")["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    key = of_type(resources, "AWS::DynamoDB::Table", "Originals")["SSESpecification"]["KMSMasterKeyId"]
    assert encryption[0]["ServerSideEncryptionByDefault"]["KMSMasterKeyID"] == key


@pytest.mark.parametrize("stage", STAGES)
def test_no_function_reads_originals(app: Assembly, stage: str) -> None:
    writing = 0
    for policy in app.resources(stage, "AWS::IAM::ManagedPolicy").values():
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            if "OriginalsTable" in str(statement["Resource"]):
                assert statement["Action"] in ("dynamodb:PutItem", ["dynamodb:PutItem"])
                writing += 1
    assert writing >= 5


@pytest.mark.parametrize("stage", STAGES)
def test_each_dropped_channel_hears_of_its_own_prefix_only(app: Assembly, stage: str) -> None:
    bucket = of_type(app.template(stage, "Intake")["Resources"], "AWS::S3::Bucket", "Drop")
    configured = bucket["NotificationConfiguration"]["QueueConfigurations"]
    prefixes = [each["Filter"]["S3Key"]["Rules"][0]["Value"] for each in configured]
    assert sorted(prefixes) == ["calls/", "email/", "files/"]
    assert len({str(each["Queue"]) for each in configured}) == 3


@pytest.mark.parametrize("stage", STAGES)
def test_what_was_dropped_goes_after_its_days(app: Assembly, stage: str) -> None:
    bucket = of_type(app.template(stage, "Intake")["Resources"], "AWS::S3::Bucket", "Drop")
    (rule,) = bucket["LifecycleConfiguration"]["Rules"]
    assert rule["ExpirationInDays"] == 30
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 1}
    assert "Prefix" not in rule


@pytest.mark.parametrize("stage", STAGES)
def test_only_what_queues_its_own_work_anew_may_call_itself(app: Assembly, stage: str) -> None:
    functions = app.resources(stage, "AWS::Lambda::Function").values()
    looping = {function_of(each) for each in functions if each["Properties"].get("RecursiveLoop") == "Allow"}
    assert looping == {"router", "channels.files"}


def test_a_channel_that_asks_the_internet_is_refused_in_a_private_network() -> None:
    with pytest.raises(SettingsError, match="puller"):
        replace(PROD, intake=replace(PROD.intake, channels=DEV.intake.channels))
    with pytest.raises(SettingsError, match="no channel reads it"):
        replace(DEV, intake=replace(DEV.intake, email_domain=DOMAIN, channels=("webhooks",)))


@pytest.mark.parametrize("stage", STAGES)
def test_without_the_options_nothing_is_received_or_translated(app: Assembly, stage: str) -> None:
    assert app.resources(stage, "AWS::SES::ReceiptRule") == {}
    assert "translate:TranslateText" not in json.dumps(app.template(stage, "Intake"))


def test_our_rules_and_cloudformations_schemas_find_nothing_in_the_options(path: Path) -> None:
    assert [str(finding) for finding in examine(Template.load(path), strict=True).findings] == []
    assert [str(found) for found in lint.findings([path]) if found.id.startswith(("E", "W"))] == []


def test_mail_is_received_for_the_domain_encrypted_on_its_way(resources: Mapping[str, Any]) -> None:
    rule = of_type(resources, "AWS::SES::ReceiptRule")["Rule"]
    assert (rule["Recipients"], rule["TlsPolicy"], rule["ScanEnabled"]) == ([DOMAIN], "Require", True)
    (action,) = rule["Actions"]
    assert action["S3Action"]["ObjectKeyPrefix"] == "email/"


def test_only_our_own_rules_put_mail_into_the_bucket(resources: Mapping[str, Any]) -> None:
    mail = {"Service": "ses.amazonaws.com"}
    statements = [
        *of_type(resources, "AWS::S3::BucketPolicy", "Drop")["PolicyDocument"]["Statement"],
        *of_type(resources, "AWS::KMS::Key", "OriginalsKey")["KeyPolicy"]["Statement"],
    ]
    found = [statement for statement in statements if statement["Principal"] == mail]
    assert len(found) == 2
    for statement in found:
        assert set(statement["Condition"]) == {"ArnLike", "StringEquals"}


def test_translation_has_a_way_out_of_the_private_network(folder: Path, resources: Mapping[str, Any]) -> None:
    (data_lake,) = folder.glob("prodDataLake*.template.json")
    assert ".translate" in json.dumps(json.loads(data_lake.read_text()))
    router = of_type(resources, "AWS::IAM::ManagedPolicy", "RouterAccess")["PolicyDocument"]["Statement"]
    assert "translate:TranslateText" in json.dumps(router)
