"""Rules for queues: a message is tried more than once, by one consumer at a time, and its dead letter outlives it."""

from __future__ import annotations

from collections.abc import Iterator

from policy.parts import own_key
from policy.rule import Fault, Kept, rule
from policy.rules.data.customer_key import uses_own_keys
from policy.rules.delivery.dead_letters import (
    FUNCTION,
    QUEUE,
    TOPIC,
    consuming_mappings,
    dead_letter_queue,
    dead_letter_queues,
    redrive_policies,
    sounds_dead,
)
from policy.statements import Statement, resource_statements
from policy.template import Resource, Template
from policy.values import UNKNOWN, is_false, is_known, is_true, mapping, number, text

FUNCTION_TIMEOUT_SECONDS = 3
VISIBILITY_SECONDS = 30
TIMES_THE_TIMEOUT = 6
RETENTION_SECONDS = 345_600
LONGEST_RETENTION_SECONDS = 1_209_600
FEWEST_RECEIVES = 2
MOST_RECEIVES = 100
QUEUE_POLICIES = ("AWS::SQS::QueuePolicy", "AWS::SQS::QueueInlinePolicy")
TOPIC_POLICIES = ("AWS::SNS::TopicPolicy", "AWS::SNS::TopicInlinePolicy")
HAND_ON_EVENTS = (
    "AWS::Events::Rule",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::Function",
    "AWS::SNS::Subscription",
    "AWS::Scheduler::Schedule",
)
NAMED_BY = {"AWS::SQS": ("Queues", "Queue"), "AWS::SNS": ("Topics", "TopicArn")}


def numbers(resource: Resource, name: str, default: float) -> list[float]:
    """Every number that a property may be; its default where it is absent."""
    values = [default if value is None else number(value) for value in resource.values(name)]
    return [value for value in values if value is not None]


@rule(
    id="DELIVERY-01",
    title="A queue hides a message for at least six times its consumer's timeout",
    why="A message that shows again while it is still worked on is worked on twice",
    mend="Set VisibilityTimeout of the queue to at least 6 times the Timeout of the function that reads it",
)
def visibility_covers_the_consumer(template: Template) -> Iterator[Fault]:
    for queue in template.of_type(QUEUE):
        for mapping_ in consuming_mappings(queue):
            function = template.target(mapping_.value("FunctionName"), FUNCTION)
            if function is None:
                continue
            timeouts = numbers(function, "Timeout", FUNCTION_TIMEOUT_SECONDS)
            visible = numbers(queue, "VisibilityTimeout", VISIBILITY_SECONDS)
            if timeouts and visible and min(visible) < TIMES_THE_TIMEOUT * min(timeouts):
                yield Fault(
                    queue,
                    f"{min(visible):.0f} s, while {function.logical_id} may take {min(timeouts):.0f} s",
                )


@rule(
    id="DELIVERY-02",
    title="A message is received more than once before it is a dead letter",
    why="With one receive a passing fault (a deploy, a throttle) makes a dead letter of a good message",
    mend="Set RedrivePolicy.maxReceiveCount to 3 to 10",
)
def messages_are_tried_again(template: Template) -> Iterator[Fault]:
    for queue in template.of_type(QUEUE):
        for policy in redrive_policies(queue):
            if not isinstance(policy, dict) or not policy:
                continue
            count = policy.get("maxReceiveCount")
            tries = number(count)
            if tries is None and not is_known(count):
                continue
            if tries is None or not FEWEST_RECEIVES <= tries <= MOST_RECEIVES:
                yield Fault(queue, f"maxReceiveCount is {'not set' if count is None else text(count)}")


@rule(
    id="DELIVERY-03",
    title="A queue has a queue for its dead letters",
    why="A message that always fails goes round until it expires, and then is lost without a trace",
    mend="Give the queue a RedrivePolicy with deadLetterTargetArn (another queue) and maxReceiveCount",
)
def queues_have_dead_letter_queues(template: Template) -> Iterator[Fault]:
    dead = dead_letter_queues(template)
    for queue in template.of_type(QUEUE):
        if (queue.logical_id in dead or sounds_dead(queue)) and not consuming_mappings(queue):
            continue
        for policy in redrive_policies(queue):
            if policy is UNKNOWN:
                continue
            target = mapping(policy).get("deadLetterTargetArn")
            if target in (None, ""):
                yield Fault(queue, "" if policy in (None, {}, "") else "its RedrivePolicy names none")
            elif template.target(target, QUEUE) is queue:
                yield Fault(queue, "it is its own")


@rule(
    id="DELIVERY-04",
    title="Dead letters outlive the messages of their source",
    why="A dead letter keeps the age of its message: it expires before anybody has looked at it",
    mend="Set MessageRetentionPeriod of the dead letter queue above its source's, up to 1209600 (14 days)",
)
def dead_letters_outlive_their_source(template: Template) -> Iterator[Fault]:
    for queue in template.of_type(QUEUE):
        dead = dead_letter_queue(queue)
        if dead is None or dead is queue:
            continue
        kept = numbers(queue, "MessageRetentionPeriod", RETENTION_SECONDS)
        kept_dead = numbers(dead, "MessageRetentionPeriod", RETENTION_SECONDS)
        if not kept or not kept_dead:
            continue
        # A FIFO queue's dead letters start anew; and nothing outlives the longest retention there is.
        equal_is_enough = is_true(dead.value("FifoQueue")) or min(kept_dead) >= LONGEST_RETENTION_SECONDS
        if min(kept_dead) < max(kept) or (min(kept_dead) == max(kept) and not equal_is_enough):
            yield Fault(dead, f"{min(kept_dead):.0f} s, and {queue.logical_id} keeps its messages {max(kept):.0f} s")


