"""Rules for resource policies: nobody is let in by being anybody, and services only for whom they act."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policy.parts import Part
from policy.rule import Fault, rule
from policy.statements import Statement, resource_statements, trust_statements
from policy.template import Template

# Conditions on where a request comes from or on whose behalf: with one of them `*` is not everybody.
NARROWING_KEYS = frozenset(
    (
        "aws:principalaccount", "aws:principalarn", "aws:principalorgid", "aws:principalorgpaths", "aws:principaltag",
        "aws:sourceaccount", "aws:sourcearn", "aws:sourceip", "aws:sourceorgid", "aws:sourceorgpaths",
        "aws:sourceowner", "aws:sourcevpc", "aws:sourcevpce", "aws:userid", "aws:vpcsourceip", "kms:calleraccount",
        "s3:dataaccesspointaccount", "s3:dataaccesspointarn", "elasticfilesystem:accesspointarn",
        "elasticfilesystem:accessedviamounttarget",
    )
)  # fmt: skip
POSITIVE = re.compile(r"^(foranyvalue:)?(string(equals|equalsignorecase|like)|arn(equals|like)|ipaddress|bool)$")
# ARN of all accounts, all regions, all names.
WIDE = re.compile(r"^(\*|0\.0\.0\.0/0|::/0|arn:[^:]*:[^:]*:\*?:\*?:\*?(/\*)?|arn:[^:]*:\*.*)$")
SERVICE_CHECKED = (
    "AWS::SNS::TopicPolicy", "AWS::SNS::TopicInlinePolicy", "AWS::SQS::QueuePolicy", "AWS::SQS::QueueInlinePolicy",
    "AWS::S3::BucketPolicy", "AWS::SecretsManager::ResourcePolicy",
)  # fmt: skip
# Load balancers write their logs under no account that a condition could name.
UNCONDITIONAL_SERVICES = ("logdelivery.elasticloadbalancing.amazonaws.com",)


def narrows(statement: Statement, *, keys: frozenset[str] = NARROWING_KEYS) -> bool:
    """A condition says from where, or for whom, and not just `*`."""
    return any(
        POSITIVE.match(operator)
        and (key in keys or key.partition("/")[0] in keys)
        and values != ()
        and not any(WIDE.match(value) for value in values)
        for operator, key, values in statement.condition_values()
    ) or _is_unseen(statement)


def _is_unseen(statement: Statement) -> bool:
    """A condition on such a key whose value is not known."""
    return any(
        POSITIVE.match(operator) and key in NARROWING_KEYS and values == ()
        for operator, key, values in statement.condition_values()
    )


def is_everybody(principal: str) -> bool:
    return principal == "*" or re.fullmatch(r"arn:[^:]*:iam::\*:.*", principal) is not None


def names_everybody(statement: Statement) -> bool:
    if statement.excludes_principals:
        return True
    return any(
        is_everybody(principal)
        for kind, principals in statement.principals.items()
        if kind in ("AWS", "*", "Service")
        for principal in principals
    )


@rule(
    id="EDGE-30",
    title="No resource lets everybody in",
    why="The principal * is every account of the world, strangers included",
    mend="Name the principals, or narrow the statement by aws:SourceArn, aws:SourceAccount or aws:PrincipalOrgID",
    controls=("KMS.5", "Lambda.1", "S3.2", "S3.3", "S3.6", "SNS.4", "SQS.3"),
)
def nobody_is_anybody(template: Template) -> Iterator[Fault]:
    limited_apis = _apis_with_denials(template)
    for statement in resource_statements(template):
        if statement.resource.logical_id in limited_apis:
            continue
        if statement.allows and names_everybody(statement) and not narrows(statement):
            yield Fault(statement.resource)
    for policy in template.of_type("AWS::Events::EventBusPolicy"):
        if "*" in policy.values("Principal") and not policy.has("Condition"):
            yield Fault(policy)


def _apis_with_denials(template: Template) -> set[str]:
    """REST APIs are narrowed by a denial of what comes from elsewhere: that is how their documentation writes it."""
    return {
        statement.resource.logical_id
        for statement in resource_statements(template, "AWS::ApiGateway::RestApi")
        if statement.denies
        and any(
            operator.startswith(("notipaddress", "stringnotequals", "stringnotlike", "arnnot"))
            and key in NARROWING_KEYS
            and not any(WIDE.match(value) for value in values)
            for operator, key, values in statement.condition_values()
        )
    }


@rule(
    id="EDGE-31",
    title="Services are let in for a source, not for everybody's",
    why="Anybody can make a topic, rule or distribution of his own and let the service act for him",
    mend="Add a condition on aws:SourceArn or aws:SourceAccount to the statement",
)
def services_act_for_somebody(template: Template) -> Iterator[Fault]:
    for statement in resource_statements(template, *SERVICE_CHECKED):
        services = [name for name in statement.principals.get("Service", ()) if name not in UNCONDITIONAL_SERVICES]
        if statement.allows and services and not is_everybody(services[0]) and not narrows(statement):
            yield Fault(statement.resource, services[0])


@rule(
    id="EDGE-32",
    title="No role can be taken by everybody",
    why="Whoever may take a role has all of its rights",
    mend="Name the service, the role or the account in the trust policy; give federated identities a condition",
)
def roles_trust_somebody(template: Template) -> Iterator[Fault]:
    for statement in trust_statements(template):
        if not statement.allows:
            continue
        if names_everybody(statement) and not narrows(statement):
            yield Fault(statement.resource)
        federated = statement.principals.get("Federated", ())
        if any("saml-provider" not in name for name in federated) and not statement.conditions:
            yield Fault(statement.resource, "federated identities without a condition")


@rule(
    id="EDGE-33",
    title="Buckets, snapshots and repositories are not opened by their settings",
    why="A setting that makes data public needs no policy, and is overlooked",
    mend="Leave AccessControl out",
    controls=("S3.2", "S3.3"),
)
def settings_open_nothing(template: Template) -> Iterator[Fault]:
    for bucket in template.of_type("AWS::S3::Bucket"):
        for access in Part.of(bucket).values("AccessControl"):
            if access in ("PublicRead", "PublicReadWrite", "AuthenticatedRead"):
                yield Fault(bucket, str(access))
