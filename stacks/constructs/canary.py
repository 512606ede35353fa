"""The function that compares a new model with the served one during a release.

Knows what it may read and whom it may ask. Does not know when it is called, nor what its figures set off.
"""

from pathlib import Path

from aws_cdk import Duration
from constructs import Construct

from stacks.constructs.data_key import DataKey
from stacks.constructs.handler_function import HandlerFunction
from stacks.constructs.inference_endpoint import VARIANT, InferenceEndpoint
from stacks.constructs.lake import FEEDBACK, MODELS, Lake
from stacks.constructs.operations import Operations
from stacks.constructs.private_network import NetworkSegment
from stacks.constructs.role import Statement
from stacks.constructs.rollback_alarms import QualityLimits
from stacks.constructs.work_queue import DeadLetters


class Canary(Construct):
    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        bundle: Path,
        endpoint: InferenceEndpoint,
        texts: int,
        limits: QualityLimits,
        lake: Lake,
        operations: Operations,
        key: DataKey,
        failures: DeadLetters,
        network: NetworkSegment | None,
        log_days: int,
        reserve_concurrency: bool,
    ) -> None:
        super().__init__(scope, id_)
        function = HandlerFunction(
            self,
            "Compare",
            package="canary",
            description="Asks the served and the new model the same texts and measures how their answers differ",
            bundle=bundle,
            environment={
                "ENDPOINT_NAME": endpoint.name,
                "VARIANT_NAME": VARIANT,
                "LAKE_BUCKET": lake.data.name,
                "FEEDBACK_TEXTS": str(texts),
                "MAXIMUM_DISAGREEMENT": str(limits.disagreement),
                "MAXIMUM_NEGATIVE_SHIFT": str(limits.negative_shift),
                "MAXIMUM_UNSURE_SHIFT": str(limits.unsure_shift),
                "MAXIMUM_ACCURACY_DROP": str(limits.accuracy_drop),
                "MAXIMUM_UNEXPECTED": str(limits.unexpected),
                "MAXIMUM_MILLISECONDS": str(limits.milliseconds),
            },
            statements=[
                endpoint.invoking(),
                *lake.data.reading(FEEDBACK),
                lake.data.finding(FEEDBACK),
                # The new model's manifest and probes. Without the right to list, a missing object reads as forbidden.
                *lake.artifacts.reading(MODELS),
            ],
            timeout=Duration.seconds(60),
            memory_mib=512,
            key=key,
            log_days=log_days,
            operations=operations,
            failures=failures,
            network=network,
            concurrency=5 if reserve_concurrency else None,
        )
        self.arn = function.arn
        self._function = function

    def invoking(self) -> Statement:
        """What a role needs to call the function."""
        return self._function.invoking()
