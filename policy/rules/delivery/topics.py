"""Rules for topics and their subscriptions: encrypted, and what cannot be handed over is kept."""

from __future__ import annotations

from collections.abc import Iterator

from policy.parts import Part, own_key, present
from policy.rule import Fault, Kept, rule
from policy.rules.delivery.dead_letters import SUBSCRIPTION, TOPIC, redrive_policies
from policy.template import Template
from policy.values import UNKNOWN, mapping, text

# SNS tries people's addresses for long by itself; a machine that is away for longer loses what was sent meanwhile.
MACHINES = ("sqs", "lambda", "http", "https", "firehose")


@rule(
    id="DELIVERY-30",
    title="Topics are encrypted",
    why="What is published to a topic without a key lies readable on the service's disks",
    mend="Set KmsMasterKeyId of the topic",
    controls=("SNS.1",),
)
def topics_are_encrypted(template: Template) -> Iterator[Fault]:
    for topic in template.of_type(TOPIC):
        if not all(present(value) for value in topic.values("KmsMasterKeyId")):
            yield Fault(topic)


@rule(
    id="DELIVERY-31",
    title="Topics are encrypted with a key of yours",
    why="Alarms, buckets and rules cannot publish to a topic under AWS's own key: the message is lost in silence",
    mend="Set KmsMasterKeyId to a key of yours, whose policy lets those services use it",
    practice=True,
)
def topics_use_an_own_key(template: Template) -> Iterator[Fault | Kept]:
    for topic in template.of_type(TOPIC):
        if topic.has("KmsMasterKeyId"):
            yield Kept(topic) if all(own_key(value) for value in topic.values("KmsMasterKeyId")) else Fault(topic)


@rule(
    id="DELIVERY-32",
    title="A subscription keeps what it cannot hand over",
    why="While the subscriber is away SNS tries for a while, and then drops the message",
    mend="Set RedrivePolicy.deadLetterTargetArn of the subscription to a queue",
)
def subscriptions_keep_dead_letters(template: Template) -> Iterator[Fault]:
    for subscription in template.of_type(SUBSCRIPTION):
        if text(subscription.value("Protocol")) not in MACHINES:
            continue
        for policy in redrive_policies(subscription):
            if policy is not UNKNOWN and mapping(policy).get("deadLetterTargetArn") in (None, ""):
                yield Fault(subscription)
    for topic in template.of_type(TOPIC):
        for inline in Part.of(topic).each("Subscription"):
            if text(inline.value("Protocol")) in MACHINES:
                yield Fault(topic, "a subscription inside a topic can have no RedrivePolicy: make it a resource")


@rule(
    id="DELIVERY-33",
    title="Subscriptions are handed over by HTTPS",
    why="Over plain HTTP everybody on the way reads, and may change, what is handed over",
    mend="Set Protocol to https",
)
def subscriptions_use_https(template: Template) -> Iterator[Fault]:
    for subscription in template.of_type(SUBSCRIPTION):
        if "http" in subscription.values("Protocol"):
            yield Fault(subscription)
