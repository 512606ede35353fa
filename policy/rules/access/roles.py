"""Rules for roles and users: policies of one's own, trust for one account, short sessions, no permanent keys."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policy.rule import Fault, Kept, rule
from policy.statements import trust_statements
from policy.template import Resource, Template
from policy.values import number, text

IDENTITIES = ("AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group")
# Written for one service's role each, and narrow.
FOR_SERVICES = re.compile(r"service-role/|AWSLambda\w*ExecutionRole$|AWSXRay\w*WriteOnly\w*|CloudWatchLambda\w+Policy$")
POWERFUL = re.compile(r"FullAccess|Administrator|PowerUser|IAMFull|FullAccess\w*$")
LONGEST_SESSION_SECONDS = 14_400
# Services whose documentation asks for aws:SourceAccount or aws:SourceArn in the trust policy of a role.
DEPUTIES = frozenset(
    f"{service}.amazonaws.com"
    for service in (
        "bedrock", "cloudtrail", "config", "firehose", "glue", "pipes", "sagemaker", "scheduler", "sns", "states",
    )
)  # fmt: skip


def _attached(identity: Resource) -> list[str]:
    return [written for value in identity.items("ManagedPolicyArns") if (written := text(value)) is not None]


@rule(
    id="ACCESS-10",
    title="No role has AWS's powerful policies",
    why="FullAccess, PowerUser and Administrator policies allow what no app does",
    mend="Write a policy with the actions that the code performs",
    controls=("IAM.1",),
)
def no_powerful_policies(template: Template) -> Iterator[Fault]:
    for identity in template.of_type(*IDENTITIES, "AWS::SSO::PermissionSet"):
        named = [*_attached(identity), *(text(value) or "" for value in identity.items("ManagedPolicies"))]
        for arn in named:
            if ":aws:policy/" in arn and POWERFUL.search(arn):
                yield Fault(identity, arn.rpartition("/")[2])


@rule(
    id="ACCESS-11",
    title="Roles have policies of their own",
    why="A policy of AWS's grows without asking, and is never just what the code performs",
    mend="Write a policy with the actions that the code performs",
)
def roles_have_their_own_policies(template: Template) -> Iterator[Fault]:
    for identity in template.of_type(*IDENTITIES):
        for arn in _attached(identity):
            if ":aws:policy/" in arn and not POWERFUL.search(arn) and not FOR_SERVICES.search(arn):
                yield Fault(identity, arn.rpartition("/")[2])


@rule(
    id="ACCESS-12",
    title="Not even service policies of AWS's",
    why="They allow log groups, buckets and jobs of the whole account",
    mend="Write a policy with the actions that the service performs",
    practice=True,
)
def no_service_policies(template: Template) -> Iterator[Fault | Kept]:
    for identity in template.of_type(*IDENTITIES):
        for arn in _attached(identity):
            if ":aws:policy/" in arn and FOR_SERVICES.search(arn):
                yield Fault(identity, arn.rpartition("/")[2])


@rule(
    id="ACCESS-13",
    title="Services take a role for this account alone",
    why="Without the condition somebody else's job may let the service act with your role",
    mend="Add a condition on aws:SourceAccount (or aws:SourceArn) to the trust policy",
    practice=True,
)
def services_act_for_this_account(template: Template) -> Iterator[Fault | Kept]:
    for statement in trust_statements(template):
        services = DEPUTIES.intersection(statement.principals.get("Service", ()))
        if not statement.allows or not services:
            continue
        narrowed = any(
            key in ("aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid") and "*" not in values
            for _, key, values in statement.condition_values()
        )
        yield Kept(statement.resource) if narrowed else Fault(statement.resource, ", ".join(sorted(services)))


@rule(
    id="ACCESS-14",
    title="There are no permanent keys",
    why="An access key in a template is a secret that everybody who reads the stack has, for ever",
    mend="Use a role",
)
def no_access_keys(template: Template) -> Iterator[Fault]:
    for key in template.of_type("AWS::IAM::AccessKey"):
        yield Fault(key)


@rule(
    id="ACCESS-15",
    title="Users get their rights through groups",
    why="Rights that hang on one person are overlooked when she leaves",
    mend="Attach the policy to a group or a role",
    controls=("IAM.2",),
)
def users_get_rights_through_groups(template: Template) -> Iterator[Fault]:
    for user in template.of_type("AWS::IAM::User"):
        if user.items("Policies") or user.items("ManagedPolicyArns"):
            yield Fault(user)
    for policy in template.of_type("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::UserPolicy"):
        if policy.items("Users") or policy.type == "AWS::IAM::UserPolicy":
            yield Fault(policy)


@rule(
    id="ACCESS-16",
    title="Sessions are short",
    why="Credentials that leaked are good until their session ends",
    mend=f"Set MaxSessionDuration to at most {LONGEST_SESSION_SECONDS} (4 hours)",
)
def sessions_are_short(template: Template) -> Iterator[Fault]:
    for role in template.of_type("AWS::IAM::Role"):
        if any((number(value) or 0) > LONGEST_SESSION_SECONDS for value in role.values("MaxSessionDuration")):
            yield Fault(role)
