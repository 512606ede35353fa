"""Rules for DynamoDB: tables can be brought back, not be deleted by a slip, and are encrypted."""

from __future__ import annotations

from collections.abc import Iterator

from policy.parts import Part, broken, failing, on, one_of, own_key, shown
from policy.rule import Fault, rule
from policy.rules.data.customer_key import uses_own_keys
from policy.template import Resource, Template
from policy.values import UNKNOWN, is_false, is_known, is_true, text

TABLE = "AWS::DynamoDB::Table"
GLOBAL_TABLE = "AWS::DynamoDB::GlobalTable"
CACHE = "AWS::DAX::Cluster"


@rule(
    id="DATA-20",
    title="Tables can be brought back to any second",
    why="A bad deploy that writes nonsense over every item is undone by nothing else",
    mend="Set PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled to true (of each replica)",
    controls=("DynamoDB.2",),
)
def tables_can_be_brought_back(template: Template) -> Iterator[Fault]:
    path = "PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled"
    yield from broken(template, TABLE, path, on)
    yield from broken(template, GLOBAL_TABLE, f"Replicas.*.{path}", on)


@rule(
    id="DATA-21",
    title="Tables are protected from deletion",
    why="A policy keeps the table when its stack goes; only this keeps it from being deleted by itself",
    mend="Set DeletionProtectionEnabled to true (of each replica)",
    controls=("DynamoDB.6",),
)
def tables_are_protected(template: Template) -> Iterator[Fault]:
    yield from broken(template, TABLE, "DeletionProtectionEnabled", on)
    yield from broken(template, GLOBAL_TABLE, "Replicas.*.DeletionProtectionEnabled", on)


@rule(
    id="DATA-22",
    title="Tables are encrypted with a key of yours where the template has one",
    why="With DynamoDB's own key nobody can see who decrypted, or stop it",
    mend="Set SSESpecification with SSEEnabled true, SSEType KMS and a KMSMasterKeyId",
)
def tables_are_encrypted(template: Template) -> Iterator[Fault]:
    needs_key = uses_own_keys(template)
    for table in template.of_type(TABLE):
        specified = Part.of(table).at("SSESpecification")
        if not specified and needs_key and table.value("SSESpecification") is not UNKNOWN:
            yield Fault(table, "SSESpecification is not set")
        for part in specified:
            yield from (Fault(table, detail) for detail in failing(part, "SSEEnabled", on))
            if needs_key:
                yield from (Fault(table, detail) for detail in failing(part, "KMSMasterKeyId", own_key))
    for table in template.of_type(GLOBAL_TABLE):
        if needs_key:
            yield from (Fault(table, detail) for detail in failing(Part.of(table), "SSESpecification.SSEEnabled", on))
        for replica in Part.of(table).each("Replicas"):
            if needs_key:
                yield from (
                    Fault(table, detail) for detail in failing(replica, "SSESpecification.KMSMasterKeyId", own_key)
                )


@rule(
    id="DATA-23",
    title="Tables take as much as comes",
    why="A table of a fixed capacity refuses what customers send at the peak",
    mend="Set BillingMode to PAY_PER_REQUEST, or add scaling targets for reads and writes",
    controls=("DynamoDB.1",),
)
def tables_scale(template: Template) -> Iterator[Fault]:
    for table in template.of_type(TABLE):
        for mode in table.values("BillingMode"):
            if is_known(mode) and text(mode) != "PAY_PER_REQUEST" and not _is_scaled(table):
                yield Fault(table, f"BillingMode is {shown(mode)}, and nothing scales it")


def _is_scaled(table: Resource) -> bool:
    template = table.template
    for target in template.of_type("AWS::ApplicationAutoScaling::ScalableTarget"):
        place = target.value("ResourceId")
        if place is UNKNOWN or table.logical_id in template.mentioned(target.properties.get("ResourceId")):
            return True
    return False


@rule(
    id="DATA-24",
    title="Items that are meant to expire do expire",
    why="An attribute for the time of expiry that is switched off keeps customers' data for ever",
    mend="Set TimeToLiveSpecification.Enabled to true, or leave the specification out",
)
def items_expire(template: Template) -> Iterator[Fault]:
    for table in template.of_type(TABLE, GLOBAL_TABLE):
        if any(is_false(value) for value in table.values("TimeToLiveSpecification", "Enabled")):
            yield Fault(table, "TimeToLiveSpecification.Enabled is false")


@rule(
    id="DATA-25",
    title="Caches of tables are encrypted, at rest and on the way",
    why="The cache holds the same items as the table",
    mend="Set SSESpecification.SSEEnabled to true and ClusterEndpointEncryptionType to TLS",
    controls=("DynamoDB.3", "DynamoDB.7"),
)
def caches_are_encrypted(template: Template) -> Iterator[Fault]:
    yield from broken(
        template, CACHE, "SSESpecification.SSEEnabled", lambda value: is_true(value) or not is_known(value)
    )
    yield from broken(template, CACHE, "ClusterEndpointEncryptionType", one_of("TLS"))
