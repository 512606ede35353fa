"""Policy documents, wherever a template holds one: identity policies, trust policies and resource policies.

Responsible for finding them and for reading their statements the same way whatever their form. It judges nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from policy.template import Resource, Template
from policy.values import UNKNOWN, document, items, mapping, text

IDENTITY_DOCUMENTS = {
    "AWS::IAM::GroupPolicy": ("PolicyDocument",),
    "AWS::IAM::ManagedPolicy": ("PolicyDocument",),
    "AWS::IAM::Policy": ("PolicyDocument",),
    "AWS::IAM::RolePolicy": ("PolicyDocument",),
    "AWS::IAM::UserPolicy": ("PolicyDocument",),
    "AWS::SSO::PermissionSet": ("InlinePolicy",),
}
INLINE_IDENTITIES = ("AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group")
RESOURCE_DOCUMENTS = {
    "AWS::ApiGateway::RestApi": ("Policy",),
    "AWS::Backup::BackupVault": ("AccessPolicy",),
    "AWS::CodeArtifact::Domain": ("PermissionsPolicyDocument",),
    "AWS::CodeArtifact::Repository": ("PermissionsPolicyDocument",),
    "AWS::DynamoDB::Table": ("ResourcePolicy", "PolicyDocument"),
    "AWS::ECR::RegistryPolicy": ("PolicyText",),
    "AWS::ECR::Repository": ("RepositoryPolicyText",),
    "AWS::EFS::FileSystem": ("FileSystemPolicy",),
    "AWS::Elasticsearch::Domain": ("AccessPolicies",),
    "AWS::Events::EventBus": ("Policy",),
    "AWS::Events::EventBusPolicy": ("Statement",),
    "AWS::KMS::Key": ("KeyPolicy",),
    "AWS::Kinesis::ResourcePolicy": ("ResourcePolicy",),
    "AWS::Logs::ResourcePolicy": ("PolicyDocument",),
    "AWS::OpenSearchService::Domain": ("AccessPolicies",),
    "AWS::S3::AccessPoint": ("Policy",),
    "AWS::S3::BucketPolicy": ("PolicyDocument",),
    "AWS::S3Tables::TableBucketPolicy": ("ResourcePolicy",),
    "AWS::SNS::TopicInlinePolicy": ("PolicyDocument",),
    "AWS::SNS::TopicPolicy": ("PolicyDocument",),
    "AWS::SQS::QueueInlinePolicy": ("PolicyDocument",),
    "AWS::SQS::QueuePolicy": ("PolicyDocument",),
    "AWS::SageMaker::ModelPackageGroup": ("ModelPackageGroupPolicy",),
    "AWS::SecretsManager::ResourcePolicy": ("ResourcePolicy",),
}


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement, every part as a list. Values are resolved; what is UNKNOWN is left out of the lists."""

    resource: Resource
    effect: str
    actions: tuple[str, ...]
    not_actions: tuple[str, ...]
    resources: tuple[str, ...]
    not_resources: tuple[str, ...]
    principals: Mapping[str, tuple[str, ...]]
    excludes_principals: bool
    conditions: Mapping[str, Mapping[str, tuple[str, ...]]]

    @property
    def allows(self) -> bool:
        return self.effect == "Allow"

    @property
    def denies(self) -> bool:
        return self.effect == "Deny"

    def condition_values(self) -> Iterator[tuple[str, str, tuple[str, ...]]]:
        """Every (operator, key, values), operator and key in lower case."""
        for operator, keys in self.conditions.items():
            for key, values in keys.items():
                yield operator.lower(), key.lower(), values


def statements_of(resource: Resource, policy: object) -> list[Statement]:
    """The statements of a resolved policy document, or of one statement; none where it cannot be known."""
    read = mapping(document(policy))
    raw = read.get("Statement", read if "Effect" in read else None)
    return [_statement(resource, mapping(one)) for one in items(raw) if mapping(one)]


def identity_statements(template: Template) -> Iterator[Statement]:
    """Statements of what roles, users and groups may do."""
    for type_, path in IDENTITY_DOCUMENTS.items():
        for resource in template.of_type(type_):
            for policy in resource.values(*path):
                yield from statements_of(resource, policy)
    for resource in template.of_type(*INLINE_IDENTITIES):
        for inline in resource.items("Policies"):
            yield from statements_of(resource, mapping(inline).get("PolicyDocument"))


def trust_statements(template: Template) -> Iterator[Statement]:
    """Statements of who may take a role."""
    for role in template.of_type("AWS::IAM::Role"):
        for policy in role.values("AssumeRolePolicyDocument"):
            yield from statements_of(role, policy)


def resource_statements(template: Template, *types: str) -> Iterator[Statement]:
    """Statements of the policies that resources carry (of these types, or of any)."""
    for type_, path in RESOURCE_DOCUMENTS.items():
        if types and type_ not in types:
            continue
        for resource in template.of_type(type_):
            for policy in resource.values(*path):
                yield from statements_of(resource, policy)


def _statement(resource: Resource, raw: Mapping[str, object]) -> Statement:
    principal = raw.get("Principal", raw.get("NotPrincipal"))
    return Statement(
        resource=resource,
        effect=text(raw.get("Effect")) or "",
        actions=_texts(raw.get("Action")),
        not_actions=_texts(raw.get("NotAction")),
        resources=_texts(raw.get("Resource")),
        not_resources=_texts(raw.get("NotResource")),
        principals=_principals(principal),
        excludes_principals="NotPrincipal" in raw,
        conditions={
            operator: {key: _texts(values) for key, values in mapping(keys).items()}
            for operator, keys in mapping(raw.get("Condition")).items()
        },
    )


def _principals(principal: object) -> Mapping[str, tuple[str, ...]]:
    if isinstance(principal, dict):
        return {kind: _texts(values) for kind, values in principal.items()}
    return {"AWS": _texts(principal)} if principal not in (None, UNKNOWN) else {}


def _texts(value: object) -> tuple[str, ...]:
    return tuple(written for item in items(value) if (written := text(item)) is not None)
