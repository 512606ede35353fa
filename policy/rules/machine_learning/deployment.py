"""Rules for how an endpoint is updated: a few requests first, and back by itself when an alarm goes off.

What the alarms must watch is in `alarms`.
"""

from __future__ import annotations

from collections.abc import Iterator

from policy.parts import Part, shown
from policy.rule import Fault, rule
from policy.rules.machine_learning.endpoints import ENDPOINT, endpoint_variants
from policy.template import Resource, Template
from policy.values import UNKNOWN, is_known, number, text

LARGEST_STEP_PERCENT = 50
SHORTEST_BAKE_SECONDS = 60
# How each kind of routing calls the size of its steps.
STEPS = {"CANARY": "CanarySize", "LINEAR": "LinearStepSize"}


def is_guarded_type(endpoint: Resource) -> bool:
    """Deployment guardrails work for this endpoint: it has instances, more than one."""
    found = endpoint_variants(endpoint)
    if found is None:
        return True
    counts = [number(variant.value("InitialInstanceCount")) for variant in found]
    return any(count is None or count > 1 for count in counts)


def policies(endpoint: Resource) -> list[Part]:
    """The update policies of an endpoint: blue/green or rolling."""
    part = Part.of(endpoint)
    return [
        *part.at("DeploymentConfig.BlueGreenUpdatePolicy"),
        *part.at("DeploymentConfig.RollingUpdatePolicy"),
    ]


def routings(endpoint: Resource) -> list[Part]:
    return Part.of(endpoint).at("DeploymentConfig.BlueGreenUpdatePolicy.TrafficRoutingConfiguration")


@rule(
    id="ML-30",
    title="Endpoints are updated step by step",
    why="Without a canary, every customer meets a bad model at once",
    mend="Set DeploymentConfig with a BlueGreenUpdatePolicy that routes CANARY or LINEAR, or a RollingUpdatePolicy",
)
def endpoints_are_updated_step_by_step(template: Template) -> Iterator[Fault]:
    for endpoint in template.of_type(ENDPOINT):
        if not is_guarded_type(endpoint):
            continue
        if not policies(endpoint) and UNKNOWN not in endpoint.values("DeploymentConfig"):
            yield Fault(endpoint, "DeploymentConfig has no update policy")
        for blue_green in Part.of(endpoint).at("DeploymentConfig.BlueGreenUpdatePolicy"):
            for kind in blue_green.values("TrafficRoutingConfiguration.Type"):
                if is_known(kind) and text(kind) not in ("CANARY", "LINEAR"):
                    yield Fault(endpoint, f"TrafficRoutingConfiguration.Type is {shown(kind)}")


@rule(
    id="ML-31",
    title="A step of an update is small, and long enough to notice",
    why="A canary that takes most of the traffic, or ends before an alarm can go off, guards nobody",
    mend="Set CanarySize or LinearStepSize to at most 50 %, and WaitIntervalInSeconds to a minute or more",
)
def steps_are_small_and_long(template: Template) -> Iterator[Fault]:
    for endpoint in template.of_type(ENDPOINT):
        for routing in routings(endpoint):
            kinds = {text(kind) for kind in routing.values("Type")}
            for kind, name in STEPS.items():
                if kind in kinds and not routing.may_have(name):
                    yield Fault(endpoint, f"{name} is not set")
            for name in STEPS.values():
                for size in routing.at(name):
                    percent = _percent(size, endpoint)
                    if percent is not None and percent > LARGEST_STEP_PERCENT:
                        yield Fault(endpoint, f"{name} is {percent:.0f} %")
            if kinds & STEPS.keys():
                yield from _bake_faults(endpoint, routing)
        for rolling in Part.of(endpoint).at("DeploymentConfig.RollingUpdatePolicy"):
            yield from _bake_faults(endpoint, rolling)


def _percent(size: Part, endpoint: Resource) -> float | None:
    """How much of the endpoint's capacity a step takes, where that is known."""
    value = number(size.value("Value"))
    if value is None or text(size.value("Type")) == "CAPACITY_PERCENT":
        return value
    counts = [number(variant.value("InitialInstanceCount")) for variant in endpoint_variants(endpoint) or ()]
    known = [count for count in counts if count is not None]
    return 100 * value / sum(known) if known and len(known) == len(counts) and sum(known) else None


def _bake_faults(endpoint: Resource, part: Part) -> Iterator[Fault]:
    for wait in part.values("WaitIntervalInSeconds"):
        if is_known(wait) and (number(wait) or 0) < SHORTEST_BAKE_SECONDS:
            yield Fault(endpoint, f"WaitIntervalInSeconds is {shown(wait)}")


@rule(
    id="ML-32",
    title="The old fleet stays for a while after an update",
    why="When the old instances are gone at once, an alarm that comes a minute later finds nothing to go back to",
    mend="Set TerminationWaitInSeconds above 0",
)
def old_fleets_stay(template: Template) -> Iterator[Fault]:
    for endpoint in template.of_type(ENDPOINT):
        for blue_green in Part.of(endpoint).at("DeploymentConfig.BlueGreenUpdatePolicy"):
            for wait in blue_green.values("TerminationWaitInSeconds"):
                if is_known(wait) and not (number(wait) or 0) > 0:
                    yield Fault(endpoint, f"TerminationWaitInSeconds is {shown(wait)}")


@rule(
    id="ML-33",
    title="An update has a time limit that leaves room for its waits",
    why="Without a limit a stuck update blocks every other one; with one that is too short it never succeeds",
    mend="Set MaximumExecutionTimeoutInSeconds above the sum of TerminationWaitInSeconds and the wait of each step",
)
def updates_have_a_time_limit(template: Template) -> Iterator[Fault]:
    for endpoint in template.of_type(ENDPOINT):
        for policy in policies(endpoint):
            for limit in policy.values("MaximumExecutionTimeoutInSeconds"):
                if limit is None:
                    yield Fault(endpoint, "MaximumExecutionTimeoutInSeconds is not set")
                elif (seconds := number(limit)) is not None and seconds <= _waits(policy):
                    yield Fault(
                        endpoint, f"MaximumExecutionTimeoutInSeconds is {shown(limit)}, its waits {_waits(policy):.0f}"
                    )


def _waits(policy: Part) -> float:
    """Seconds that an update waits at the least."""
    waits = number(policy.value("TerminationWaitInSeconds")) or 0
    for routing in policy.at("TrafficRoutingConfiguration"):
        step = number(routing.value("WaitIntervalInSeconds")) or 0
        percent = text(routing.value("LinearStepSize.Type")) == "CAPACITY_PERCENT"
        size = number(routing.value("LinearStepSize.Value")) if percent else None
        waits += step * (-(-100 // size) if size else 1)
    return waits


@rule(
    id="ML-34",
    title="An update goes back by itself when an alarm goes off",
    why="Guardrails without alarms never roll back: the canary is watched by nobody",
    mend="List alarms on the endpoint's errors and latency in DeploymentConfig.AutoRollbackConfiguration.Alarms",
)
def updates_roll_back(template: Template) -> Iterator[Fault]:
    for endpoint in template.of_type(ENDPOINT):
        for deployment in Part.of(endpoint).at("DeploymentConfig"):
            if policies(endpoint) and not deployment.has("AutoRollbackConfiguration.Alarms"):
                yield Fault(endpoint, "AutoRollbackConfiguration has no Alarms")
