"""Rules for S3 buckets: closed, encrypted, versioned, reached by TLS only, logged and tidied up.

Who may read them by a policy is a matter of `access`.
"""

from __future__ import annotations

from collections.abc import Iterator

from policy.parts import Part, broken, failing, on, one_of, own_key, shown
from policy.rule import Fault, rule
from policy.rules.data.customer_key import uses_own_keys
from policy.template import Resource, Template
from policy.values import UNKNOWN, Reference, is_false, is_known, items, mapping, text

BUCKET = "AWS::S3::Bucket"
BUCKET_POLICY = "AWS::S3::BucketPolicy"
BLOCKS = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
KMS_ALGORITHMS = ("aws:kms", "aws:kms:dsse")


def takes_logs(bucket: Resource) -> bool:
    """The bucket is where other resources (or S3 itself) deliver their access logs."""
    template = bucket.template
    for other in template.of_type(BUCKET):
        if template.target(other.value("LoggingConfiguration", "DestinationBucketName"), BUCKET) is bucket:
            return True
    for statement in _statements(bucket):
        services = [text(who) for who in items(mapping(statement.get("Principal")).get("Service"))]
        if statement.get("Effect") == "Allow" and {"logging.s3.amazonaws.com", "delivery.logs.amazonaws.com"} & set(
            services
        ):
            return True
    return text(bucket.value("AccessControl")) == "LogDeliveryWrite"


def _policies(bucket: Resource) -> list[Resource]:
    template = bucket.template
    return [
        policy
        for policy in template.of_type(BUCKET_POLICY)
        if template.target(policy.value("Bucket"), BUCKET) is bucket
    ]


def _statements(bucket: Resource) -> Iterator[dict[str, object]]:
    for policy in _policies(bucket):
        for statement in items(mapping(policy.document("PolicyDocument")).get("Statement")):
            if isinstance(statement, dict):
                yield statement


@rule(
    id="DATA-10",
    title="Buckets block public access",
    why="One careless ACL or policy, and the whole bucket is on the internet",
    mend="Set all four of PublicAccessBlockConfiguration to true",
    controls=("S3.1", "S3.2", "S3.3", "S3.8"),
)
def buckets_block_public_access(template: Template) -> Iterator[Fault]:
    for name in BLOCKS:
        yield from broken(template, BUCKET, f"PublicAccessBlockConfiguration.{name}", on)


@rule(
    id="DATA-11",
    title="Buckets are encrypted, with a key of yours where the template has one",
    why="With S3's own key, whoever may read the bucket may read the text; with a key of yours that is a second door",
    mend="Set BucketEncryption with aws:kms and a KMSMasterKeyID (AES256 for a bucket that takes access logs)",
)
def buckets_are_encrypted(template: Template) -> Iterator[Fault]:
    for bucket in template.of_type(BUCKET):
        if bucket.value("BucketEncryption") is UNKNOWN and not Part.of(bucket).at("BucketEncryption"):
            continue
        defaults = [
            default
            for each in Part.of(bucket).each("BucketEncryption.ServerSideEncryptionConfiguration")
            for default in each.at("ServerSideEncryptionByDefault")
        ]
        if not defaults:
            yield Fault(bucket, "BucketEncryption is not set")
        for default in defaults:
            yield from (Fault(bucket, detail) for detail in _encryption_gaps(bucket, default))


def _encryption_gaps(bucket: Resource, default: Part) -> Iterator[str]:
    needs_key = uses_own_keys(bucket.template) and not takes_logs(bucket)
    for algorithm in default.values("SSEAlgorithm"):
        if not one_of("AES256", *KMS_ALGORITHMS)(algorithm):
            yield f"SSEAlgorithm is {shown(algorithm)}"
        elif needs_key and algorithm == "AES256":
            yield "SSEAlgorithm is AES256, and the template has a key"
        elif needs_key and text(algorithm) in KMS_ALGORITHMS:
            yield from failing(default, "KMSMasterKeyID", own_key)


@rule(
    id="DATA-12",
    title="Buckets keep former versions",
    why="Without versions, what is overwritten or deleted, by mistake or on purpose, is gone at once",
    mend="Set VersioningConfiguration.Status to Enabled (access logs, written once, may do without)",
)
def buckets_keep_versions(template: Template) -> Iterator[Fault]:
    for bucket in template.of_type(BUCKET):
        explicit = bucket.value("VersioningConfiguration", "Status") is not None
        if explicit or not takes_logs(bucket):
            yield from (
                Fault(bucket, detail)
                for detail in failing(Part.of(bucket), "VersioningConfiguration.Status", one_of("Enabled"))
            )


@rule(
    id="DATA-13",
    title="Buckets refuse what does not come by TLS",
    why="A request without TLS shows its content, and its credentials' signature, to everyone on the way",
    mend="Add a bucket policy: Deny s3:* to everyone on bucket and objects when aws:SecureTransport is false",
    controls=("S3.5",),
)
def buckets_refuse_plain_text(template: Template) -> Iterator[Fault]:
    for bucket in template.of_type(BUCKET):
        if any(_is_unseen(policy) for policy in _policies(bucket)):
            continue
        if not any(_refuses_plain_text(statement, bucket) for statement in _statements(bucket)):
            yield Fault(bucket, "no statement denies it")


