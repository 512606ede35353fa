"""Rules for what an alarm has to be on, in templates that hold alarms at all: they may all be in another stack."""

from __future__ import annotations

from collections.abc import Iterator

from policy.rule import Fault, Kept, rule
from policy.rules.delivery.dead_letters import MAPPING, QUEUE, consuming_mappings, dead_letter_queues
from policy.rules.delivery.mappings import source_of
from policy.rules.operations.alarms import ALARM, looks_at, metrics_of
from policy.template import Resource, Template
from policy.values import text

DEPTHS = (
    "ApproximateNumberOfMessagesVisible",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateAgeOfOldestMessage",
    "NumberOfMessagesReceived",
    "NumberOfMessagesSent",
)
AGES = ("ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible")
ENDPOINT_ERRORS = (
    "Invocation5XXErrors",
    "InvocationModelErrors",
    "Invocation4XXErrors",
    "InvocationsPerInstance",
    "ModelLatency",
)
FUNCTION_ERRORS = ("Errors", "DeadLetterErrors", "DestinationDeliveryFailures", "AsyncEventsDropped")
API_ERRORS = ("5XXError", "5xx", "4XXError", "4xx")
WORKFLOW_ERRORS = ("ExecutionsFailed", "ExecutionsAborted")
READ_THROTTLES = ("ReadThrottleEvents", "ReadThrottledRequests", "ThrottledRequests")
WRITE_THROTTLES = ("WriteThrottleEvents", "WriteThrottledRequests", "ThrottledRequests")


def watched(resource: Resource, metrics: tuple[str, ...]) -> bool:
    return any(looks_at(alarm, resource, metrics) for alarm in resource.template.of_type(ALARM))


@rule(
    id="OPS-20",
    title="Dead letters are noticed",
    why="Dead letters that nobody is told of expire, and with them what customers sent",
    mend="Add an alarm on ApproximateNumberOfMessagesVisible of the dead letter queue above 0",
)
def dead_letters_are_noticed(template: Template) -> Iterator[Fault]:
    if template.of_type(ALARM):
        for queue in dead_letter_queues(template).values():
            if not watched(queue, DEPTHS):
                yield Fault(queue)


@rule(
    id="OPS-21",
    title="A queue that falls behind is noticed",
    why="A consumer that is too slow, or stuck, shows in the age of the oldest message and nowhere else",
    mend="Add an alarm on ApproximateAgeOfOldestMessage of the queue",
)
def late_queues_are_noticed(template: Template) -> Iterator[Fault]:
    if template.of_type(ALARM):
        for queue in template.of_type(QUEUE):
            if consuming_mappings(queue) and not watched(queue, AGES):
                yield Fault(queue)


@rule(
    id="OPS-22",
    title="Errors of an endpoint are noticed",
    why="An endpoint that answers with errors looks healthy: it is InService",
    mend="Add an alarm on Invocation5XXErrors (AWS/SageMaker) with EndpointName and VariantName",
)
def endpoint_errors_are_noticed(template: Template) -> Iterator[Fault]:
    if template.of_type(ALARM):
        for endpoint in template.of_type("AWS::SageMaker::Endpoint"):
            if not watched(endpoint, ENDPOINT_ERRORS) and not _names_endpoint(endpoint):
                yield Fault(endpoint)


def _names_endpoint(endpoint: Resource) -> bool:
    """Rollback alarms are made before their endpoint: they cannot refer to it, only hold its name."""
    alarms = endpoint.items("DeploymentConfig", "AutoRollbackConfiguration", "Alarms")
    return bool(alarms) and endpoint.name is None


@rule(
    id="OPS-23",
    title="Errors of a function are noticed",
    why="A function that fails on every event looks like one that gets none",
    mend="Add an alarm on Errors of the function",
    practice=True,
)
def function_errors_are_noticed(template: Template) -> Iterator[Fault | Kept]:
    # An authorizer refuses by raising, and where it fails otherwise its API answers 5xx.
    refusing = {
        logical_id
        for authorizer in template.of_type("AWS::ApiGateway::Authorizer", "AWS::ApiGatewayV2::Authorizer")
        for logical_id in template.references(authorizer.properties.get("AuthorizerUri"))
    }
    for function in template.of_type("AWS::Lambda::Function"):
        if function.logical_id not in refusing:
            yield Kept(function) if watched(function, FUNCTION_ERRORS) else Fault(function)


