"""The role of a SageMaker job or endpoint: what SageMaker itself does with it, and what the part adds.

Knows images, logs and metrics of SageMaker. Does not know the data that a job reads or writes: those statements are
given.
"""

from collections.abc import Collection, Iterable
from typing import Literal

from aws_cdk import Stack
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from stacks.constructs.arns import arn
from stacks.constructs.role import Role, Statement
from stacks.images import FrameworkImage

LogGroup = Literal["ProcessingJobs", "TrainingJobs", "TransformJobs", "Endpoints"]


class SageMakerRole(Construct):
    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        description: str,
        logs_to: LogGroup | Collection[LogGroup],
        images: Collection[FrameworkImage],
        statements: Iterable[Statement],
        is_passed_on: bool = False,
    ) -> None:
        """`is_passed_on`: SageMaker starts further jobs as this role, and the role hands itself to them."""
        super().__init__(scope, id_)
        groups: Collection[str] = (logs_to,) if isinstance(logs_to, str) else logs_to
        self._role = Role(
            self,
            "Access",
            service="sagemaker",
            description=description,
            statements=[*_pulling(images, region=Stack.of(self).region), *_reporting(groups), *statements],
        )
        if is_passed_on:
            self._role.allow_passing_on()
        self.arn = self._role.arn
        self.policy = self._role.policy


def _pulling(images: Collection[FrameworkImage], *, region: str) -> list[Statement]:
    if not images:
        return []
    repositories = {arn("ecr", f"repository/{image.repository}", account=image.accounts[region]) for image in images}
    return [
        # The call for a token has no resource to name.
        Statement(actions=["ecr:GetAuthorizationToken"], resources=["*"]),
        Statement(
            actions=["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            resources=sorted(repositories),
        ),
    ]


def _reporting(groups: Collection[str]) -> list[Statement]:
    return [
        Statement(
            actions=["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            resources=[arn("logs", f"log-group:/aws/sagemaker/{group}*") for group in groups],
        ),
        # Metrics have no resource to name; the namespace is the fence.
        Statement(
            actions=["cloudwatch:PutMetricData"],
            resources=["*"],
            conditions={"StringLike": {"cloudwatch:namespace": ["/aws/sagemaker/*", "aws/sagemaker/*"]}},
        ),
    ]


def reading_assets(*assets: s3_assets.Asset) -> list[Statement]:
    """Let a role fetch these assets, and no others, from the bootstrap bucket."""
    bucket = assets[0].bucket.bucket_arn
    keys = [asset.s3_object_key for asset in assets]
    return [
        Statement(actions=["s3:GetObject"], resources=[f"{bucket}/{key}" for key in keys]),
        Statement(actions=["s3:ListBucket"], resources=[bucket], conditions={"StringLike": {"s3:prefix": keys}}),
    ]
