"""The role of a SageMaker job or endpoint: what SageMaker itself does with it, and what the part adds.

Knows images, logs and metrics of SageMaker. Does not know the data that a job reads or writes: those statements are
given.
"""

from collections.abc import Iterable
from typing import Literal

from aws_cdk import ArnFormat, Aws, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from stacks.images import FrameworkImage

LogGroup = Literal["ProcessingJobs", "TrainingJobs", "Endpoints"]


class SageMakerRole(Construct):
    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        description: str,
        logs_to: LogGroup,
        images: Iterable[FrameworkImage],
        statements: Iterable[iam.PolicyStatement],
    ) -> None:
        super().__init__(scope, id_)
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal(
                "sagemaker.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
            ),
            description=description,
        )
        for statement in (*self._pulling(images), *self._reporting(logs_to), *statements):
            self.role.add_to_policy(statement)

    @property
    def arn(self) -> str:
        return self.role.role_arn

    def _pulling(self, images: Iterable[FrameworkImage]) -> list[iam.PolicyStatement]:
        region = Stack.of(self).region
        repositories = {
            f"arn:{Aws.PARTITION}:ecr:{region}:{image.accounts[region]}:repository/{image.repository}"
            for image in images
        }
        return [
            # The call for a token has no resource to name.
            iam.PolicyStatement(actions=["ecr:GetAuthorizationToken"], resources=["*"]),
            iam.PolicyStatement(
                actions=["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
                resources=sorted(repositories),
            ),
        ]

    def _reporting(self, logs_to: LogGroup) -> list[iam.PolicyStatement]:
        return [
            iam.PolicyStatement(
                actions=["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
                resources=[
                    Stack.of(self).format_arn(
                        service="logs",
                        resource="log-group",
                        resource_name=f"/aws/sagemaker/{logs_to}*",
                        arn_format=ArnFormat.COLON_RESOURCE_NAME,
                    )
                ],
            ),
            # Metrics have no resource to name; the namespace is the fence.
            iam.PolicyStatement(
                actions=["cloudwatch:PutMetricData"],
                resources=["*"],
                conditions={"StringLike": {"cloudwatch:namespace": ["/aws/sagemaker/*", "aws/sagemaker/*"]}},
            ),
        ]


def reading_assets(*assets: s3_assets.Asset) -> list[iam.PolicyStatement]:
    """Let a role fetch these assets, and no others, from the bootstrap bucket."""
    return [
        iam.PolicyStatement(
            actions=["s3:GetObject"],
            resources=[asset.bucket.arn_for_objects(asset.s3_object_key) for asset in assets],
        ),
        iam.PolicyStatement(
            actions=["s3:ListBucket"],
            resources=[assets[0].bucket.bucket_arn],
            conditions={"StringLike": {"s3:prefix": [asset.s3_object_key for asset in assets]}},
        ),
    ]
