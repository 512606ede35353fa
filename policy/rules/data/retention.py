"""The rule that nothing which holds state is lost with a stack, or with a replacement."""

from __future__ import annotations

from collections.abc import Iterator

from policy.rule import Fault, Kept, rule
from policy.template import Resource, Template
from policy.values import is_known, text

# The stateful types of cfn-lint's I3011, and a few more that hold what cannot be made again.
KEPT = frozenset(
    (
        "AWS::Backup::BackupVault", "AWS::Cognito::UserPool", "AWS::DocDB::DBCluster", "AWS::DocDB::DBInstance",
        "AWS::DynamoDB::GlobalTable", "AWS::DynamoDB::Table", "AWS::EC2::Volume", "AWS::ECR::Repository",
        "AWS::EFS::FileSystem", "AWS::Elasticsearch::Domain", "AWS::FSx::FileSystem", "AWS::Glue::Database",
        "AWS::KMS::Key", "AWS::MSK::Cluster", "AWS::Neptune::DBCluster", "AWS::Neptune::DBInstance",
        "AWS::OpenSearchService::Domain", "AWS::Organizations::Account", "AWS::QLDB::Ledger", "AWS::RDS::DBCluster",
        "AWS::RDS::DBInstance", "AWS::Redshift::Cluster", "AWS::S3::Bucket", "AWS::SDB::Domain",
        "AWS::SageMaker::FeatureGroup", "AWS::SageMaker::ModelPackageGroup", "AWS::SecretsManager::Secret",
        "AWS::Timestream::Table",
    )
)  # fmt: skip
# What these hold is on its way or can be made again: to delete it may be right, but somebody has to say so.
DECIDED = frozenset(
    (
        "AWS::CloudFormation::Stack", "AWS::EMR::Cluster", "AWS::ElastiCache::CacheCluster",
        "AWS::ElastiCache::ReplicationGroup", "AWS::Kinesis::Stream", "AWS::Logs::LogGroup", "AWS::SQS::Queue",
    )
)  # fmt: skip
KEEPING = frozenset(("Retain", "RetainExceptOnCreate", "Snapshot"))


@rule(
    id="DATA-01",
    title="What holds data outlives its stack and its replacement",
    why="The default is to delete: one renamed property, or one deleted stack, and the data is gone",
    mend="Set DeletionPolicy and UpdateReplacePolicy to Retain (or Snapshot where the type has snapshots)",
    controls=("KMS.3",),
)
def data_outlives_its_stack(template: Template) -> Iterator[Fault]:
    for resource in template.resources.values():
        if resource.type in KEPT:
            yield from (Fault(resource, detail) for detail in _outside(resource, KEEPING))


@rule(
    id="DATA-02",
    title="Queues, logs and caches say whether they outlive their stack",
    why="The default is to delete: messages on their way and the traces of an incident go with the stack",
    mend="Set DeletionPolicy and UpdateReplacePolicy; Delete is an answer, too",
    practice=True,
)
def passing_data_is_decided_on(template: Template) -> Iterator[Fault | Kept]:
    for resource in template.resources.values():
        if resource.type not in DECIDED | KEPT:
            continue
        details = list(_outside(resource, KEEPING | {"Delete"}))
        if not details:
            yield Kept(resource)
        elif resource.type in DECIDED:
            yield from (Fault(resource, detail) for detail in details)


def _outside(resource: Resource, accepted: frozenset[str]) -> Iterator[str]:
    policies = {"DeletionPolicy": resource.deletion_policy, "UpdateReplacePolicy": resource.update_replace_policy}
    for name, policy in policies.items():
        if is_known(policy) and text(policy) not in accepted:
            yield f"{name} is {text(policy) or 'not set'}"
