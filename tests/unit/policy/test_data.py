"""The rules for data at rest: silent on good templates of several styles, and each notices its fault."""

import copy
from typing import Any

import pytest

from policy import RULES
from tests.unit.policy.faults import GONE, Fault, findings, ids, is_caught, read

LAKE = read("foreign/data_lake.yaml")
API = read("foreign/orders_api.yaml")
OTHERS = read("data.yaml")

GLUE = "GlueSecurity/EncryptionConfiguration"
TLS = "LakePolicy/PolicyDocument/Statement/0"
SSE = "Lake/BucketEncryption/ServerSideEncryptionConfiguration/0/ServerSideEncryptionByDefault"
WORK = "Analysts/WorkGroupConfiguration"
CATALOG = "CatalogEncryption/DataCatalogEncryptionSettings"
REPLICA = "Orders/Replicas/0"

OF_A_LAKE = [
    *(Fault("DATA-10", f"Lake/PublicAccessBlockConfiguration/{name}", value)
      for name in ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
      for value in (False, GONE)),
    Fault("DATA-10", "AccessLogs/PublicAccessBlockConfiguration"),
    Fault("DATA-11", "Lake/BucketEncryption"),
    Fault("DATA-11", SSE, {"SSEAlgorithm": "AES256"}),
    Fault("DATA-11", f"{SSE}/KMSMasterKeyID"),
    Fault("DATA-11", f"{SSE}/KMSMasterKeyID", "alias/aws/s3"),
    Fault("DATA-11", "AccessLogs/BucketEncryption"),
    Fault("DATA-12", "Lake/VersioningConfiguration"),
    Fault("DATA-12", "Lake/VersioningConfiguration/Status", "Suspended"),
    Fault("DATA-13", "LakePolicy", at="Lake"),
    Fault("DATA-13", f"{TLS}/Effect", "Allow", at="Lake"),
    Fault("DATA-13", f"{TLS}/Condition/Bool/aws:SecureTransport", "true", at="Lake"),
    Fault("DATA-13", f"{TLS}/Condition/StringEquals", {"aws:PrincipalTag/x": "y"}, at="Lake"),
    Fault("DATA-13", f"{TLS}/Action", ["s3:GetObject"], at="Lake"),
    Fault("DATA-13", f"{TLS}/Resource/0", at="Lake"),
    Fault("DATA-13", f"{TLS}/Resource/1", at="Lake"),
    Fault("DATA-13", f"{TLS}/Principal", {"AWS": "arn:aws:iam::000000000000:root"}, at="Lake"),
    Fault("DATA-13", "LakePolicy/Bucket", "another-bucket", at="Lake"),
    Fault("DATA-13", "AccessLogsPolicy/PolicyDocument/Statement/0/Resource/1", at="AccessLogs"),
    Fault("DATA-14", "Lake/LoggingConfiguration"),
    Fault("DATA-15", "Lake/LifecycleConfiguration"),
    Fault("DATA-15", "Lake/LifecycleConfiguration/Rules/0/Status", "Disabled"),
    Fault("DATA-16", "Lake/OwnershipControls/Rules/0/ObjectOwnership", "ObjectWriter"),
    Fault("DATA-16", "Lake/AccessControl", "PublicRead"),
    Fault("DATA-30", "LakeKey/EnableKeyRotation"),
    Fault("DATA-30", "LakeKey/RotationPeriodInDays", 2560),
    Fault("DATA-31", "LakeKey/PendingWindowInDays", 7),
    Fault("DATA-32", "LakeKey/Enabled", False),
    Fault("DATA-40", f"{WORK}/EnforceWorkGroupConfiguration", False),
    Fault("DATA-40", WORK),
    Fault("DATA-41", f"{WORK}/ResultConfiguration/EncryptionConfiguration"),
    Fault("DATA-41", f"{WORK}/ResultConfiguration/EncryptionConfiguration", {"EncryptionOption": "SSE_S3"}),
    Fault("DATA-41", f"{WORK}/ResultConfiguration/EncryptionConfiguration/KmsKey"),
    Fault("DATA-42", f"{WORK}/BytesScannedCutoffPerQuery"),
    Fault("DATA-43", f"{WORK}/PublishCloudWatchMetricsEnabled", "false"),
    Fault("DATA-50", "CatalogEncryption", at="Catalog"),
    Fault("DATA-50", f"{CATALOG}/EncryptionAtRest/CatalogEncryptionMode", "DISABLED"),
    Fault("DATA-50", f"{CATALOG}/ConnectionPasswordEncryption/ReturnConnectionPasswordEncrypted", False),
    Fault("DATA-51", "Crawler/CrawlerSecurityConfiguration"),
    Fault("DATA-52", f"{GLUE}/S3Encryptions"),
    Fault("DATA-52", f"{GLUE}/CloudWatchEncryption/CloudWatchEncryptionMode", "DISABLED"),
    Fault("DATA-52", f"{GLUE}/JobBookmarksEncryption/JobBookmarksEncryptionMode", "DISABLED"),
    Fault("DATA-60", "PartnerSecretRotation", at="PartnerSecret"),
    Fault("DATA-60", "PartnerSecretRotation/RotationRules/AutomaticallyAfterDays", 180),
    Fault("DATA-61", "PartnerSecret/SecretString", "hunter2"),
    Fault("DATA-62", "PartnerSecret/KmsKeyId"),
    Fault("DATA-80", "Images/ImageScanningConfiguration"),
    Fault("DATA-81", "Images/ImageTagMutability", "MUTABLE"),
    Fault("DATA-82", "Images/LifecyclePolicy"),
]  # fmt: skip

