"""Target tracking on the invocations of an endpoint's instances: when there should be more or fewer of them.

As on AWS three minutes above the target scale out and fifteen minutes below nine tenths of it scale in, each with its
cool-down, and minutes without data change nothing. Other metrics and other services are kept only: ``inert`` says so.
See docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-target-tracking.html
"""

import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from local.aws import seams
from local.aws.autoscaling import ApplicationAutoScaling
from local.environment import ACCOUNT, REGION
from local.sagemaker.errors import AwsError
from local.sagemaker.metrics import NAMESPACE
from local.sagemaker.store import Record

METRIC = "SageMakerVariantInvocationsPerInstance"
DIMENSION = "sagemaker:variant:DesiredInstanceCount"
TICK_SECONDS = 10.0
MINUTES_TO_SCALE_OUT = 3
MINUTES_TO_SCALE_IN = 15
DEFAULT_COOLDOWN_SECONDS = 300

log = logging.getLogger("local.autoscaling")

Call = Callable[[str, dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Tracking:
    """A target with its policy."""

    minimum: int
    maximum: int
    target: float
    scale_out_cooldown: float = DEFAULT_COOLDOWN_SECONDS
    scale_in_cooldown: float = DEFAULT_COOLDOWN_SECONDS
    may_scale_out: bool = True
    may_scale_in: bool = True

    @classmethod
    def of(cls, target: Record, policy: Record) -> "Tracking":
        """From the records of Application Auto Scaling."""
        settings, suspended = policy["TargetTrackingScalingPolicyConfiguration"], target["SuspendedState"]
        return cls(
            minimum=target["MinCapacity"],
            maximum=target["MaxCapacity"],
            target=settings["TargetValue"],
            scale_out_cooldown=settings.get("ScaleOutCooldown", DEFAULT_COOLDOWN_SECONDS),
            scale_in_cooldown=settings.get("ScaleInCooldown", DEFAULT_COOLDOWN_SECONDS),
            may_scale_out=not suspended["DynamicScalingOutSuspended"],
            may_scale_in=not (suspended["DynamicScalingInSuspended"] or settings.get("DisableScaleIn")),
        )

    def desired(self, current: int, minutes: Sequence[float | None], seconds_since_change: float) -> int:
        """The number of instances there should be; ``minutes`` are invocations per instance, the latest first."""
        high = [value for value in minutes[:MINUTES_TO_SCALE_OUT] if value is not None and value > self.target]
        low = [value for value in minutes[:MINUTES_TO_SCALE_IN] if value is not None and value < 0.9 * self.target]
        may_scale_out = self.may_scale_out and seconds_since_change >= self.scale_out_cooldown
        if may_scale_out and len(high) == MINUTES_TO_SCALE_OUT:
            return max(current, self._fitting(current, high[0]))
        may_scale_in = self.may_scale_in and seconds_since_change >= self.scale_in_cooldown
        if may_scale_in and len(low) == MINUTES_TO_SCALE_IN:
            return min(current, self._fitting(current, max(low)))
        return current

    def _fitting(self, current: int, per_instance: float) -> int:
        return max(self.minimum, min(self.maximum, math.ceil(current * per_instance / self.target)))


class TargetTracking:
    """Looks at every policy again and again; ``call`` is SageMaker's control plane."""

    def __init__(self, service: ApplicationAutoScaling, call: Call) -> None:
        self._service = service
        self._call = call
        self._changed: dict[str, float] = {}

    def look(self, now: float) -> None:
        """Change what should be changed by what was measured until ``now``."""
        for target, policy in self._service.policies_with_targets("sagemaker", DIMENSION):
            settings = policy.get("TargetTrackingScalingPolicyConfiguration", {})
            if settings.get("PredefinedMetricSpecification", {}).get("PredefinedMetricType") == METRIC:
                self._follow(target, policy, now)

    def _follow(self, target: Record, policy: Record, now: float) -> None:
        resource = target["ResourceId"]
        _, endpoint_name, _, variant_name = resource.split("/")
        current = self._current(endpoint_name, variant_name)
        if current is None:
            return
        minutes = [_invocations(endpoint_name, variant_name, now - 60 * back) for back in range(MINUTES_TO_SCALE_IN)]
        since = now - self._changed.get(resource, 0.0)
        desired = Tracking.of(target, policy).desired(current, minutes, since)
        if desired == current:
            return
        wanted = [{"VariantName": variant_name, "DesiredInstanceCount": desired}]
        try:
            self._call(
                "UpdateEndpointWeightsAndCapacities",
                {"EndpointName": endpoint_name, "DesiredWeightsAndCapacities": wanted},
            )
        except AwsError as refusal:
            log.info("%s cannot be scaled now: %s", resource, refusal)
            return
        self._changed[resource] = now
        log.info("%s scales from %d to %d instances", resource, current, desired)
        self._service.note_activity(target, policy, current=current, desired=desired)

    def _current(self, endpoint_name: str, variant_name: str) -> int | None:
        """How many instances a variant has; None where it cannot be scaled now."""
        try:
            described = self._call("DescribeEndpoint", {"EndpointName": endpoint_name})
        except AwsError:
            return None
        if described["EndpointStatus"] != "InService":
            return None
        counts = {each["VariantName"]: each["DesiredInstanceCount"] for each in described["ProductionVariants"]}
        return counts.get(variant_name)


def _invocations(endpoint_name: str, variant_name: str, end: float) -> float | None:
    """Invocations per instance in the minute that ends then."""
    dimensions = {"EndpointName": endpoint_name, "VariantName": variant_name}
    metric = {
        "Namespace": NAMESPACE,
        "MetricName": "InvocationsPerInstance",
        "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
    }
    return seams.statistic(metric, 60, "Sum", end - 60, end)


def register(service: ApplicationAutoScaling, call: Call) -> None:
    """Look regularly, as long as the process lives."""
    tracking = TargetTracking(service, call)

    def tick() -> None:
        while True:
            time.sleep(TICK_SECONDS)
            try:
                with seams.request_scope(ACCOUNT, REGION):
                    tracking.look(time.time())
            except Exception:
                # A policy that cannot be followed now must not end the watch over the others.
                log.exception("scaling policies could not be followed this time")

    threading.Thread(target=tick, name="target-tracking", daemon=True).start()
