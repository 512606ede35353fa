"""The running variants of one endpoint config, and which of them a request goes to.

Knows chains and weights; nothing of endpoint states, records, downloads or the wire.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from local.sagemaker.hosting.capture import CaptureSettings
from local.sagemaker.hosting.chain import Chain
from local.sagemaker.hosting.container import Container, ContainerError
from local.sagemaker.hosting.meter import Place
from local.sagemaker.hosting.plans import FleetPlan, VariantPlan
from local.sagemaker.hosting.turns import Turns


class HostingError(Exception):
    """A fleet that does not come up; the message is the endpoint's FailureReason."""


class Variant:
    """One hosted variant: a single chain, that stands for as many instances as the plan says."""

    def __init__(self, endpoint_name: str, plan: VariantPlan, chain: Chain, instance: str) -> None:
        self.endpoint_name = endpoint_name
        self.plan = plan
        self.chain = chain
        self.instance = instance

    def log_stream(self, container_name: str) -> str:
        """Where AWS would write this container's log, within the endpoint's log group."""
        whole = f"{self.plan.name}/{self.instance}"
        return whole if len(self.plan.containers) == 1 else f"{whole}/{container_name}"


class Fleet:
    """All variants of one plan. ``close`` ends their processes."""

    def __init__(
        self,
        endpoint_name: str,
        plan: FleetPlan,
        *,
        variants: Sequence[Variant],
        shadows: Sequence[Variant],
        capture: CaptureSettings | None,
    ) -> None:
        self.endpoint_name = endpoint_name
        self.plan = plan
        self.capture = capture
        self.is_ended = False
        self._variants = {variant.plan.name: variant for variant in variants}
        self._shadows = {variant.plan.name: variant for variant in shadows}
        self._turns: Turns[Variant] = Turns()
        self._shadow_turns: Turns[Variant | None] = Turns()

    def hosted(self) -> list[Variant]:
        """Every variant, shadows included."""
        return [*self._variants.values(), *self._shadows.values()]

    def containers(self) -> Iterator[tuple[Variant, Container]]:
        """Every container with its variant."""
        for variant in self.hosted():
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
            with ThreadPoolExecutor(max_workers=len(self.hosted())) as pool:
                list(pool.map(start, self.hosted()))
        except BaseException:
            self.close()
            raise

    def reweigh(self, plan: FleetPlan) -> None:
        """From now on other weights and instance counts, for the same variants and containers."""
        for changed in (*plan.variants, *plan.shadows):
            variant = self._variants.get(changed.name) or self._shadows[changed.name]
            variant.plan = changed
        self.plan = plan

    def choose(self, target: str | None) -> Variant | None:
        """The variant a request goes to: the one it names, else the one whose turn it is; None where there is none."""
        if target is not None:
            return self._variants.get(target)
        return self._turns.next([(variant, variant.plan.weight) for variant in self._variants.values()])

    def choose_shadow(self) -> Variant | None:
        """The shadow variant that gets a copy of this request, by its weight against the production variant's."""
        for shadow in self._shadows.values():
            whole = sum(variant.plan.weight for variant in self._variants.values())
            share = min(1.0, shadow.plan.weight / whole) if whole else 0.0
            return self._shadow_turns.next([(shadow, share), (None, 1.0 - share)])
        return None

    def place(self, variant: Variant) -> Place:
        """Where an invocation of this variant is counted."""
        return Place(
            endpoint_name=self.endpoint_name,
            variant_name=variant.plan.name,
            config_name=self.plan.config_name,
            instances=variant.plan.instances,
        )

    def close(self) -> None:
        """End all processes, side by side."""
        self.is_ended = True
        with ThreadPoolExecutor(max_workers=len(self.hosted())) as pool:
            list(pool.map(lambda variant: variant.chain.close(), self.hosted()))

    def processes(self) -> list[tuple[int, str]]:
        """Process id and a description of each container that runs."""
        return [
            (pid, f"endpoint {self.endpoint_name}, variant {variant.plan.name}, {container}")
            for variant in self.hosted()
            for pid, container in variant.chain.processes()
        ]
