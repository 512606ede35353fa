"""The lake as it is deployed: private, encrypted, versioned, with tables that fit what is written."""

import json
from typing import Any

import pytest

from feedback.event import FeedbackEvent
from feedback.ledger import Entry, State
from lambdas.archive.rows import PREFIX, row
from stacks.constructs.catalog import FEEDBACK_COLUMNS
from stacks.constructs.lake import FEEDBACK
from tests.infra.intrinsics import example
from tests.synthesis import STAGES, Assembly


@pytest.mark.parametrize("stage", STAGES)
def test_buckets_are_private_versioned_and_encrypted(app: Assembly, stage: str) -> None:
    for logical_id, bucket in app.resources(stage, "AWS::S3::Bucket").items():
        properties = bucket["Properties"]
        assert all(properties["PublicAccessBlockConfiguration"].values()), logical_id
        assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
        rule = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"][0]["ServerSideEncryptionByDefault"]
        # S3 itself delivers access logs, and only into buckets with its own encryption.
        assert rule["SSEAlgorithm"] == ("AES256" if "AccessLogs" in logical_id else "aws:kms")
        assert properties["LifecycleConfiguration"]["Rules"]


@pytest.mark.parametrize("stage", STAGES)
def test_data_buckets_announce_their_objects_and_log_their_access(app: Assembly, stage: str) -> None:
    buckets = app.resources(stage, "AWS::S3::Bucket")
    for logical_id in ("LakeBucketCECD5697", "LakeArtifactsBucketA1C017F3"):
        properties = buckets[logical_id]["Properties"]
        assert properties["NotificationConfiguration"] == {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}
        assert properties["LoggingConfiguration"]["DestinationBucketName"] == {"Ref": "LakeAccessLogs4431AB8D"}


@pytest.mark.parametrize("stage", STAGES)
def test_buckets_refuse_whoever_does_not_speak_tls(app: Assembly, stage: str) -> None:
    guarded = set()
    for policy in app.resources(stage, "AWS::S3::BucketPolicy").values():
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            if statement["Effect"] == "Deny" and statement["Condition"].get("Bool") == {"aws:SecureTransport": "false"}:
                guarded.add(policy["Properties"]["Bucket"]["Ref"])
    assert guarded == set(app.resources(stage, "AWS::S3::Bucket"))


def test_the_table_has_the_columns_that_the_archive_writes() -> None:
    event = FeedbackEvent(id="a", channel="web", text="Fine.", received_at="2026-03-01T10:00:00.000Z")
    written = row(Entry(event=event, body_digest="0" * 64, state=State.FAILED))
    assert [name for name, _ in FEEDBACK_COLUMNS] == list(written)
    assert PREFIX == FEEDBACK


def test_the_feedback_table_projects_its_days(app: Assembly) -> None:
    table = app.resource("prod", "AWS::Glue::Table")["Properties"]["TableInput"]
    assert table["PartitionKeys"][0]["Name"] == "dt"
    parameters = example(table["Parameters"])
    assert parameters["projection.enabled"] == "true"
    assert parameters["projection.dt.format"] == "yyyy-MM-dd"
    location = example(table["StorageDescriptor"]["Location"])
    assert parameters["storage.location.template"] == f"{location}dt=${{dt}}/"
    assert table["StorageDescriptor"]["SerdeInfo"]["SerializationLibrary"] == "org.openx.data.jsonserde.JsonSerDe"


def test_the_crawler_reads_raw_only_and_makes_a_table_per_folder(app: Assembly) -> None:
    crawler = app.resource("prod", "AWS::Glue::Crawler")["Properties"]
    (target,) = crawler["Targets"]["S3Targets"]
    assert example(target["Path"]).endswith("/raw/")
    assert json.loads(crawler["Configuration"])["Grouping"]["TableLevelConfiguration"] == 3
    assert crawler["SchemaChangePolicy"]["DeleteBehavior"] == "LOG"


@pytest.mark.parametrize("stage", STAGES)
def test_the_workgroup_cannot_be_overridden_and_limits_what_a_query_reads(app: Assembly, stage: str) -> None:
    settings: dict[str, Any] = app.resource(stage, "AWS::Athena::WorkGroup")["Properties"]["WorkGroupConfiguration"]
    assert settings["EnforceWorkGroupConfiguration"] is True
    assert 0 < settings["BytesScannedCutoffPerQuery"] <= 10 * 1024**3
    assert settings["ResultConfiguration"]["EncryptionConfiguration"]["EncryptionOption"] == "SSE_KMS"
    assert settings["PublishCloudWatchMetricsEnabled"] is True


def test_every_saved_query_says_what_it_answers(app: Assembly) -> None:
    queries = [query["Properties"] for query in app.resources("prod", "AWS::Athena::NamedQuery").values()]
    assert len(queries) == 4
    for query in queries:
        assert query["Description"].endswith(".")
        assert query["QueryString"].startswith(f"-- {query['Description']}\n")