OF_AN_API = [
    Fault("DATA-20", "Orders/PointInTimeRecoverySpecification"),
    Fault("DATA-20", "Orders/PointInTimeRecoverySpecification/PointInTimeRecoveryEnabled", "false"),
    Fault("DATA-21", "Orders/DeletionProtectionEnabled"),
    Fault("DATA-21", "Orders/DeletionProtectionEnabled", {"Fn::If": ["HasPartner", True, False]}),
    Fault("DATA-22", "Orders/SSESpecification"),
    Fault("DATA-22", "Orders/SSESpecification/SSEEnabled", False),
    Fault("DATA-22", "Orders/SSESpecification/KMSMasterKeyId"),
    Fault("DATA-23", "Orders/BillingMode", "PROVISIONED"),
    Fault("DATA-24", "Orders/TimeToLiveSpecification/Enabled", False),
]

OF_THE_REST = [
    Fault("DATA-17", "Door/PublicAccessBlockConfiguration/BlockPublicPolicy", False),
    Fault("DATA-20", f"{REPLICA}/PointInTimeRecoverySpecification"),
    Fault("DATA-21", f"{REPLICA}/DeletionProtectionEnabled", False),
    Fault("DATA-22", f"{REPLICA}/SSESpecification"),
    Fault("DATA-23", "ScaledReads", at="Scaled"),
    Fault("DATA-25", "Cache/SSESpecification"),
    Fault("DATA-25", "Cache/ClusterEndpointEncryptionType", "NONE"),
    Fault("DATA-51", "Job/SecurityConfiguration"),
    Fault("DATA-53", "Job/GlueVersion", "1.0"),
    Fault("DATA-53", "Matching/TransformEncryption"),
    Fault("DATA-60", "Rotation", at="DatabasePassword"),
    Fault("DATA-60", "Rotation/RotationRules/ScheduleExpression", "rate(120 days)"),
    Fault("DATA-61", "PasswordAddress/Value", "hunter2"),
    *(Fault("DATA-90", path, False) for path in (
        "Cluster/StorageEncrypted", "Instance/StorageEncrypted", "Search/EncryptionAtRestOptions/Enabled",
        "Files/Encrypted", "Sessions/AtRestEncryptionEnabled", "Warehouse/Encrypted")),
    *(Fault("DATA-91", f"{name}/DeletionProtection") for name in ("Cluster", "Instance")),
    *(Fault("DATA-92", f"{name}/BackupRetentionPeriod", 1) for name in ("Cluster", "Instance")),
    *(Fault("DATA-93", f"{name}/PubliclyAccessible", True) for name in ("Instance", "ClusterInstance", "Warehouse")),
    Fault("DATA-93", "Search/VPCOptions"),
    Fault("DATA-94", "Search/NodeToNodeEncryptionOptions"),
    Fault("DATA-94", "Search/DomainEndpointOptions/TLSSecurityPolicy", "Policy-Min-TLS-1-0-2019-07"),
    Fault("DATA-94", "Sessions/TransitEncryptionEnabled", False),
    Fault("DATA-94", "Files/BackupPolicy"),
    Fault("DATA-95", "Instance/MultiAZ"),
    Fault("DATA-96", "Vault/EncryptionKeyArn"),
    Fault("DATA-96", "Plan/BackupPlan/BackupPlanRule/0/Lifecycle/DeleteAfterDays", 1),
]  # fmt: skip

