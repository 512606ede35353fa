"""The Training stack: model registry, model pipeline, and the parameter that names the released model.

Composes; the constructs know how. Does not know the endpoint: releasing is the Endpoint stack's business, but a stack
cannot read a parameter that it makes itself, so the parameter is made one stack earlier.
"""

from aws_cdk import CfnOutput, RemovalPolicy, Stack
from aws_cdk import aws_glue as glue
from constructs import Construct

from stacks.assets import Assets
from stacks.constructs.data_key import DataKey
from stacks.constructs.lake import Lake
from stacks.constructs.model_pipeline import GateBounds, ModelPipeline
from stacks.constructs.model_registry import ModelRegistry
from stacks.constructs.operations import Operations
from stacks.constructs.pipeline.addresses import PipelineDefaults
from stacks.constructs.private_network import NetworkSegment, PrivateNetwork
from stacks.constructs.released_model import ReleasedModel
from stacks.constructs.work_queue import DeadLetters
from stacks.settings import PlatformSettings, TrainingSettings


class Training(Stack):
    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        stack_name: str,
        name: str,
        stage: str,
        settings: TrainingSettings,
        served_on: str,
        platform: PlatformSettings,
        disposable: bool,
        network: PrivateNetwork | None,
        assets: Assets,
        lake: Lake,
        crawler: glue.CfnCrawler,
        operations: Operations,
    ) -> None:
        super().__init__(scope, id_, stack_name=stack_name, description="Earshot: model pipeline and registry")
        self.released_model = ReleasedModel(self, "ReleasedModel", parameter=f"/earshot/{stage}/release")
        self.registry = ModelRegistry(
            self,
            "Registry",
            name=name,
            removal_policy=RemovalPolicy.RETAIN if settings.keep_models else RemovalPolicy.DESTROY,
        )
        key = DataKey(
            self,
            "Key",
            encrypts="the logs and dead letters",
            removal_policy=RemovalPolicy.DESTROY if disposable else RemovalPolicy.RETAIN,
        )
        failures = DeadLetters(self, "Failures", what="Calls of the model pipeline", key=key, operations=operations)
        pipeline = ModelPipeline(
            self,
            "ModelPipeline",
            name=name,
            defaults=PipelineDefaults(
                reviews_prefix=settings.reviews_prefix,
                hyperparameters=settings.hyperparameters,
                candidates=settings.candidates,
                features_engine=settings.features_engine,
                max_rows=settings.max_rows,
                balance=settings.balance,
                seed=settings.seed,
                processing_instance_type=settings.processing_instance_type,
                training_instance_type=settings.training_instance_type,
                training_instance_count=settings.training_instance_count,
                spark_instance_count=settings.spark_instance_count,
                on_spot=settings.train_on_spot,
                tuning_jobs=settings.tuning_jobs,
                tuning_parallel=settings.tuning_parallel,
                autopilot_minutes=settings.autopilot_minutes,
                autopilot_candidates=settings.autopilot_candidates,
                volume_gib=settings.volume_gib,
                job_timeout_seconds=settings.job_timeout_minutes * 60,
                poll_seconds=settings.poll_seconds,
            ),
            approval=settings.approval,
            bounds=GateBounds(
                minimum_macro_f1=settings.minimum_macro_f1,
                maximum_calibration_error=settings.maximum_calibration_error,
                maximum_accuracy_difference=settings.maximum_accuracy_difference,
                maximum_recall_difference=settings.maximum_recall_difference,
            ),
            served_on=served_on,
            schedule=settings.schedule,
            schedule_enabled=settings.schedule_enabled,
            assets=assets,
            lake=lake,
            crawler=crawler,
            registry=self.registry,
            operations=operations,
            key=key,
            failures=failures,
            network=NetworkSegment(self, "Network", network=network, position=1) if network else None,
            log_days=platform.log_days,
            reserve_concurrency=platform.reserve_concurrency,
        )

        CfnOutput(self, "ModelPipelineOutput", value=pipeline.arn).override_logical_id("ModelPipeline")
        CfnOutput(self, "ModelPackageGroup", value=self.registry.group_name)
