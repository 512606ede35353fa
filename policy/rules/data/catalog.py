"""Rules for Athena and Glue: queries are bounded and their results encrypted; catalog, crawlers and jobs too."""

from __future__ import annotations

from collections.abc import Iterator

from policy.parts import Part, broken, failing, not_on, on, one_of, own_key, present, shown
from policy.rule import Fault, rule
from policy.rules.data.customer_key import uses_own_keys
from policy.template import Resource, Template
from policy.values import is_known, number, text

WORK_GROUP = "AWS::Athena::WorkGroup"
SECURITY_CONFIGURATION = "AWS::Glue::SecurityConfiguration"
CATALOG_ENCRYPTION = "AWS::Glue::DataCatalogEncryptionSettings"
# Athena takes no limit below this.
LEAST_SCAN_LIMIT_BYTES = 10_000_000
OLDEST_GLUE = 3.0


def _configurations(group: Resource) -> list[Part]:
    """The configurations of a work group that runs SQL (Spark groups have other settings)."""
    found = Part.of(group).at("WorkGroupConfiguration") or [Part(group.template, {})]
    return [part for part in found if "PySpark" not in (text(part.value("EngineVersion.SelectedEngineVersion")) or "")]


def _faults(template: Template, path: str, holds: object) -> Iterator[Fault]:
    for group in template.of_type(WORK_GROUP):
        for part in _configurations(group):
            yield from (Fault(group, detail) for detail in failing(part, path, holds))  # type: ignore[arg-type]


@rule(
    id="DATA-40",
    title="Work groups enforce their settings",
    why="Otherwise each client decides where its results go, and whether they are encrypted",
    mend="Set WorkGroupConfiguration.EnforceWorkGroupConfiguration to true",
)
def work_groups_enforce(template: Template) -> Iterator[Fault]:
    return _faults(template, "EnforceWorkGroupConfiguration", on)


@rule(
    id="DATA-41",
    title="Results of queries are encrypted, with a key of yours where the template has one",
    why="A result is a copy of the data, in one readable file",
    mend="Set ResultConfiguration.EncryptionConfiguration with SSE_KMS and KmsKey",
)
def results_are_encrypted(template: Template) -> Iterator[Fault]:
    for group in template.of_type(WORK_GROUP):
        for part in _configurations(group):
            if not all(not_on(value) for value in part.values("ManagedQueryResultsConfiguration.Enabled")):
                continue
            option = "ResultConfiguration.EncryptionConfiguration.EncryptionOption"
            for value in part.values(option):
                if not one_of("SSE_S3", "SSE_KMS", "CSE_KMS")(value):
                    yield Fault(group, f"EncryptionOption is {shown(value)}")
                elif value == "SSE_S3" and uses_own_keys(template):
                    yield Fault(group, "EncryptionOption is SSE_S3, and the template has a key")
                elif text(value) in ("SSE_KMS", "CSE_KMS"):
                    for detail in failing(part, "ResultConfiguration.EncryptionConfiguration.KmsKey", own_key):
                        yield Fault(group, detail)


@rule(
    id="DATA-42",
    title="A query can only scan so much",
    why="One query without a filter over the whole lake is paid by the terabyte",
    mend="Set WorkGroupConfiguration.BytesScannedCutoffPerQuery",
)
def queries_are_bounded(template: Template) -> Iterator[Fault]:
    def bounded(value: object) -> bool:
        return not is_known(value) or (number(value) or 0) >= LEAST_SCAN_LIMIT_BYTES

    return _faults(template, "BytesScannedCutoffPerQuery", bounded)


@rule(
    id="DATA-43",
    title="Work groups publish their metrics",
    why="Who queries how much, and what fails, is seen by no alarm otherwise",
    mend="Set WorkGroupConfiguration.PublishCloudWatchMetricsEnabled to true",
    controls=("Athena.4",),
)
def work_groups_publish_metrics(template: Template) -> Iterator[Fault]:
    return _faults(template, "PublishCloudWatchMetricsEnabled", on)


