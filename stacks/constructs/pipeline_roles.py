"""What a run of the model pipeline may do: a role for each kind of job, and the state machine's own statements.

Every kind reads and writes its own prefixes: what AWS's programs run as sees less than what ours do. Does not know the
order of the steps.
"""

from aws_cdk import aws_glue as glue
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from stacks.constructs.arns import arn
from stacks.constructs.lake import (
    AUTOPILOT,
    BASES,
    CANDIDATES,
    CHECKPOINTS,
    FEATURES,
    MODELS,
    RAW,
    REPORTS,
    TRAINING_OUTPUT,
    Lake,
)
from stacks.constructs.model_registry import ModelRegistry
from stacks.constructs.pipeline.addresses import PipelineDefaults
from stacks.constructs.role import Statement
from stacks.constructs.sagemaker_role import SageMakerRole, reading_assets
from stacks.images import framework_image

_JOBS = {
    "processing-job": ("ProcessingJob", "SageMakerProcessingJobs"),
    "training-job": ("TrainingJob", "SageMakerTrainingJobs"),
    "hyper-parameter-tuning-job": ("HyperParameterTuningJob", "SageMakerTuningJobs"),
    "transform-job": ("TransformJob", "SageMakerTransformJobs"),
}

_AUTOPILOT_IMAGES = ("linear-learner", "mxnet-algorithms", "sagemaker-sklearn-automl", "sagemaker-xgboost")


