"""The model pipeline: its state machine, the roles its jobs run under, the gate and the registration.

Knows which exact actions each role needs. The order of the steps is in `pipeline_definition.py`.
"""

from aws_cdk import Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_glue as glue
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from stacks.acknowledgements import acknowledge
from stacks.assets import Assets
from stacks.constructs.arns import arn
from stacks.constructs.data_key import DataKey
from stacks.constructs.handler_function import HandlerFunction
from stacks.constructs.lake import BASES, FEATURES, MODELS, RAW, REPORTS, TRAINING_OUTPUT, Lake
from stacks.constructs.model_registry import ModelRegistry
from stacks.constructs.operations import Operations
from stacks.constructs.pipeline_definition import PipelineAddresses, PipelineDefaults, pipeline_definition
from stacks.constructs.private_network import NetworkSegment
from stacks.constructs.role import Role, Statement
from stacks.constructs.sagemaker_role import SageMakerRole, reading_assets
from stacks.constructs.work_queue import DeadLetters
from stacks.constructs.workflow import Workflow
from stacks.images import framework_image
from stacks.settings import Approval


class ModelPipeline(Construct):
    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        defaults: PipelineDefaults,
        approval: Approval,
        minimum_macro_f1: float,
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
        self._lake = lake
        self._name = name
        code = s3_assets.Asset(self, "JobCode", path=str(assets.jobs))
        serving = s3_assets.Asset(self, "ServingCode", path=str(assets.serving))
        region = Stack.of(self).region
        processing_image = framework_image("huggingface-serving").address(region)
        processing_role = self._processing_role(code, serving)
        training_role = self._training_role(code)

        gate = HandlerFunction(
            self,
            "Gate",
            package="gate",
            description="Decides whether an evaluated model may be registered",
            bundle=assets.lambda_bundle,
            environment={"MODEL_PACKAGE_GROUP": registry.group_name, "MINIMUM_MACRO_F1": str(minimum_macro_f1)},
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
            statements=[registry.allowing("sagemaker:CreateModelPackage", "sagemaker:ListModelPackages")],
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
                    processing_image=processing_image,
                    training_image=framework_image("huggingface-training").address(region),
                    processing_role=processing_role.arn,
                    training_role=training_role.arn,
                    code=code.s3_object_url,
                    serving=serving.s3_object_url,
                    serving_file=serving.s3_object_key,
                    lake=lake.data.uri(""),
                    artifacts=lake.artifacts.uri(""),
                    key=lake.key.arn,
                    gate_function=gate.arn,
                    register_function=register.arn,
                    region=region,
                ),
                defaults,
            ),
            statements=[
                *self._job_statements(processing_role, training_role),
                self._crawling(crawler),
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

    def _processing_role(self, code: s3_assets.Asset, serving: s3_assets.Asset) -> SageMakerRole:
        return SageMakerRole(
            self,
            "Processing",
            description="Runs the features and evaluation jobs",
            logs_to="ProcessingJobs",
            images=[framework_image("huggingface-serving")],
            statements=[
                *self._lake.data.reading(RAW, FEATURES),
                *self._lake.data.listing(RAW, FEATURES),
                *self._lake.data.uploading(FEATURES, REPORTS),
                *self._lake.artifacts.reading(TRAINING_OUTPUT),
                *self._lake.artifacts.listing(TRAINING_OUTPUT),
                *self._lake.artifacts.uploading(MODELS),
                *reading_assets(code, serving),
            ],
        )

    def _training_role(self, code: s3_assets.Asset) -> SageMakerRole:
        return SageMakerRole(
            self,
            "Training",
            description="Runs the training job",
            logs_to="TrainingJobs",
            images=[framework_image("huggingface-training")],
            statements=[
                *self._lake.data.reading(FEATURES),
                *self._lake.data.listing(FEATURES),
                *self._lake.artifacts.reading(BASES),
                *self._lake.artifacts.listing(BASES),
                *self._lake.artifacts.uploading(TRAINING_OUTPUT),
                *reading_assets(code),
            ],
        )

    def _job_statements(self, processing_role: SageMakerRole, training_role: SageMakerRole) -> list[Statement]:
        """https://docs.aws.amazon.com/step-functions/latest/dg/connect-sagemaker.html, narrowed to our jobs."""
        jobs = [arn("sagemaker", f"{kind}/{self._name}-*") for kind in ("processing-job", "training-job")]
        return [
            Statement(
                actions=[
                    "sagemaker:AddTags",
                    "sagemaker:CreateProcessingJob",
                    "sagemaker:CreateTrainingJob",
                    "sagemaker:DescribeProcessingJob",
                    "sagemaker:DescribeTrainingJob",
                    "sagemaker:StopProcessingJob",
                    "sagemaker:StopTrainingJob",
                ],
                resources=jobs,
            ),
            Statement(
                actions=["iam:PassRole"],
                resources=[processing_role.arn, training_role.arn],
                conditions={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
            ),
            Statement(
                actions=["events:DescribeRule", "events:PutRule", "events:PutTargets"],
                resources=[
                    arn("events", f"rule/StepFunctionsGetEventsForSageMaker{kind}Rule")
                    for kind in ("ProcessingJobs", "TrainingJobs")
                ],
            ),
        ]

    def _crawling(self, crawler: glue.CfnCrawler) -> Statement:
        return Statement(
            actions=["glue:GetCrawler", "glue:StartCrawler"], resources=[arn("glue", f"crawler/{crawler.ref}")]
        )

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
