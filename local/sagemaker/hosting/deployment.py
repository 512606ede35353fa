"""A DeploymentConfig as a plan: in which stages traffic goes from the old fleet to the new one, and what it waits for.

Pure: AWS's limits and arithmetic, nothing of fleets, clocks or alarms. See
docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails.html
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from local.sagemaker.errors import validation
from local.sagemaker.store import Record

ALL_AT_ONCE: Record = {
    "BlueGreenUpdatePolicy": {
        "TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0},
        "TerminationWaitInSeconds": 0,
    }
}
# The member that says how large the steps are, and the share of all instances that it may name, in percent.
_SIZES = {
    "CANARY": ("CanarySize", 0, 50),
    "LINEAR": ("LinearStepSize", 10, 50),
    "ROLLING": ("MaximumBatchSize", 5, 50),
}


@dataclass(frozen=True, kw_only=True)
class Stage:
    """The new fleet answers this share of the requests, and alarms are watched for so long."""

    share: float
    bake_seconds: float


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """What an update does once the new fleet is healthy. ``timeout_seconds`` is for the whole of it."""

    stages: tuple[Stage, ...]
    alarms: tuple[str, ...] = ()
    termination_wait_seconds: float = 0.0
    timeout_seconds: float | None = None

    @classmethod
    def of(cls, config: Record, instances: Sequence[int]) -> "Deployment":
        """The plan for variants of so many instances; AwsError where AWS does not allow the config for them."""
        if len({"BlueGreenUpdatePolicy", "RollingUpdatePolicy"} & config.keys()) > 1:
            raise validation("Only one of BlueGreenUpdatePolicy and RollingUpdatePolicy can be specified.")
        if "RollingUpdatePolicy" in config:
            policy = config["RollingUpdatePolicy"]
            stages = _rolling(policy, instances)
        else:
            policy = {**ALL_AT_ONCE, **config}["BlueGreenUpdatePolicy"]
            stages = _blue_green(policy["TrafficRoutingConfiguration"], instances)
        alarms = config.get("AutoRollbackConfiguration", {}).get("Alarms", [])
        deployment = cls(
            stages=stages,
            alarms=tuple(alarm["AlarmName"] for alarm in alarms),
            termination_wait_seconds=policy.get("TerminationWaitInSeconds", 0),
            timeout_seconds=policy.get("MaximumExecutionTimeoutInSeconds"),
        )
        if deployment.timeout_seconds is not None and deployment.timeout_seconds <= deployment.waiting_seconds():
            raise validation(
                f"MaximumExecutionTimeoutInSeconds ({deployment.timeout_seconds}) must be larger than the total "
                f"waiting time of the deployment ({deployment.waiting_seconds()} seconds)."
            )
        return deployment

    def waiting_seconds(self) -> float:
        """How long it takes at least."""
        return sum(stage.bake_seconds for stage in self.stages) + self.termination_wait_seconds


def _blue_green(routing: Record, instances: Sequence[int]) -> tuple[Stage, ...]:
    kind, wait = routing["Type"], routing["WaitIntervalInSeconds"]
    for other, member in (("CANARY", "CanarySize"), ("LINEAR", "LinearStepSize")):
        if (other == kind) != (member in routing):
            is_needed = "is required" if other == kind else "cannot be specified"
            raise validation(f"{member} {is_needed} for traffic routing of type {kind}.")
    if kind == "ALL_AT_ONCE":
        return (Stage(share=1.0, bake_seconds=wait),)
    sizes = _sizes(kind, routing, instances)
    if kind == "LINEAR":
        return _steps(sizes, instances, wait)
    canary = Stage(share=sum(sizes) / sum(instances), bake_seconds=wait)
    whole = Stage(share=1.0, bake_seconds=wait)
    return (canary, whole) if canary.share < 1 else (whole,)


def _rolling(policy: Record, instances: Sequence[int]) -> tuple[Stage, ...]:
    if len(instances) > 1:
        raise validation("A rolling deployment is not supported for endpoints with multiple production variants.")
    return _steps(_sizes("ROLLING", policy, instances), instances, policy["WaitIntervalInSeconds"])


def _steps(sizes: Sequence[int], instances: Sequence[int], wait: float) -> tuple[Stage, ...]:
    """Equal steps, each variant by its own size, until every instance of every variant gets traffic."""
    number = max(math.ceil(count / size) for size, count in zip(sizes, instances, strict=True))
    activated = [
        sum(min(count, step * size) for size, count in zip(sizes, instances, strict=True))
        for step in range(1, number + 1)
    ]
    return tuple(Stage(share=active / sum(instances), bake_seconds=wait) for active in activated)


def _sizes(kind: str, policy: Record, instances: Sequence[int]) -> list[int]:
    """The CapacitySize of a policy in instances of each variant, rounded up to whole ones."""
    member, least, most = _SIZES[kind]
    size = policy[member]
    is_percentage = size["Type"] == "CAPACITY_PERCENT"
    for count in instances:
        percent = size["Value"] if is_percentage else 100 * size["Value"] / count
        if not least <= percent <= most:
            raise validation(
                f"{member} must be between {least} and {most} percent of the variant's total instance count: "
                f"{size['Value']} ({size['Type']}) of {count} is not."
            )
    return [math.ceil(count * size["Value"] / 100) if is_percentage else int(size["Value"]) for count in instances]
