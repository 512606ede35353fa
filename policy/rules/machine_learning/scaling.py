"""Rules for the scaling of endpoints: every variant grows under load, and never shrinks to one instance."""

from __future__ import annotations

from collections.abc import Iterator

from policy.parts import Part, shown
from policy.rule import Fault, rule
from policy.rules.machine_learning.endpoints import (
    ENDPOINT,
    FEWEST_INSTANCES,
    config_of,
    endpoint_variants,
    is_asynchronous,
    scales_itself,
)
from policy.template import Resource, Template
from policy.values import UNKNOWN, is_known, number, text

TARGET = "AWS::ApplicationAutoScaling::ScalableTarget"
POLICY = "AWS::ApplicationAutoScaling::ScalingPolicy"
COOLDOWNS = ("ScaleInCooldown", "ScaleOutCooldown")
# Application Auto Scaling does not take burstable instances.
NOT_SCALABLE = "ml.t2."


def targets(template: Template) -> list[Resource]:
    """The scaling targets of the template that stand for variants of endpoints."""
    found = template.of_type(TARGET)
    return [
        target
        for target in found
        if text(target.value("ServiceNamespace")) == "sagemaker" or "endpoint/" in _place(target)
    ]


def _place(target: Resource) -> str:
    return text(target.value("ResourceId")) or ""


def _covers(target: Resource, endpoint: Resource, variant: Part) -> bool:
    place = target.value("ResourceId")
    if place is UNKNOWN:
        return True
    named = target.template.mentioned(target.properties.get("ResourceId"))
    if endpoint.logical_id not in named and any(
        other.logical_id in named for other in target.template.of_type(ENDPOINT)
    ):
        return False
    if endpoint.logical_id not in named and is_known(place) and endpoint.name is not None and "${" not in endpoint.name:
        return False
    name, written = text(variant.value("VariantName")), _place(target).rsplit("/variant/", 1)[-1]
    return name is None or "${" in written or "${" in name or written == name


@rule(
    id="ML-40",
    title="Every variant of an endpoint scales",
    why="A fleet of one size is too small at the peak, when customers are most angry, and too dear at night",
    mend="Add an AWS::ApplicationAutoScaling::ScalableTarget for endpoint/NAME/variant/VARIANT with a scaling policy",
)
def variants_scale(template: Template) -> Iterator[Fault]:
    for endpoint in template.of_type(ENDPOINT):
        for variant in endpoint_variants(endpoint) or ():
            if scales_itself(variant) or (text(variant.value("InstanceType")) or "").startswith(NOT_SCALABLE):
                continue
            if not variant.may_have("ModelName") or _takes_no_traffic(variant):
                # The components of a variant without a model scale by themselves.
                continue
            if not any(_covers(target, endpoint, variant) for target in targets(template)):
                yield Fault(endpoint, f"variant {shown(variant.value('VariantName'))} has no scaling target")


def _takes_no_traffic(variant: Part) -> bool:
    """A variant that stands beside the others gets requests only while somebody compares them."""
    return number(variant.value("InitialVariantWeight")) == 0


@rule(
    id="ML-41",
    title="Scaling leaves two instances at the least, and room to grow",
    why="A minimum of one is one zone, and a maximum that equals the minimum is no scaling",
    mend="Set MinCapacity to 2 or more and MaxCapacity above it",
)
def scaling_has_room(template: Template) -> Iterator[Fault]:
    for target in targets(template):
        if "DesiredCopyCount" in (text(target.value("ScalableDimension")) or ""):
            continue
        least, most = number(target.value("MinCapacity")), number(target.value("MaxCapacity"))
        if least is not None and least < FEWEST_INSTANCES and not _may_sleep(target):
            yield Fault(target, f"MinCapacity is {least:.0f}")
        if least is not None and most is not None and most <= least:
            yield Fault(target, f"MaxCapacity is {most:.0f}, MinCapacity {least:.0f}")


def _may_sleep(target: Resource) -> bool:
    """An asynchronous endpoint may scale to nothing: its queue waits."""
    named = target.template.mentioned(target.properties.get("ResourceId"))
    endpoints = [endpoint for endpoint in target.template.of_type(ENDPOINT) if endpoint.logical_id in named]
    configs = [config_of(endpoint) for endpoint in endpoints]
    return any(config is not None and is_asynchronous(config) for config in configs)


@rule(
    id="ML-42",
    title="Every scaling target of an endpoint has a policy that grows, and waits between its steps",
    why="A target without a policy never scales, and steps without a wait make the fleet swing",
    mend="Add a ScalingPolicy with a TargetValue above 0, ScaleInCooldown and ScaleOutCooldown",
)
def targets_have_policies(template: Template) -> Iterator[Fault]:
    for target in targets(template):
        found = [policy for policy in template.of_type(POLICY) if _is_for(policy, target)]
        if not found and not any(policy.value("ScalingTargetId") is UNKNOWN for policy in template.of_type(POLICY)):
            yield Fault(target, "it has no scaling policy")
        for policy in found:
            for tracking in Part.of(policy).at("TargetTrackingScalingPolicyConfiguration"):
                for detail in _tracking_gaps(tracking):
                    yield Fault(policy, detail)


def _tracking_gaps(tracking: Part) -> Iterator[str]:
    for name in COOLDOWNS:
        for wait in tracking.values(name):
            if is_known(wait) and not (number(wait) or 0) > 0:
                yield f"{name} is {shown(wait)}"
    for value in tracking.values("TargetValue"):
        if is_known(value) and not (number(value) or 0) > 0:
            yield f"TargetValue is {shown(value)}"
    if not (tracking.may_have("PredefinedMetricSpecification") or tracking.may_have("CustomizedMetricSpecification")):
        yield "it follows no metric"


def _is_for(policy: Resource, target: Resource) -> bool:
    template = policy.template
    named = policy.value("ScalingTargetId")
    if named is not None:
        return template.target(named, TARGET) is target
    place = policy.value("ResourceId")
    return place is UNKNOWN or (
        place is not None
        and template.label(policy.properties["ResourceId"]) == template.label(target.properties.get("ResourceId"))
    )