@rule(
    id="DELIVERY-11",
    title="Dead letters of events are kept for two weeks",
    why="Nobody looks at a weekend, and after four days, the default, what failed is gone",
    mend="Set MessageRetentionPeriod of the queue to 1209600 (14 days)",
    practice=True,
)
def dead_letters_of_events_are_kept(template: Template) -> Iterator[Fault | Kept]:
    for dead in dead_letter_queues(template).values():
        if template.referrers(dead, *HAND_ON_EVENTS):
            kept = numbers(dead, "MessageRetentionPeriod", RETENTION_SECONDS)
            yield Kept(dead) if not kept or min(kept) >= LONGEST_RETENTION_SECONDS else Fault(dead)


@rule(
    id="DELIVERY-05",
    title="Queues are encrypted",
    why="What waits in a queue without encryption lies readable on the service's disks",
    mend="Set KmsMasterKeyId, or SqsManagedSseEnabled to true",
    controls=("SQS.1",),
)
def queues_are_encrypted(template: Template) -> Iterator[Fault]:
    for queue in template.of_type(QUEUE):
        if queue.has("KmsMasterKeyId"):
            continue
        if any(is_false(value) for value in queue.values("SqsManagedSseEnabled")) or "" in queue.values(
            "KmsMasterKeyId"
        ):
            yield Fault(queue)


@rule(
    id="DELIVERY-06",
    title="Queues are encrypted with a key of yours",
    why="With the service's own key nobody can say who may read the messages, or take that away",
    mend="Set KmsMasterKeyId to a key of yours",
    practice=True,
)
def queues_use_an_own_key(template: Template) -> Iterator[Fault | Kept]:
    for queue in template.of_type(QUEUE):
        if all(own_key(value) for value in queue.values("KmsMasterKeyId")):
            yield Kept(queue)
            continue
        yield Fault(queue)
        # Who encrypts other things with a key of theirs, and says nothing of SQS's own, means this queue too.
        if uses_own_keys(template) and not queue.has("SqsManagedSseEnabled"):
            yield Kept(queue)


@rule(
    id="DELIVERY-07",
    title="FIFO queues and topics are FIFO all through",
    why="CloudFormation, SQS and SNS refuse a FIFO resource whose name, dead letters or options are of the other kind",
    mend="Let FifoQueue (FifoTopic), the suffix .fifo and the kind of the dead letter queue agree",
)
def fifo_agrees(template: Template) -> Iterator[Fault]:
    for resource in template.of_type(QUEUE, TOPIC):
        kind = "FifoQueue" if resource.type == QUEUE else "FifoTopic"
        declared = resource.value(kind)
        if not is_known(declared):
            continue
        fifo = is_true(declared)
        if resource.name is not None and not resource.name.endswith("}") and resource.name.endswith(".fifo") != fifo:
            yield Fault(resource, f"its name does not fit {kind}")
        if not fifo and is_true(resource.value("ContentBasedDeduplication")):
            yield Fault(resource, "ContentBasedDeduplication is for FIFO alone")
        dead = dead_letter_queue(resource) if resource.type == QUEUE else None
        if dead is not None and is_known(dead.value("FifoQueue")) and is_true(dead.value("FifoQueue")) != fifo:
            yield Fault(resource, f"its dead letter queue {dead.logical_id} is of the other kind")


@rule(
    id="DELIVERY-08",
    title="Policies that ask for TLS do ask for it",
    why="A statement on aws:SecureTransport that does not deny what came without TLS protects nothing",
    mend='Deny the actions to everybody with {"Bool": {"aws:SecureTransport": "false"}}',
)
def tls_statements_hold(template: Template) -> Iterator[Fault]:
    for statement in resource_statements(template):
        asked = [values for _, key, values in statement.condition_values() if key == "aws:securetransport"]
        for values in asked:
            if statement.denies and "true" in values:
                yield Fault(statement.resource, "it denies what came with TLS")
            elif statement.denies and statement.principals and "*" not in _everybody(statement):
                yield Fault(statement.resource, "it denies only some principals")


@rule(
    id="DELIVERY-09",
    title="Queues and topics are reached over TLS alone",
    why="Messages that travel without TLS can be read on their way",
    mend='Add a policy that denies sqs:* (sns:Publish) to everybody with {"Bool": {"aws:SecureTransport": "false"}}',
    practice=True,
)
def queues_and_topics_ask_for_tls(template: Template) -> Iterator[Fault | Kept]:
    asked = {
        resource.logical_id
        for statement in resource_statements(template, *QUEUE_POLICIES, *TOPIC_POLICIES)
        if denies_without_tls(statement)
        for resource in governed(statement.resource)
    }
    for resource in template.of_type(QUEUE, TOPIC):
        yield Kept(resource) if resource.logical_id in asked else Fault(resource)


def governed(policy: Resource) -> list[Resource]:
    """The queues or topics to which a policy resource belongs."""
    several, single = NAMED_BY[policy.type.rpartition("::")[0]]
    named = [*policy.items(several), *policy.items(single)]
    return [resource for value in named for resource in policy.template.targets(value)]


def denies_without_tls(statement: Statement) -> bool:
    return (
        statement.denies
        and "*" in _everybody(statement)
        and any(
            operator == "bool" and key == "aws:securetransport" and "false" in values
            for operator, key, values in statement.condition_values()
        )
    )


def _everybody(statement: Statement) -> tuple[str, ...]:
    return (*statement.principals.get("AWS", ()), *statement.principals.get("*", ()))
