"""The running variants of one endpoint config, and which of them a request goes to.

Knows chains and weights; nothing of endpoint states, records, downloads or the wire.
"""

import random
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from local.sagemaker.hosting.capture import CaptureSettings
from local.sagemaker.hosting.chain import Chain
from local.sagemaker.hosting.container import Container, ContainerError
from local.sagemaker.hosting.plans import FleetPlan, VariantPlan


class HostingError(Exception):
    """A fleet that does not come up; the message is the endpoint's FailureReason."""


class Variant:
    """One hosted production variant on one instance, whatever the number asked for."""

    def __init__(self, endpoint_name: str, plan: VariantPlan, chain: Chain, instance: str) -> None:
        self.endpoint_name = endpoint_name
        self.plan = plan
        self.chain = chain
        self.instance = instance
        self.weight = plan.weight

    def log_stream(self, container_name: str) -> str:
        """Where AWS would write this container's log, within the endpoint's log group."""
        whole = f"{self.plan.name}/{self.instance}"
        return whole if len(self.plan.containers) == 1 else f"{whole}/{container_name}"


class Fleet:
    """All variants of one plan. ``close`` ends their processes."""

    def __init__(
        self, endpoint_name: str, plan: FleetPlan, variants: Sequence[Variant], capture: CaptureSettings | None
    ) -> None:
        self.endpoint_name = endpoint_name
        self.plan = plan
        self.capture = capture
        self.variants = {variant.plan.name: variant for variant in variants}

    def containers(self) -> Iterator[tuple[Variant, Container]]:
        """Every container with its variant."""
        for variant in self.variants.values():
            for container in variant.chain.containers:
                yield variant, container

    def start(self) -> None:
        """Start all variants at once and return when all are healthy; HostingError, and nothing left, where not."""

        def start(variant: Variant) -> None:
            try:
                variant.chain.start()
            except ContainerError as error:
                raise HostingError(
                    f"The container for production variant {variant.plan.name} did not pass the ping health check: "
                    f"{error}. Please check CloudWatch logs for this endpoint."
                ) from error

        try:
            with ThreadPoolExecutor(max_workers=len(self.variants)) as pool:
                list(pool.map(start, self.variants.values()))
        except BaseException:
            self.close()
            raise

    def choose(self, target: str | None) -> Variant | None:
        """The variant a request goes to: the one it names, else one by weight; None where there is no such."""
        if target is not None:
            return self.variants.get(target)
        variants = list(self.variants.values())
        if len(variants) == 1:
            return variants[0]
        weights = [variant.weight for variant in variants]
        # Not for secrets: this spreads requests.
        return random.choices(variants, weights)[0] if any(weights) else None  # noqa: S311

    def close(self) -> None:
        """End all processes, side by side."""
        with ThreadPoolExecutor(max_workers=len(self.variants)) as pool:
            list(pool.map(lambda variant: variant.chain.close(), self.variants.values()))

    def processes(self) -> list[tuple[int, str]]:
        """Process id and a description of each container that runs."""
        return [
            (pid, f"endpoint {self.endpoint_name}, variant {variant.plan.name}, {container}")
            for variant in self.variants.values()
            for pid, container in variant.chain.processes()
        ]
