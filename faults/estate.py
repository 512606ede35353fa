"""What the templates of a system hold that can fail: functions, queues, tables, machines, topics, APIs, endpoints.

Reads any CloudFormation templates and gives everything one name, by which metrics and alarms speak of it: its own
where the template says it, its logical id otherwise. Knows no metric and no alarm's limits.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from policy.template import Resource, Template
from policy.values import Reference, items, mapping, number, text

_ALARM = "AWS::CloudWatch::Alarm"


@dataclass(frozen=True, kw_only=True)
class Variant:
    """A production variant, and how many calls a minute autoscaling keeps each of its instances at, if at all."""

    endpoint: str
    name: str
    calls_per_instance: float | None


@dataclass(frozen=True, kw_only=True)
class Api:
    """A stage of a REST API."""

    name: str
    stage: str


class Estate:
    """Several templates as one system."""

    def __init__(self, templates: Sequence[Template]) -> None:
        self._templates = templates

    def name(self, resource: Resource) -> str:
        """What metrics call a resource; with its template's name before it where a logical id is not alone."""
        if resource.name:
            return resource.name
        shared = self._logical_ids[resource.logical_id] > 1
        return (
            f"{Path(resource.template.source).name.partition('.')[0]}.{resource.logical_id}"
            if shared
            else resource.logical_id
        )

    def alarms(self) -> dict[str, dict[str, object]]:
        """The properties of every alarm by its name, with names where they refer to resources."""
        named = {}
        for resource in self._of(_ALARM):
            properties = {name: resource.template.resolve(raw) for name, raw in resource.properties.items()}
            named[self.name(resource)] = {name: self._plain(value, resource) for name, value in properties.items()}
        return named

    def functions(self) -> list[str]:
        """Functions, but for those that only a deployment calls."""
        deploying = {
            (resource.template.source, logical_id)
            for resource in self._resources
            if "ServiceToken" in resource.properties
            for logical_id in resource.template.references(resource.properties["ServiceToken"])
        }
        functions = self._of("AWS::Lambda::Function")
        return [self.name(each) for each in functions if (each.template.source, each.logical_id) not in deploying]

    def functions_behind_apis(self) -> list[str]:
        """Functions that API Gateway may call."""
        return self._targets("AWS::Lambda::Permission", "FunctionName", {"Principal": "apigateway.amazonaws.com"})

    def authorizers(self) -> list[str]:
        """Functions that an API asks before it lets a request in; where one fails, the API answers 5xx."""
        asked = self._of("AWS::ApiGateway::Authorizer")
        functions = {id(each) for each in self._of("AWS::Lambda::Function")}
        named = (
            each.template.resources[logical_id]
            for each in asked
            for logical_id in each.template.references(each.properties.get("AuthorizerUri"))
        )
        return [self.name(each) for each in named if id(each) in functions]

    def functions_that_loop(self) -> list[str]:
        """Functions that may call themselves, by way of a queue: they put work off."""
        functions = self._of("AWS::Lambda::Function")
        return [self.name(each) for each in functions if text(each.value("RecursiveLoop")) == "Allow"]

    def functions_behind_streams(self) -> list[str]:
        """Functions that follow a stream."""
        mappings = self._of("AWS::Lambda::EventSourceMapping")
        return self._named(each for each in mappings if each.has("StartingPosition"))

    def work_queues(self) -> list[str]:
        """Queues that something works off: those that give up on a message at last."""
        return [self.name(each) for each in self._of("AWS::SQS::Queue") if each.has("RedrivePolicy")]

    def working_seconds(self, queue: str) -> float:
        """How long a message of the queue may be worked on: a sixth of its visibility timeout, as AWS asks for it."""
        timeouts = (
            number(each.value("VisibilityTimeout")) for each in self._of("AWS::SQS::Queue") if self.name(each) == queue
        )
        return max((timeout or 0.0 for timeout in timeouts), default=0.0) / 6

    def dead_letter_queues(self) -> list[str]:
        """Queues that take what others gave up on."""
        places = {
            "AWS::SQS::Queue": ("RedrivePolicy", "deadLetterTargetArn"),
            "AWS::SNS::Subscription": ("RedrivePolicy", "deadLetterTargetArn"),
            "AWS::Lambda::Function": ("DeadLetterConfig", "TargetArn"),
            "AWS::Lambda::EventSourceMapping": ("DestinationConfig", "OnFailure", "Destination"),
        }
        found: dict[str, None] = {}
        for type_, path in places.items():
            for resource in self._of(type_):
                for value in resource.values(*path):
                    target = resource.template.target(value, "AWS::SQS::Queue")
                    if target:
                        found[self.name(target)] = None
        return list(found)

    def tables(self) -> list[str]:
        return self._names("AWS::DynamoDB::Table")

    def machines(self) -> list[str]:
        return self._names("AWS::StepFunctions::StateMachine")

    def topics(self) -> list[str]:
        """Topics, but for those that alarms report to: a topic cannot report its own silence."""
        reported_to = {
            logical_id
            for alarm in self._of(_ALARM)
            for logical_id in alarm.template.references(alarm.properties.get("AlarmActions"))
        }
        return [
            self.name(each)
            for each in self._of("AWS::SNS::Topic")
            if each.logical_id not in reported_to and not self._is_exported_to_alarms(each)
        ]

    def apis(self) -> list[Api]:
        found = []
        for stage in self._of("AWS::ApiGateway::Stage"):
            api = stage.template.target(stage.value("RestApiId"), "AWS::ApiGateway::RestApi")
            stage_name = text(stage.value("StageName"))
            if api and stage_name:
                found.append(Api(name=text(api.value("Name")) or self.name(api), stage=stage_name))
        return found

    def variants(self) -> list[Variant]:
        """Production variants that are always there: not those under a condition."""
        found = []
        for endpoint in self._of("AWS::SageMaker::Endpoint"):
            config = endpoint.template.target(endpoint.value("EndpointConfigName"), "AWS::SageMaker::EndpointConfig")
            for raw in items(config.properties.get("ProductionVariants")) if config else ():
                name = text(mapping(endpoint.template.resolve(raw)).get("VariantName"))
                if name and "Fn::If" not in mapping(raw):
                    kept = self._calls_per_instance(endpoint, name)
                    found.append(Variant(endpoint=self.name(endpoint), name=name, calls_per_instance=kept))
        return found

    def _calls_per_instance(self, endpoint: Resource, variant: str) -> float | None:
        for policy in self._of("AWS::ApplicationAutoScaling::ScalingPolicy"):
            if policy.template is not endpoint.template:
                continue
            target = policy.template.target(policy.value("ScalingTargetId"))
            scaled = target.properties.get("ResourceId") if target else None
            about = f"variant/{variant}" in str(scaled) and (
                endpoint.logical_id in policy.template.references(scaled) or self.name(endpoint) in str(scaled)
            )
            if about:
                return number(policy.value("TargetTrackingScalingPolicyConfiguration", "TargetValue"))
        return None

    def _is_exported_to_alarms(self, topic: Resource) -> bool:
        """Whether alarms of other templates import the topic."""
        actions = [str(alarm.properties.get("AlarmActions")) for alarm in self._of(_ALARM)]
        for output_name, output in mapping(topic.template.outputs).items():
            if topic.logical_id in topic.template.references(mapping(output).get("Value")):
                export = text(mapping(mapping(output).get("Export")).get("Name")) or output_name
                if any(export in action for action in actions):
                    return True
        return False

    @cached_property
    def _resources(self) -> list[Resource]:
        return [resource for template in self._templates for resource in template.resources.values()]

    @cached_property
    def _logical_ids(self) -> Counter[str]:
        return Counter(resource.logical_id for resource in self._resources)

    def _of(self, type_: str) -> list[Resource]:
        return [resource for resource in self._resources if resource.type == type_]

    def _names(self, type_: str) -> list[str]:
        return [self.name(resource) for resource in self._of(type_)]

    def _targets(self, type_: str, member: str, where: Mapping[str, str]) -> list[str]:
        meant = (each for each in self._of(type_) if all(each.value(name) == value for name, value in where.items()))
        return self._named(meant, member)

    def _named(self, resources: Iterable[Resource], member: str = "FunctionName") -> list[str]:
        """The resources that a member of others points at, each once."""
        return list(dict.fromkeys(self.name(target) for target in _followed(resources, member)))

    def _plain(self, value: object, of: Resource) -> object:
        """The value with names in the place of references."""
        if isinstance(value, Reference):
            return self.name(of.template.resources[value.logical_id])
        if isinstance(value, Mapping):
            return {key: self._plain(each, of) for key, each in value.items()}
        return [self._plain(each, of) for each in value] if isinstance(value, list | tuple) else value


def _followed(resources: Iterable[Resource], member: str) -> Iterator[Resource]:
    for resource in resources:
        target = resource.template.target(resource.value(member))
        if target:
            yield target
