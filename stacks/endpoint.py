"""The Endpoint stack: the served model, and the release that changes which model that is.

Composes; the constructs know how. Does not know who asks the endpoint.
"""

from aws_cdk import CfnOutput, RemovalPolicy, Stack
from constructs import Construct

from stacks.assets import Assets
from stacks.constructs.asynchronous_endpoint import AsynchronousEndpoint, serving_asynchronously
from stacks.constructs.canary import Canary
from stacks.constructs.data_key import DataKey
from stacks.constructs.inference_endpoint import Capacity, Guardrail, InferenceEndpoint
from stacks.constructs.lake import Lake
from stacks.constructs.model_registry import ModelRegistry
from stacks.constructs.operations import Operations
from stacks.constructs.private_network import NetworkSegment, PrivateNetwork
from stacks.constructs.release import Release
from stacks.constructs.released_model import ReleasedModel
from stacks.constructs.rescoring import Rescoring
from stacks.constructs.rollback_alarms import QualityLimits
from stacks.constructs.work_queue import DeadLetters
from stacks.settings import EndpointSettings, PlatformSettings


class Endpoint(Stack):
    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        stack_name: str,
        name: str,
        settings: EndpointSettings,
        platform: PlatformSettings,
        disposable: bool,
        network: PrivateNetwork | None,
        assets: Assets,
        lake: Lake,
        released_model: ReleasedModel,
        registry: ModelRegistry,
        operations: Operations,
    ) -> None:
        super().__init__(scope, id_, stack_name=stack_name, description="Earshot: inference endpoint and release")
        self.add_stack_dependency(Stack.of(released_model), "the parameter must exist before this stack reads it")
        limits = QualityLimits(
            disagreement=settings.maximum_disagreement,
            negative_shift=settings.maximum_negative_shift,
            unsure_shift=settings.maximum_unsure_shift,
            accuracy_drop=settings.maximum_accuracy_drop,
            unexpected=settings.maximum_unexpected,
            milliseconds=settings.latency_alarm_milliseconds,
        )
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
                poll_seconds=settings.release_poll_seconds,
                limits=limits,
            ),
            capture_percent=settings.capture_percent,
            released_model=released_model,
            assets=assets,
            lake=lake,
            operations=operations,
            one_container_image=settings.one_container_image,
            serving=serving_asynchronously(lake, operations) if settings.asynchronous_maximum_instances else (),
        )
        rescoring = Rescoring(self, "Rescoring", lake=lake)
        key = DataKey(
            self,
            "Key",
            encrypts="the logs and dead letters",
            removal_policy=RemovalPolicy.DESTROY if disposable else RemovalPolicy.RETAIN,
        )
        failures = DeadLetters(self, "Failures", what="Calls of a release", key=key, operations=operations)
        segment = NetworkSegment(self, "Network", network=network, position=2) if network else None
        canary = Canary(
            self,
            "Canary",
            bundle=assets.lambda_bundle,
            endpoint=self.endpoint,
            texts=settings.canary_texts,
            limits=limits,
            lake=lake,
            operations=operations,
            key=key,
            failures=failures,
            network=segment,
            log_days=platform.log_days,
            reserve_concurrency=platform.reserve_concurrency,
        )
        release = Release(
            self,
            "Release",
            name=name,
            poll_seconds=settings.release_poll_seconds,
            bundle=assets.lambda_bundle,
            lake=lake,
            released_model=released_model,
            endpoint=self.endpoint,
            canary=canary,
            registry=registry,
            operations=operations,
            key=key,
            failures=failures,
            network=segment,
            log_days=platform.log_days,
            reserve_concurrency=platform.reserve_concurrency,
        )

        if settings.asynchronous_maximum_instances:
            asynchronous = AsynchronousEndpoint(
                self,
                "Asynchronous",
                name=f"{name}-asynchronous",
                instance_type=settings.instance_type,
                maximum_instances=settings.asynchronous_maximum_instances,
                served=self.endpoint,
                lake=lake,
                operations=operations,
            )
            CfnOutput(self, "AsynchronousEndpointName", value=asynchronous.name)

        CfnOutput(self, "EndpointName", value=self.endpoint.name)
        CfnOutput(self, "ReleaseParameter", value=released_model.parameter_name)
        CfnOutput(self, "BesideParameter", value=released_model.beside_name)
        CfnOutput(self, "ReleaseStateMachine", value=release.arn)
        CfnOutput(self, "RescoreRole", value=rescoring.role_arn)
        CfnOutput(self, "RescoreKey", value=lake.key.arn)