@rule(
    id="OPS-24",
    title="Failed workflows are noticed",
    why="A workflow that runs at night fails at night",
    mend="Add an alarm on ExecutionsFailed of the state machine",
    practice=True,
)
def workflow_errors_are_noticed(template: Template) -> Iterator[Fault | Kept]:
    for machine in template.of_type("AWS::StepFunctions::StateMachine"):
        yield Kept(machine) if watched(machine, WORKFLOW_ERRORS) else Fault(machine)


@rule(
    id="OPS-25",
    title="A stream that falls behind is noticed",
    why="Records that their consumer does not reach in time expire unread",
    mend="Add an alarm on IteratorAge of the function that reads the stream",
    practice=True,
)
def late_streams_are_noticed(template: Template) -> Iterator[Fault | Kept]:
    for mapping in template.of_type(MAPPING):
        function = template.target(mapping.value("FunctionName"), "AWS::Lambda::Function")
        if source_of(mapping) == "stream" and function is not None:
            yield Kept(function) if watched(function, ("IteratorAge",)) else Fault(function)


@rule(
    id="OPS-26",
    title="Errors of an API are noticed",
    why="An API that answers with 5xx is down for its callers, whatever its functions say",
    mend="Add an alarm on 5XXError (AWS/ApiGateway) of the API",
    practice=True,
)
def api_errors_are_noticed(template: Template) -> Iterator[Fault | Kept]:
    seen = [
        dimension.value("Value")
        for alarm in template.of_type(ALARM)
        for metric in metrics_of(alarm)
        if text(metric.value("MetricName")) in (*API_ERRORS, None)
        for dimension in metric.each("Dimensions")
    ]
    for api in template.of_type("AWS::ApiGateway::RestApi", "AWS::ApiGatewayV2::Api"):
        name = text(api.value("Name"))
        known = any(text(value) in (None, name) or api in template.targets(value) for value in seen)
        yield Kept(api) if known else Fault(api)


@rule(
    id="OPS-55",
    title="Calls that a function turns away are noticed",
    why="A function that may not run more often at once drops or delays calls, and has no error to show for it",
    mend="Add an alarm on Throttles of the function",
    practice=True,
)
def turned_away_calls_are_noticed(template: Template) -> Iterator[Fault | Kept]:
    for function in template.of_type("AWS::Lambda::Function"):
        yield Kept(function) if watched(function, ("Throttles",)) else Fault(function)


@rule(
    id="OPS-56",
    title="Workflows that take too long are noticed",
    why="A workflow that is ended by its timeout has not failed by its own count",
    mend="Add an alarm on ExecutionsTimedOut of the state machine",
    practice=True,
)
def late_workflows_are_noticed(template: Template) -> Iterator[Fault | Kept]:
    for machine in template.of_type("AWS::StepFunctions::StateMachine"):
        yield Kept(machine) if watched(machine, ("ExecutionsTimedOut",)) else Fault(machine)


@rule(
    id="OPS-57",
    title="A table that turns calls away is noticed",
    why="Clients try again for a while, so that a table at its limit shows as slowness first and as lost writes later",
    mend="Add alarms on ReadThrottleEvents and WriteThrottleEvents of the table",
    practice=True,
)
def full_tables_are_noticed(template: Template) -> Iterator[Fault | Kept]:
    for table in template.of_type("AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable"):
        is_watched = watched(table, READ_THROTTLES) and watched(table, WRITE_THROTTLES)
        yield Kept(table) if is_watched else Fault(table)


@rule(
    id="OPS-58",
    title="A queue of another stack's consumer that falls behind is noticed",
    why="Who makes a queue knows how long a message may wait, and the consumer may never have been deployed",
    mend="Add an alarm on ApproximateAgeOfOldestMessage of the queue",
    practice=True,
)
def late_queues_of_others_are_noticed(template: Template) -> Iterator[Fault | Kept]:
    for queue in template.of_type(QUEUE):
        if queue.properties.get("RedrivePolicy") is not None and not consuming_mappings(queue):
            yield Kept(queue) if watched(queue, AGES) else Fault(queue)
