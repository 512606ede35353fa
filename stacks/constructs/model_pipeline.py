"""The model pipeline: its state machine, the gate and the registration, and who starts it.

The order of the steps is in `pipeline/`, the roles of the jobs in `pipeline_roles.py`.
"""

from dataclasses import asdict, dataclass

from aws_cdk import Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_glue as glue
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from stacks.acknowledgements import acknowledge
from stacks.assets import Assets
from stacks.constructs.data_key import DataKey
from stacks.constructs.handler_function import HandlerFunction
from stacks.constructs.lake import MODELS, REPORTS, Lake
from stacks.constructs.model_registry import ModelRegistry
from stacks.constructs.operations import Operations
from stacks.constructs.pipeline.addresses import PipelineAddresses, PipelineDefaults
from stacks.constructs.pipeline.definition import pipeline_definition
from stacks.constructs.pipeline_roles import PipelineRoles
from stacks.constructs.private_network import NetworkSegment
from stacks.constructs.role import Role
from stacks.constructs.work_queue import DeadLetters
from stacks.constructs.workflow import Workflow
from stacks.images import framework_image
from stacks.settings import Approval


@dataclass(frozen=True, kw_only=True)
class GateBounds:
    """What every model must reach, whatever the one before it did."""

    minimum_macro_f1: float
    maximum_calibration_error: float
    maximum_accuracy_difference: float
    maximum_recall_difference: float

    def environment(self) -> dict[str, str]:
        return {name.upper(): str(value) for name, value in asdict(self).items()}


class ModelPipeline(Construct):
    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        defaults: PipelineDefaults,
        approval: Approval,
        bounds: GateBounds,
        served_on: str,
        schedule: str,
        schedule_enabled: bool,
        assets: Assets,
        lake: Lake,
        crawler: glue.CfnCrawler,
        registry: ModelRegistry,
        operations: Operations,
        key: DataKey,
        failures: DeadLetters,
        network: NetworkSegment | None,
        log_days: int,
        reserve_concurrency: bool,
    ) -> None:
        super().__init__(scope, id_)
        code = s3_assets.Asset(self, "JobCode", path=str(assets.jobs))
        serving = s3_assets.Asset(self, "ServingCode", path=str(assets.serving))
        region = Stack.of(self).region
        roles = PipelineRoles(self, name=name, defaults=defaults, lake=lake, code=code, serving=serving)

        gate = HandlerFunction(
            self,
            "Gate",
            package="gate",
            description="Decides whether an evaluated model may be registered",
            bundle=assets.lambda_bundle,
            environment={"MODEL_PACKAGE_GROUP": registry.group_name, **bounds.environment()},
            statements=[
                *lake.data.reading(REPORTS),
                *lake.artifacts.reading(MODELS),  # the archives are inspected before they are registered
                registry.allowing("sagemaker:DescribeModelPackage", "sagemaker:ListModelPackages"),
            ],
            timeout=Duration.minutes(10),
            memory_mib=1024,
            key=key,
            log_days=log_days,
            operations=operations,
            failures=failures,
            network=network,
            # One call for each run of the pipeline.
            concurrency=5 if reserve_concurrency else None,
        )
        register = HandlerFunction(
            self,
            "Register",
            package="register",
            description="Registers a model that passed the gate, with its metrics",
            bundle=assets.lambda_bundle,
            environment={
                "MODEL_PACKAGE_GROUP": registry.group_name,
                "TRANSFORM_IMAGE": framework_image("sklearn-serving").address(region),
                "CLASSIFY_IMAGE": framework_image("huggingface-serving").address(region),
                "LABEL_IMAGE": framework_image("sklearn-serving").address(region),
                "APPROVAL": approval,
                "INSTANCE_TYPE": served_on,
            },
            statements=[
                *lake.data.reading(REPORTS),  # the model card
                registry.allowing("sagemaker:CreateModelPackage", "sagemaker:ListModelPackages"),
            ],
            timeout=Duration.seconds(60),
            memory_mib=256,
            key=key,
            log_days=log_days,
            operations=operations,
            failures=failures,
            network=network,
            concurrency=5 if reserve_concurrency else None,
        )
        self.workflow = Workflow(
            self,
            "Workflow",
            name=f"{name}-model-pipeline",
            definition=pipeline_definition(
                PipelineAddresses(
                    job_prefix=name,
                    crawler=crawler.ref,
                    registry=registry.group_name,
                    processing_image=framework_image("huggingface-serving").address(region),
                    training_image=framework_image("huggingface-training").address(region),
                    blazingtext_image=framework_image("blazingtext").address(region),
                    clarify_image=framework_image("clarify").address(region),
                    spark_image=framework_image("spark").address(region),
                    processing_role=roles.processing.arn,
                    training_role=roles.training.arn,
                    blazingtext_role=roles.blazingtext.arn,
                    autopilot_role=roles.autopilot.arn,
                    autopilot_model_role=roles.autopilot_model.arn,
                    clarify_role=roles.clarify.arn,
                    code=code.s3_object_url,
                    serving=serving.s3_object_url,
                    serving_file=serving.s3_object_key,
                    lake=lake.data.uri(""),
                    lake_bucket=lake.data.name,
                    artifacts=lake.artifacts.uri(""),
                    key=lake.key.arn,
                    gate_function=gate.arn,
                    register_function=register.arn,
                    region=region,
                ),
                defaults,
            ),
            statements=[
                *roles.statements(crawler=crawler, registry=registry),
                gate.invoking(),
                register.invoking(),
            ],
            key=key,
            log_days=log_days,
            operations=operations,
        )
        acknowledge(
            self.workflow.state_machine,
            rule="ML-60",
            reason="Jobs fetch pinned packages and the base model from their hubs, which a closed network cuts off",
        )
        if schedule_enabled:
            self._schedule(schedule, failures)

    @property
    def arn(self) -> str:
        return self.workflow.arn

    def _schedule(self, schedule: str, failures: DeadLetters) -> None:
        failures.take_events()
        role = Role(
            self,
            "ScheduleAccess",
            service="events",
            description="Starts the model pipeline on its schedule",
            statements=[self.workflow.starting()],
        )
        events.CfnRule(
            self,
            "Schedule",
            description="Trains and evaluates a new model regularly",
            schedule_expression=schedule,
            state="ENABLED",
            targets=[
                events.CfnRule.TargetProperty(
                    id="ModelPipeline",
                    arn=self.arn,
                    role_arn=role.arn,
                    input="{}",
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=failures.queue.queue_arn),
                )
            ],
        )