# Resources whose data must outlive the stack, by template.
KEPT = [
    (LAKE, "Lake"), (LAKE, "LakeKey"), (LAKE, "Catalog"), (LAKE, "PartnerSecret"), (LAKE, "Images"), (API, "Orders"),
    (OTHERS, "Orders"), (OTHERS, "Cluster"), (OTHERS, "Instance"), (OTHERS, "Search"), (OTHERS, "Files"),
    (OTHERS, "Warehouse"), (OTHERS, "Vault"),
]  # fmt: skip
ELSEWHERE = {"DATA-01", "DATA-02"}


def of_subject(template: dict[str, Any], *, strict: bool = False) -> set[tuple[str, str]]:
    return {found for found in ids(template, strict=strict) if found[0].startswith("DATA-")}


@pytest.mark.parametrize(
    "name", ["foreign/data_lake.yaml", "foreign/orders_api.yaml", "data.yaml", "foreign/sqs_worker.yaml"]
)
def test_good_templates_have_no_finding_even_where_practices_are_asked_for(name: str) -> None:
    assert of_subject(read(name), strict=True) == set()


@pytest.mark.parametrize("fault", OF_A_LAKE, ids=str)
def test_a_fault_of_a_lake_is_found(fault: Fault) -> None:
    assert is_caught(LAKE, fault)


@pytest.mark.parametrize("fault", OF_AN_API, ids=str)
def test_a_fault_of_a_table_is_found(fault: Fault) -> None:
    assert is_caught(API, fault)


@pytest.mark.parametrize("fault", OF_THE_REST, ids=str)
def test_a_fault_of_another_store_is_found(fault: Fault) -> None:
    assert is_caught(OTHERS, fault)


@pytest.mark.parametrize("policy", ["DeletionPolicy", "UpdateReplacePolicy"])
@pytest.mark.parametrize(("template", "logical_id"), KEPT, ids=[logical_id for _, logical_id in KEPT])
def test_data_that_goes_with_its_stack_breaks_data_01(template: dict[str, Any], logical_id: str, policy: str) -> None:
    for value in ("Delete", None):
        broken = copy.deepcopy(template)
        broken["Resources"][logical_id].pop(policy)
        broken["Resources"][logical_id] |= {policy: value} if value else {}
        assert ("DATA-01", logical_id) in of_subject(broken)


def test_a_queue_that_does_not_say_what_becomes_of_it_breaks_data_02_where_others_do() -> None:
    template = read("foreign/sqs_worker.yaml")
    del template["Resources"]["Jobs"]["DeletionPolicy"]
    assert of_subject(template) == {("DATA-02", "Jobs")}
    for resource in template["Resources"].values():
        resource.pop("DeletionPolicy", None)
        resource.pop("UpdateReplacePolicy", None)
    assert of_subject(template) == set()


def test_every_rule_has_a_fault() -> None:
    tried = {fault.rule for fault in (*OF_A_LAKE, *OF_AN_API, *OF_THE_REST)}
    assert tried | ELSEWHERE == {rule_id for rule_id in RULES if rule_id.startswith("DATA-")}


def test_a_store_may_use_the_keys_of_aws_where_the_template_has_none_of_its_own() -> None:
    template = {"Resources": {"Table": copy.deepcopy(API["Resources"]["Orders"])}}
    del template["Resources"]["Table"]["Properties"]["SSESpecification"]
    assert findings(template) == []


def test_a_bucket_that_is_imported_needs_no_policy_here() -> None:
    template = {"Resources": {"Policy": copy.deepcopy(LAKE["Resources"]["LakePolicy"])}}
    template["Resources"]["Policy"]["Properties"]["Bucket"] = {"Fn::ImportValue": "lake"}
    template["Resources"]["Policy"]["Properties"]["PolicyDocument"]["Statement"][0]["Resource"] = "*"
    assert of_subject(template) == set()


def test_a_tls_statement_for_any_bucket_by_a_star_counts() -> None:
    template = copy.deepcopy(LAKE)
    statement = template["Resources"]["LakePolicy"]["Properties"]["PolicyDocument"]["Statement"][0]
    statement["Resource"] = "*"
    assert of_subject(template) == set()
    statement["Resource"] = {"Fn::Sub": "${Lake.Arn}*"}
    assert of_subject(template) == set()
