"""Rules for identity policies: actions and resources by name."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policy.actions import takes_resource
from policy.rule import Fault, Kept, rule
from policy.statements import Statement, identity_statements, resource_statements
from policy.template import Template

# A verb, and everything that it can be done to.
WHOLE_VERB = re.compile(
    r"[a-z0-9-]+:(\*|(add|attach|create|delete|detach|invoke|modify|pass|publish|put|remove|run|send|set|start|stop|update)"
    r"\*)",
    re.IGNORECASE,
)
WHOLE_ARN = re.compile(r"arn:[^:]*:([^:]*):[^:]*:[^:]*:(?P<resource>.*)", re.DOTALL)
# Names that mean every one of a kind whose members differ in what they are worth.
EVERY_ONE = re.compile(r"(\*|\*/\*|(role|key|secret|table|function|parameter|stateMachine|topic|user|policy)[/:]\*)")
# The account's log groups are written by services that make them: many policies name them all.
LOOSE_SERVICES = ("logs", "xray", "cloudwatch")
# A condition on one of these says which resources are meant.
RESOURCE_KEYS = re.compile(
    r"aws:resourcetag/|aws:resourceaccount|aws:resourceorgid|[a-z0-9-]+:resourcetag/|kms:viaservice|kms:resourcealiases|"
    r"ec2:vpc$|ec2:subnet$|cloudwatch:namespace|kms:encryptioncontext:|iam:passedtoservice$|iam:awsservicename|"
    r"secretsmanager:resourcetag/|ecr:resourcetag/|aws:calledvia"
)


def _allowed(template: Template) -> Iterator[Statement]:
    return (statement for statement in identity_statements(template) if statement.allows)


@rule(
    id="ACCESS-01",
    title="No policy allows everything",
    why="Whoever gets hold of the role can do all that the account can",
    mend="Name the actions that the code performs",
    controls=("IAM.1",),
)
def nothing_allows_everything(template: Template) -> Iterator[Fault]:
    for statement in _allowed(template):
        if any(action in ("*", "*:*") for action in statement.actions):
            yield Fault(statement.resource)
    for statement in resource_statements(template):
        if statement.allows and "*" in statement.actions and statement.resource.type != "AWS::KMS::Key":
            yield Fault(statement.resource)


@rule(
    id="ACCESS-02",
    title="No policy allows all of a service, or of a verb",
    why="A wildcard allows what the service will learn next year, too",
    mend="Name the actions that the code performs",
    controls=("IAM.21",),
)
def actions_are_named(template: Template) -> Iterator[Fault]:
    for statement in _allowed(template):
        for action in statement.actions:
            if WHOLE_VERB.fullmatch(action):
                yield Fault(statement.resource, action)


@rule(
    id="ACCESS-03",
    title="Resources are named where an ARN can be",
    why="With * the role reaches the data of every other app in the account",
    mend="Name the ARN of the resource; actions that take none go into a statement of their own",
    controls=("KMS.1", "KMS.2"),
)
def resources_are_named(template: Template) -> Iterator[Fault]:
    for statement in _allowed(template):
        if any(RESOURCE_KEYS.match(key) for _, key, _ in statement.condition_values()):
            continue
        wide = [resource for resource in statement.resources if _is_everything(resource)]
        scoped = [action for action in statement.actions if takes_resource(action)]
        if wide and scoped:
            yield Fault(statement.resource, ", ".join(sorted(scoped)[:3]))


def _is_everything(resource: str) -> bool:
    if set(resource) <= {"*", ":"} and resource:
        return True
    found = WHOLE_ARN.fullmatch(resource)
    return found is not None and found[1] not in LOOSE_SERVICES and EVERY_ONE.fullmatch(found["resource"]) is not None


@rule(
    id="ACCESS-04",
    title="Policies say what they allow, not what they leave out",
    why="Allow with NotAction or NotResource allows everything else, and what is added later",
    mend="Write Action and Resource",
    controls=("IAM.1",),
)
def policies_say_what_they_allow(template: Template) -> Iterator[Fault]:
    for statement in _allowed(template):
        for name, given in (("NotAction", statement.not_actions), ("NotResource", statement.not_resources)):
            if given:
                yield Fault(statement.resource, name)


@rule(
    id="ACCESS-05",
    title="Roles are passed to one service, and by name",
    why="Whoever may pass any role to any service has the rights of all of them",
    mend="Name the roles in Resource, and set the condition iam:PassedToService",
)
def roles_are_passed_by_name(template: Template) -> Iterator[Fault]:
    for statement in _allowed(template):
        if not any(action.lower() in ("iam:passrole", "iam:pass*", "iam:*") for action in statement.actions):
            continue
        if any(_is_everything(resource) for resource in statement.resources):
            yield Fault(statement.resource, "every role")
        elif not any(key == "iam:passedtoservice" for _, key, _ in statement.condition_values()):
            yield Fault(statement.resource, "to every service")


@rule(
    id="ACCESS-06",
    title="Actions are written out",
    why="A wildcard allows what nobody looked at",
    mend="Name the actions that the code performs",
    controls=("IAM.21",),
    practice=True,
)
def actions_are_written_out(template: Template) -> Iterator[Fault | Kept]:
    for statement in _allowed(template):
        wildcards = [action for action in statement.actions if "*" in action]
        if wildcards:
            yield Fault(statement.resource, ", ".join(wildcards))


@rule(
    id="ACCESS-07",
    title="Metrics are written into a namespace of the app",
    why="Without the condition the role can write false metrics of every other app, and hide its own",
    mend="Set the condition cloudwatch:namespace on cloudwatch:PutMetricData",
    practice=True,
)
def metrics_have_a_namespace(template: Template) -> Iterator[Fault | Kept]:
    for statement in _allowed(template):
        if any(action.lower() == "cloudwatch:putmetricdata" for action in statement.actions):
            named = any(key == "cloudwatch:namespace" for _, key, _ in statement.condition_values())
            yield Kept(statement.resource) if named else Fault(statement.resource)
