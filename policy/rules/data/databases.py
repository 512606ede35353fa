"""Rules for databases, search domains and file systems: encrypted, private, backed up and hard to delete by a slip."""

from __future__ import annotations

from collections.abc import Iterator

from policy.parts import Part, at_least, broken, failing, not_on, on, one_of, own_key, present
from policy.rule import Fault, rule
from policy.template import Template
from policy.values import is_known, number, text

CLUSTERS = ("AWS::RDS::DBCluster", "AWS::DocDB::DBCluster", "AWS::Neptune::DBCluster")
INSTANCE = "AWS::RDS::DBInstance"
DOMAINS = {
    "AWS::OpenSearchService::Domain": "EncryptionAtRestOptions.Enabled",
    "AWS::Elasticsearch::Domain": "EncryptionAtRestOptions.Enabled",
}
ENCRYPTED = {
    **dict.fromkeys(CLUSTERS, "StorageEncrypted"),
    **DOMAINS,
    "AWS::EC2::Volume": "Encrypted",
    "AWS::EFS::FileSystem": "Encrypted",
    "AWS::ElastiCache::ReplicationGroup": "AtRestEncryptionEnabled",
    "AWS::Redshift::Cluster": "Encrypted",
}
LEAST_BACKUP_DAYS = 7
TLS = ("Policy-Min-TLS-1-2-2019-07", "Policy-Min-TLS-1-2-PFS-2023-10", "Policy-Min-TLS-1-2-RFC9151-FIPS-2024-08")


@rule(
    id="DATA-90",
    title="Databases, search domains and file systems are encrypted",
    why="A snapshot or a volume that is shared by mistake is readable",
    mend="Turn encryption at rest on (StorageEncrypted, Encrypted, AtRestEncryptionEnabled, EncryptionAtRestOptions)",
    controls=(
        "DocumentDB.1", "EC2.3", "EFS.1", "EFS.8", "ES.1", "ElastiCache.4", "Neptune.1", "Opensearch.1", "RDS.3",
        "RDS.27", "Redshift.10",
    ),
)  # fmt: skip
def databases_are_encrypted(template: Template) -> Iterator[Fault]:
    for type_, path in ENCRYPTED.items():
        yield from broken(template, type_, path, on)
    for instance in template.of_type(INSTANCE):
        # An instance of a cluster has the cluster's storage.
        if not Part.of(instance).may_have("DBClusterIdentifier") and not Part.of(instance).may_have(
            "SourceDBInstanceIdentifier"
        ):
            yield from (Fault(instance, detail) for detail in failing(Part.of(instance), "StorageEncrypted", on))


@rule(
    id="DATA-91",
    title="Databases are protected from deletion",
    why="A database is gone with one click, or one renamed property, otherwise",
    mend="Set DeletionProtection to true",
    controls=("DocumentDB.5", "Neptune.4", "RDS.7", "RDS.8"),
)
def databases_are_protected(template: Template) -> Iterator[Fault]:
    yield from broken(template, CLUSTERS, "DeletionProtection", on)
    for instance in template.of_type(INSTANCE):
        if not Part.of(instance).may_have("DBClusterIdentifier"):
            yield from (Fault(instance, detail) for detail in failing(Part.of(instance), "DeletionProtection", on))


@rule(
    id="DATA-92",
    title="Databases are backed up for a week",
    why="An error is often seen days later, when the only backup already has it",
    mend="Set BackupRetentionPeriod to 7 or more",
    controls=("DocumentDB.2", "Neptune.5", "RDS.11"),
)
def databases_are_backed_up(template: Template) -> Iterator[Fault]:
    yield from broken(template, CLUSTERS, "BackupRetentionPeriod", at_least(LEAST_BACKUP_DAYS))
    for instance in template.of_type(INSTANCE):
        part = Part.of(instance)
        if not part.may_have("DBClusterIdentifier") and not part.may_have("SourceDBInstanceIdentifier"):
            for detail in failing(part, "BackupRetentionPeriod", at_least(LEAST_BACKUP_DAYS)):
                yield Fault(instance, detail)


@rule(
    id="DATA-93",
    title="Databases are not public",
    why="A database with a public address is tried by the whole internet, every password of it",
    mend="Set PubliclyAccessible to false; give search domains VPCOptions",
    controls=("ES.2", "Opensearch.2", "RDS.2", "Redshift.1"),
)
def databases_are_not_public(template: Template) -> Iterator[Fault]:
    yield from broken(template, INSTANCE, "PubliclyAccessible", not_on)
    yield from broken(template, "AWS::Redshift::Cluster", "PubliclyAccessible", not_on)
    yield from broken(template, tuple(DOMAINS), "VPCOptions.SubnetIds", present)


@rule(
    id="DATA-94",
    title="Search domains, caches and file systems are reached and kept safely",
    why="Between nodes and clients the same text travels that is encrypted on disk",
    mend="Turn node-to-node encryption, HTTPS with TLS 1.2, TransitEncryptionEnabled and automatic backups on",
    controls=("EFS.7", "ES.3", "ES.8", "ElastiCache.5", "Opensearch.3", "Opensearch.8"),
)
def stores_are_reached_safely(template: Template) -> Iterator[Fault]:
    for type_ in DOMAINS:
        yield from broken(template, type_, "NodeToNodeEncryptionOptions.Enabled", on)
        yield from broken(template, type_, "DomainEndpointOptions.EnforceHTTPS", on)
        yield from broken(template, type_, "DomainEndpointOptions.TLSSecurityPolicy", one_of(*TLS))
    yield from broken(template, "AWS::ElastiCache::ReplicationGroup", "TransitEncryptionEnabled", on)
    yield from broken(template, "AWS::EFS::FileSystem", "BackupPolicy.Status", one_of("ENABLED"))


@rule(
    id="DATA-95",
    title="Databases stand in more than one zone",
    why="An instance in one zone is down with it",
    mend="Set MultiAZ to true (instances without a cluster)",
    controls=("RDS.5",),
)
def databases_stand_in_two_zones(template: Template) -> Iterator[Fault]:
    for instance in template.of_type(INSTANCE):
        part = Part.of(instance)
        engine = text(part.value("Engine")) or ""
        if not part.may_have("DBClusterIdentifier") and not engine.startswith(("aurora", "docdb", "neptune")):
            yield from (Fault(instance, detail) for detail in failing(part, "MultiAZ", on))


@rule(
    id="DATA-96",
    title="Backup vaults are encrypted with a key of yours, and plans keep what they take for a week",
    why="A backup is a whole copy of the data, in one place",
    mend="Set EncryptionKeyArn of the vault, and DeleteAfterDays of each rule to 7 or more",
    controls=("Backup.1",),
)
def backups_are_kept(template: Template) -> Iterator[Fault]:
    yield from broken(template, "AWS::Backup::BackupVault", "EncryptionKeyArn", own_key)
    for plan in template.of_type("AWS::Backup::BackupPlan"):
        for each in Part.of(plan).each("BackupPlan.BackupPlanRule"):
            for days in each.values("Lifecycle.DeleteAfterDays"):
                if days is not None and is_known(days) and (number(days) or 0) < LEAST_BACKUP_DAYS:
                    yield Fault(plan, f"DeleteAfterDays is {number(days) or 0:.0f}")