class PipelineRoles:
    """Roles below the given construct, which is the pipeline's."""

    def __init__(
        self,
        scope: Construct,
        *,
        name: str,
        defaults: PipelineDefaults,
        lake: Lake,
        code: s3_assets.Asset,
        serving: s3_assets.Asset,
    ) -> None:
        self._name = name
        self._lake = lake
        self.processing = self._processing(scope, defaults, code, serving)
        self.training = self._training(scope, defaults, code)
        self.blazingtext = self._blazingtext(scope)
        self.autopilot = self._autopilot(scope)
        self.autopilot_model = self._autopilot_model(scope)
        self.clarify = self._clarify(scope)

    def statements(self, *, crawler: glue.CfnCrawler, registry: ModelRegistry) -> list[Statement]:
        """What the state machine itself calls, but for the functions.

        https://docs.aws.amazon.com/step-functions/latest/dg/connect-sagemaker.html, narrowed to our jobs.
        """
        jobs = [
            Statement(
                actions=[
                    "sagemaker:AddTags",
                    f"sagemaker:Create{job}",
                    f"sagemaker:Describe{job}",
                    f"sagemaker:Stop{job}",
                ],
                resources=[arn("sagemaker", f"{kind}/{self._name}-*")],
            )
            for kind, (job, _) in _JOBS.items()
        ]
        roles = (
            *(self.processing, self.training, self.blazingtext),
            *(self.autopilot, self.autopilot_model, self.clarify),
        )
        return [
            *jobs,
            Statement(
                actions=["sagemaker:CreateAutoMLJobV2", "sagemaker:DescribeAutoMLJobV2"],
                resources=[arn("sagemaker", f"automl-job/{self._name}-*")],
            ),
            Statement(
                # The best candidate of a search is a model for the length of one transform job.
                actions=["sagemaker:AddTags", "sagemaker:CreateModel", "sagemaker:DeleteModel"],
                resources=[arn("sagemaker", f"model/{self._name}-*")],
            ),
            Statement(
                actions=["iam:PassRole"],
                resources=[role.arn for role in roles],
                conditions={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
            ),
            Statement(
                actions=["events:DescribeRule", "events:PutRule", "events:PutTargets"],
                resources=[
                    arn("events", f"rule/StepFunctionsGetEventsFor{events}Rule") for _, events in _JOBS.values()
                ],
            ),
            Statement(
                actions=["glue:GetCrawler", "glue:StartCrawler"], resources=[arn("glue", f"crawler/{crawler.ref}")]
            ),
            registry.allowing("sagemaker:DescribeModelPackage", "sagemaker:ListModelPackages"),
            self._lake.data.finding(CANDIDATES),
        ]

    def _processing(
        self, scope: Construct, defaults: PipelineDefaults, code: s3_assets.Asset, serving: s3_assets.Asset
    ) -> SageMakerRole:
        on_spark = defaults.features_engine == "spark"
        lake = self._lake
        return SageMakerRole(
            scope,
            "Processing",
            description="Runs the jobs of our own code, from the features to the explanations",
            logs_to="ProcessingJobs",
            images=[framework_image("huggingface-serving"), *([framework_image("spark")] if on_spark else [])],
            statements=[
                *lake.data.reading(RAW, FEATURES, CANDIDATES, REPORTS),
                *lake.data.listing(RAW, FEATURES, CANDIDATES, REPORTS),
                *lake.data.uploading(FEATURES, CANDIDATES, REPORTS),
                *lake.artifacts.reading(TRAINING_OUTPUT, MODELS, AUTOPILOT),
                *lake.artifacts.listing(TRAINING_OUTPUT, MODELS, AUTOPILOT),
                *lake.artifacts.uploading(MODELS),
                *reading_assets(code, serving),
            ],
        )

    def _training(self, scope: Construct, defaults: PipelineDefaults, code: s3_assets.Asset) -> SageMakerRole:
        lake = self._lake
        resumed = (
            [
                *lake.artifacts.reading(CHECKPOINTS),
                *lake.artifacts.listing(CHECKPOINTS),
                *lake.artifacts.uploading(CHECKPOINTS),
            ]
            if defaults.on_spot
            else []
        )
        return SageMakerRole(
            scope,
            "Training",
            description="Runs the training job, and those of the tuning job",
            logs_to="TrainingJobs",
            images=[framework_image("huggingface-training")],
            statements=[
                *lake.data.reading(FEATURES),
                *lake.data.listing(FEATURES),
                *lake.artifacts.reading(BASES),
                *lake.artifacts.listing(BASES),
                *lake.artifacts.uploading(TRAINING_OUTPUT),
                *resumed,
                *reading_assets(code),
            ],
        )

    def _blazingtext(self, scope: Construct) -> SageMakerRole:
        return SageMakerRole(
            scope,
            "BlazingText",
            description="Runs the built-in algorithm BlazingText",
            logs_to="TrainingJobs",
            images=[framework_image("blazingtext")],
            statements=[
                *self._lake.data.reading(FEATURES),
                *self._lake.data.listing(FEATURES),
                *self._lake.artifacts.uploading(TRAINING_OUTPUT),
            ],
        )

    def _autopilot(self, scope: Construct) -> SageMakerRole:
        """Autopilot starts jobs of its own under this role, and hands it on to them."""
        return SageMakerRole(
            scope,
            "Autopilot",
            description="Runs Autopilot's search",
            logs_to=("ProcessingJobs", "TrainingJobs", "TransformJobs"),
            images=[],
            is_passed_on=True,
            statements=[
                *_pulling_algorithms(),
                Statement(
                    actions=[
                        *("sagemaker:AddTags", "sagemaker:CreateModel", "sagemaker:DescribeModel"),
                        *(
                            f"sagemaker:{verb}{job}"
                            for job, _ in _JOBS.values()
                            for verb in ("Create", "Describe", "Stop")
                        ),
                    ],
                    # Its jobs and models are named after its own job.
                    resources=[arn("sagemaker", f"{kind}/{self._name}-*") for kind in (*_JOBS, "model")],
                ),
                *self._lake.data.reading(FEATURES),
                *self._lake.data.listing(FEATURES),
                *self._lake.artifacts.reading(AUTOPILOT),
                *self._lake.artifacts.listing(AUTOPILOT),
                *self._lake.artifacts.uploading(AUTOPILOT),
            ],
        )

    def _autopilot_model(self, scope: Construct) -> SageMakerRole:
        """Of the best candidate's containers, which answer our rows in a transform job."""
        return SageMakerRole(
            scope,
            "AutopilotModel",
            description="Runs the containers that Autopilot found",
            logs_to="TransformJobs",
            images=[],
            statements=[
                *_pulling_algorithms(),
                *self._lake.data.reading(FEATURES),
                *self._lake.data.listing(FEATURES),
                *self._lake.artifacts.reading(AUTOPILOT),
                *self._lake.artifacts.listing(AUTOPILOT),
                *self._lake.artifacts.uploading(AUTOPILOT),
            ],
        )

    def _clarify(self, scope: Construct) -> SageMakerRole:
        return SageMakerRole(
            scope,
            "Clarify",
            description="Runs the analyses of bias by SageMaker Clarify",
            logs_to="ProcessingJobs",
            images=[framework_image("clarify")],
            statements=[
                *self._lake.data.reading(FEATURES, REPORTS),
                *self._lake.data.listing(FEATURES, REPORTS),
                *self._lake.data.uploading(REPORTS),
            ],
        )


def _pulling_algorithms() -> list[Statement]:
    """The images of Autopilot's containers, of AWS's accounts, which differ by region and image.

    https://docs.aws.amazon.com/sagemaker/latest/dg/autopilot-automate-model-development-container-output.html
    """
    return [
        Statement(actions=["ecr:GetAuthorizationToken"], resources=["*"]),
        Statement(
            actions=["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            resources=[arn("ecr", f"repository/{repository}", account="*") for repository in _AUTOPILOT_IMAGES],
        ),
    ]