@rule(
    id="DATA-50",
    title="The Glue catalog is encrypted",
    why="Names of tables and columns, sample values of partitions and passwords of connections lie in the catalog",
    mend="Add AWS::Glue::DataCatalogEncryptionSettings with SSE-KMS and encrypted connection passwords",
)
def catalogs_are_encrypted(template: Template) -> Iterator[Fault]:
    settings = template.of_type(CATALOG_ENCRYPTION)
    if not settings and template.of_type("AWS::KMS::Key"):
        # The settings are one for the account: who has neither key nor settings here may have both elsewhere.
        yield from (Fault(base, "no encryption settings") for base in template.of_type("AWS::Glue::Database"))
    inside = "DataCatalogEncryptionSettings"
    modes = one_of("SSE-KMS", "SSE-KMS-WITH-SERVICE-ROLE")
    yield from broken(template, CATALOG_ENCRYPTION, f"{inside}.EncryptionAtRest.CatalogEncryptionMode", modes)
    yield from broken(template, CATALOG_ENCRYPTION, f"{inside}.EncryptionAtRest.SseAwsKmsKeyId", own_key)
    passwords = f"{inside}.ConnectionPasswordEncryption"
    yield from broken(template, CATALOG_ENCRYPTION, f"{passwords}.ReturnConnectionPasswordEncrypted", on)
    yield from broken(template, CATALOG_ENCRYPTION, f"{passwords}.KmsKeyId", own_key)


@rule(
    id="DATA-51",
    title="Crawlers and jobs of Glue have a security configuration",
    why="Without one, what they write to S3 and to their logs is not under a key of yours",
    mend="Set CrawlerSecurityConfiguration (crawlers) or SecurityConfiguration (jobs, endpoints)",
)
def glue_has_security_configurations(template: Template) -> Iterator[Fault]:
    yield from broken(template, "AWS::Glue::Crawler", "CrawlerSecurityConfiguration", present)
    yield from broken(template, ("AWS::Glue::Job", "AWS::Glue::DevEndpoint"), "SecurityConfiguration", present)


@rule(
    id="DATA-52",
    title="Security configurations of Glue encrypt what is written",
    why="A security configuration that encrypts nothing is one in name only",
    mend="Set S3Encryptions and CloudWatchEncryption to SSE-KMS with a KmsKeyArn",
)
def security_configurations_encrypt(template: Template) -> Iterator[Fault]:
    for resource in template.of_type(SECURITY_CONFIGURATION):
        buckets = Part.of(resource).each("EncryptionConfiguration.S3Encryptions")
        logs = Part.of(resource).at("EncryptionConfiguration.CloudWatchEncryption")
        if not buckets:
            yield Fault(resource, "S3Encryptions is not set")
        if not logs:
            yield Fault(resource, "CloudWatchEncryption is not set")
        for part, mode in [(part, "S3EncryptionMode") for part in buckets] + [
            (part, "CloudWatchEncryptionMode") for part in logs
        ]:
            yield from (Fault(resource, detail) for detail in failing(part, mode, one_of("SSE-KMS")))
            yield from (Fault(resource, detail) for detail in failing(part, "KmsKeyArn", own_key))
        for bookmarks in Part.of(resource).at("EncryptionConfiguration.JobBookmarksEncryption"):
            for detail in failing(bookmarks, "JobBookmarksEncryptionMode", one_of("CSE-KMS")):
                yield Fault(resource, detail)


@rule(
    id="DATA-53",
    title="Glue jobs run on a supported version, and their transforms are encrypted",
    why="Old versions get no patches; a transform keeps labelled samples of the data",
    mend="Set GlueVersion to 3.0 or later, and TransformEncryption.MLUserDataEncryption to SSE-KMS",
    controls=("Glue.3", "Glue.4"),
)
def glue_jobs_are_supported(template: Template) -> Iterator[Fault]:
    for job in template.of_type("AWS::Glue::Job"):
        if text(job.value("Command", "Name")) not in ("glueetl", "gluestreaming"):
            continue
        for version in job.values("GlueVersion"):
            if is_known(version) and (number(version) or 0) < OLDEST_GLUE:
                yield Fault(job, f"GlueVersion is {shown(version)}")
    path = "TransformEncryption.MLUserDataEncryption.MLUserDataEncryptionMode"
    yield from broken(template, "AWS::Glue::MLTransform", path, one_of("SSE-KMS"))
