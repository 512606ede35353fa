"""The model as one container: an image of one's own, and a release's archives as they lie in S3.

Knows what SageMaker and ECR ask for. Does not know what is in the image (`one_container/`), nor which release it is.
"""

from dataclasses import dataclass
from typing import Any

from stacks.constructs.arns import arn
from stacks.constructs.role import Statement

HOSTNAME = "earshot"


@dataclass(frozen=True, kw_only=True)
class OneContainer:
    """A release in one image, in place of the three containers."""

    image: str
    """Address in ECR, by digest."""
    release: str
    """The prefix of the three archives, with its slash."""
    unless: str | None = None
    """The condition under which it is the three containers nevertheless."""

    def definition(self) -> dict[str, Any]:
        """The ContainerDefinition as CloudFormation words it.

        SageMaker copies what lies below the prefix as it is to /opt/ml/model; the container inspects the archives and
        unpacks them itself.
        """
        source = {"S3Uri": self.release, "S3DataType": "S3Prefix", "CompressionType": "None"}
        return {
            "ContainerHostname": HOSTNAME,
            "Image": self.image,
            "ModelDataSource": {"S3DataSource": source},
        }


def pulling(image: str) -> Statement:
    """What a role needs to pull this image; the call for a token is the role's already."""
    registry, _, name = image.partition("/")
    account, _, _, region = registry.split(".")[:4]
    return Statement(
        actions=["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        resources=[arn("ecr", f"repository/{name.partition('@')[0]}", region=region, account=account)],
    )
