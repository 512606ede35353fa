"""Who uses a queue for dead letters, and which queue. It declares no rule."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from policy.parts import Part
from policy.template import Resource, Template
from policy.values import document, mapping

QUEUE = "AWS::SQS::Queue"
TOPIC = "AWS::SNS::Topic"
FUNCTION = "AWS::Lambda::Function"
MAPPING = "AWS::Lambda::EventSourceMapping"
SUBSCRIPTION = "AWS::SNS::Subscription"
RULE = "AWS::Events::Rule"
SCHEDULE = "AWS::Scheduler::Schedule"
# A queue that another stack uses for dead letters is told by its name alone.
SOUNDS_DEAD = re.compile(r"dlq|dead|fail|poison|undeliver|unprocess|reject|redrive|parking|quarantine", re.IGNORECASE)

# Where a resource of a type names the place of its dead letters; `*` is each element of a list.
PLACES = (
    (RULE, "Targets.*.DeadLetterConfig.Arn"),
    (SCHEDULE, "Target.DeadLetterConfig.Arn"),
    (FUNCTION, "DeadLetterConfig.TargetArn"),
    (MAPPING, "DestinationConfig.OnFailure.Destination"),
    ("AWS::Lambda::EventInvokeConfig", "DestinationConfig.OnFailure.Destination"),
    ("AWS::Pipes::Pipe", "SourceParameters.KinesisStreamParameters.DeadLetterConfig.Arn"),
    ("AWS::Pipes::Pipe", "SourceParameters.DynamoDBStreamParameters.DeadLetterConfig.Arn"),
    ("AWS::Events::EventBus", "DeadLetterConfig.Arn"),
)
REDRIVEN = (QUEUE, SUBSCRIPTION)


def redrive_policies(resource: Resource) -> list[object]:
    """The redrive policies that a queue or a subscription may have, as documents; None where there is none."""
    return [document(policy) for policy in resource.values("RedrivePolicy")]


def dead_letter_queue(queue: Resource) -> Resource | None:
    """The queue of this template that takes the dead letters of a queue."""
    for policy in redrive_policies(queue):
        found = queue.template.target(mapping(policy).get("deadLetterTargetArn"), QUEUE)
        if found is not None:
            return found
    return None


def dead_letter_queues(template: Template) -> dict[str, Resource]:
    """Every queue of the template that takes dead letters of anything in it, by logical id."""
    found: dict[str, Resource] = {}
    for value in _named(template):
        queue = template.target(value, QUEUE)
        if queue is not None:
            found[queue.logical_id] = queue
    return found


def _named(template: Template) -> Iterator[object]:
    for resource in template.of_type(*REDRIVEN):
        for policy in redrive_policies(resource):
            yield mapping(policy).get("deadLetterTargetArn")
    for type_, path in PLACES:
        before, star, after = path.partition(".*.")
        for resource in template.of_type(type_):
            for part in Part.of(resource).each(before) if star else (Part.of(resource),):
                yield from part.values(after if star else path)


def sounds_dead(queue: Resource) -> bool:
    """By its name the queue is for dead letters: those of another stack, where nothing here uses it."""
    return any(SOUNDS_DEAD.search(name) for name in (queue.logical_id, queue.name or ""))


def consuming_mappings(queue: Resource) -> list[Resource]:
    """The event source mappings that read a queue."""
    return _consuming_mappings(queue.template).get(queue.logical_id, [])


@lru_cache(maxsize=8)
def _consuming_mappings(template: Template) -> dict[str, list[Resource]]:
    """By the logical id of the queue: several rules ask it of every queue."""
    found: dict[str, list[Resource]] = {}
    for mapping_ in template.of_type(MAPPING):
        queue = template.target(mapping_.value("EventSourceArn"), QUEUE)
        if queue is not None:
            found.setdefault(queue.logical_id, []).append(mapping_)
    return found
