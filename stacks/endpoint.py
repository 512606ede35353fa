"""The Endpoint stack: the served model, and the release that changes which model that is.

Composes; the constructs know how. Does not know who asks the endpoint.
"""

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from stacks.assets import Assets
from stacks.constructs.inference_endpoint import Capacity, Guardrail, InferenceEndpoint
from stacks.constructs.lake import Lake
from stacks.constructs.model_registry import ModelRegistry
from stacks.constructs.operations import Operations
from stacks.constructs.release import Release
from stacks.constructs.released_model import ReleasedModel
from stacks.settings import EndpointSettings


class Endpoint(Stack):
    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        stack_name: str,
        name: str,
        settings: EndpointSettings,
        log_days: int,
        assets: Assets,
        lake: Lake,
        released_model: ReleasedModel,
        registry: ModelRegistry,
        operations: Operations,
    ) -> None:
        super().__init__(scope, id_, stack_name=stack_name, description="Earshot: inference endpoint and release")
        self.add_stack_dependency(Stack.of(released_model), "the parameter must exist before this stack reads it")
        self.endpoint = InferenceEndpoint(
            self,
            "Endpoint",
            name=name,
            capacity=Capacity(
                instance_type=settings.instance_type,
                minimum_instances=settings.minimum_instances,
                maximum_instances=settings.maximum_instances,
                invocations_per_instance_per_minute=settings.invocations_per_instance_per_minute,
            ),
            guardrail=Guardrail(
                canary_percent=settings.canary_percent,
                canary_wait_seconds=settings.canary_wait_seconds,
                termination_wait_seconds=settings.termination_wait_seconds,
                latency_alarm_milliseconds=settings.latency_alarm_milliseconds,
            ),
            capture_percent=settings.capture_percent,
            released_model=released_model,
            assets=assets,
            lake=lake,
            operations=operations,
        )
        release = Release(
            self,
            "Release",
            name=name,
            poll_seconds=settings.release_poll_seconds,
            bundle=assets.lambda_bundle,
            lake=lake,
            released_model=released_model,
            registry=registry,
            operations=operations,
            log_days=log_days,
        )

        CfnOutput(self, "EndpointName", value=self.endpoint.name)
        CfnOutput(self, "ReleaseParameter", value=released_model.parameter_name)
        CfnOutput(self, "ReleaseStateMachine", value=release.arn)
