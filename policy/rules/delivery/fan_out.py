"""Rules for what hands events on: EventBridge rules, schedules, asynchronous calls, and the permissions they need."""

from __future__ import annotations

from collections.abc import Iterator

from policy.parts import Part, present
from policy.rule import Fault, Kept, rule
from policy.rules.delivery.dead_letters import FUNCTION, QUEUE, RULE, SCHEDULE, SUBSCRIPTION, TOPIC
from policy.rules.delivery.queues import QUEUE_POLICIES, TOPIC_POLICIES, governed
from policy.statements import resource_statements
from policy.template import Resource, Template
from policy.values import text

PERMISSION = "AWS::Lambda::Permission"
INVOKE_CONFIG = "AWS::Lambda::EventInvokeConfig"


@rule(
    id="DELIVERY-40",
    title="A rule keeps the events that it cannot hand over",
    why="EventBridge tries for a day, or not at all where access is denied, and then drops the event",
    mend="Set DeadLetterConfig.Arn of each target to a queue",
)
def rule_targets_keep_dead_letters(template: Template) -> Iterator[Fault]:
    for found in template.of_type(RULE):
        for target in Part.of(found).each("Targets"):
            if not all(present(value) for value in target.values("DeadLetterConfig.Arn")):
                yield Fault(found, f"target {text(target.value('Id')) or '?'}")


@rule(
    id="DELIVERY-44",
    title="A rule has a target",
    why="A rule without a target takes in events that nobody gets",
    mend="Set Targets of the rule",
)
def rules_have_targets(template: Template) -> Iterator[Fault]:
    for found in template.of_type(RULE):
        if not found.has("Targets"):
            yield Fault(found)


@rule(
    id="DELIVERY-41",
    title="A schedule keeps the calls that fail",
    why="A scheduled call that fails for good is dropped without a trace",
    mend="Set Target.DeadLetterConfig.Arn of the schedule to a queue",
)
def schedules_keep_dead_letters(template: Template) -> Iterator[Fault]:
    for schedule in template.of_type(SCHEDULE):
        if not all(present(value) for value in schedule.values("Target", "DeadLetterConfig", "Arn")):
            yield Fault(schedule)


@rule(
    id="DELIVERY-42",
    title="A function that is called asynchronously keeps what it fails on",
    why="Lambda tries an event twice more and then drops it",
    mend="Set DeadLetterConfig of the function, or OnFailure in an AWS::Lambda::EventInvokeConfig",
    practice=True,
)
def asynchronous_functions_keep_dead_letters(template: Template) -> Iterator[Fault | Kept]:
    for function in _called_asynchronously(template):
        kept = function.has("DeadLetterConfig", "TargetArn") or any(
            template.target(config.value("FunctionName"), FUNCTION) is function
            and config.has("DestinationConfig", "OnFailure", "Destination")
            for config in template.of_type(INVOKE_CONFIG)
        )
        yield Kept(function) if kept else Fault(function)


def _called_asynchronously(template: Template) -> list[Resource]:
    named: list[object] = []
    for found in template.of_type(RULE):
        named += [value for target in Part.of(found).each("Targets") for value in target.values("Arn")]
    for schedule in template.of_type(SCHEDULE):
        named += schedule.values("Target", "Arn")
    for subscription in template.of_type(SUBSCRIPTION):
        named += subscription.values("Endpoint")
    for bucket in template.of_type("AWS::S3::Bucket"):
        configured = Part.of(bucket).each("NotificationConfiguration.LambdaConfigurations")
        named += [value for part in configured for value in part.values("Function")]
    functions = (template.target(value, FUNCTION) for value in named)
    return list({function.logical_id: function for function in functions if function is not None}.values())


@rule(
    id="DELIVERY-43",
    title="Who hands events on is let in",
    why="Without a permission of its target the service drops each message, and nothing says so",
    mend="Add a queue policy, topic policy or AWS::Lambda::Permission that allows the service, for this source",
)
def targets_let_their_sources_in(template: Template) -> Iterator[Fault]:
    for source, service, value in _deliveries(template):
        for target in template.targets(value):
            target_ = template.target(value, FUNCTION) or target
            if target_.type in (QUEUE, TOPIC, FUNCTION) and not _lets_in(template, target_, service):
                yield Fault(source, f"{target_.logical_id} does not allow {service}")


def _deliveries(template: Template) -> Iterator[tuple[Resource, str, object]]:
    """(who delivers, as which service, to what)"""
    for subscription in template.of_type(SUBSCRIPTION):
        if text(subscription.value("Protocol")) in ("sqs", "lambda"):
            yield subscription, "sns.amazonaws.com", subscription.value("Endpoint")
    for found in template.of_type(RULE):
        for target in Part.of(found).each("Targets"):
            if not target.may_have("RoleArn"):
                yield found, "events.amazonaws.com", target.value("Arn")
    for method in template.of_type("AWS::ApiGateway::Method"):
        if not method.has("Integration", "Credentials"):
            yield method, "apigateway.amazonaws.com", method.value("Integration", "Uri")
    for integration in template.of_type("AWS::ApiGatewayV2::Integration"):
        if not integration.has("CredentialsArn"):
            yield integration, "apigateway.amazonaws.com", integration.value("IntegrationUri")
    for bucket in template.of_type("AWS::S3::Bucket"):
        for list_, name in (
            ("LambdaConfigurations", "Function"),
            ("QueueConfigurations", "Queue"),
            ("TopicConfigurations", "Topic"),
        ):
            for part in Part.of(bucket).each(f"NotificationConfiguration.{list_}"):
                yield bucket, "s3.amazonaws.com", part.value(name)


def _lets_in(template: Template, target: Resource, service: str) -> bool:
    if target.type == FUNCTION:
        return any(
            template.target(permission.value("FunctionName"), FUNCTION) in (target, None)
            and text(permission.value("Principal")) in (service, None)
            for permission in template.of_type(PERMISSION)
        )
    policies = QUEUE_POLICIES if target.type == QUEUE else TOPIC_POLICIES
    return any(
        statement.allows
        and target in governed(statement.resource)
        and any(
            principal in (service, "*") or "${" in principal
            for principals in statement.principals.values()
            for principal in principals
        )
        for statement in resource_statements(template, *policies)
    )