def _is_unseen(policy: Resource) -> bool:
    document = policy.document("PolicyDocument")
    return document is UNKNOWN or mapping(document).get("Statement") is UNKNOWN


def _refuses_plain_text(statement: dict[str, object], bucket: Resource) -> bool:
    condition = mapping(statement.get("Condition"))
    transport = [
        value
        for operator in ("Bool", "BoolIfExists")
        for value in _ignoring_case(condition.get(operator), "aws:SecureTransport")
    ]
    principal = statement.get("Principal")
    everyone = principal == "*" or items(mapping(principal).get("AWS")) == ["*"]
    actions = [text(action) for action in items(statement.get("Action"))]
    return (
        statement.get("Effect") == "Deny"
        and everyone
        and bool({"s3:*", "*"} & set(actions))
        and bool(transport)
        and all(is_false(value) for value in transport)
        and len(condition) == 1
        and _covers_everything(statement, bucket)
    )


def _ignoring_case(conditions: object, wanted: str) -> list[object]:
    return [
        value for key, given in mapping(conditions).items() if key.lower() == wanted.lower() for value in items(given)
    ]


def _covers_everything(statement: dict[str, object], bucket: Resource) -> bool:
    """The statement is on the bucket itself and on its objects."""
    resources = items(statement.get("Resource"))
    if not resources or any(resource is UNKNOWN for resource in resources):
        return "NotResource" not in statement
    written = [text(resource) or "" for resource in resources]
    if "*" in written:
        return True
    mine = [entry for entry, value in zip(written, resources, strict=True) if _names(bucket, value)]
    on_objects = [entry for entry in mine if entry.endswith("/*")]
    # An ARN that ends in a star of its own, or one without a path, is the bucket.
    on_bucket = [entry for entry in mine if "/" not in entry.split("}")[-1] or entry.endswith(("}*", "}"))]
    both = [entry for entry in mine if entry.endswith("*") and not entry.endswith("/*")]
    return bool(both) or (bool(on_objects) and bool(on_bucket))


def _names(bucket: Resource, value: object) -> bool:
    if isinstance(value, Reference):
        return value.logical_id == bucket.logical_id
    return (
        bucket in bucket.template.targets(value)
        or f"${{{bucket.logical_id}" in (text(value) or "")
        or (bucket.name is not None and bucket.name in (text(value) or ""))
    )


@rule(
    id="DATA-14",
    title="Buckets log who reads them",
    why="After an incident, the access log is the only answer to which objects were read",
    mend="Set LoggingConfiguration.DestinationBucketName to a bucket for logs",
    controls=("S3.9",),
)
def buckets_log_access(template: Template) -> Iterator[Fault]:
    for bucket in template.of_type(BUCKET):
        if not takes_logs(bucket):
            for detail in failing(Part.of(bucket), "LoggingConfiguration", lambda value: value not in (None, {})):
                yield Fault(bucket, detail)


@rule(
    id="DATA-15",
    title="Buckets have a lifecycle",
    why="Data without an end is kept past what customers were told, and paid for",
    mend="Set LifecycleConfiguration with an enabled rule",
    controls=("S3.13",),
)
def buckets_have_a_lifecycle(template: Template) -> Iterator[Fault]:
    for bucket in template.of_type(BUCKET):
        rules = Part.of(bucket).each("LifecycleConfiguration.Rules")
        enabled = any(one_of("Enabled")(status) for each in rules for status in each.values("Status"))
        if not enabled and bucket.value("LifecycleConfiguration") is not UNKNOWN:
            yield Fault(bucket, "no rule is enabled")


@rule(
    id="DATA-16",
    title="Buckets do without ACLs",
    why="ACLs give rights past every policy, and to whoever wrote an object",
    mend="Set ObjectOwnership to BucketOwnerEnforced and leave AccessControl out",
    controls=("S3.12",),
)
def buckets_do_without_acls(template: Template) -> Iterator[Fault]:
    for bucket in template.of_type(BUCKET):
        for each in Part.of(bucket).each("OwnershipControls.Rules"):
            for detail in failing(each, "ObjectOwnership", one_of("BucketOwnerEnforced")):
                yield Fault(bucket, detail)
        for acl in bucket.values("AccessControl"):
            if is_known(acl) and text(acl) not in (None, "Private", "BucketOwnerFullControl"):
                yield Fault(bucket, f"AccessControl is {shown(acl)}")


@rule(
    id="DATA-17",
    title="Access points block public access",
    why="An access point is a second door to the bucket, with a lock of its own",
    mend="Leave PublicAccessBlockConfiguration at its default, or set all four to true",
    controls=("S3.19", "S3.24"),
)
def access_points_block_public_access(template: Template) -> Iterator[Fault]:
    types = {
        "AWS::S3::AccessPoint": "PublicAccessBlockConfiguration",
        "AWS::S3::MultiRegionAccessPoint": "PublicAccessBlockConfiguration",
    }
    for type_, path in types.items():
        for name in BLOCKS:
            yield from broken(template, type_, f"{path}.{name}", lambda value: not is_false(value))
