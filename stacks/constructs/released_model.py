"""Which model is served: one SSM parameter, made with the word for the starter and written by every release.

Knows the parameter and its statements. Does not know the endpoint that reads it.
"""

from aws_cdk import aws_ssm as ssm
from constructs import Construct

from stacks.constructs.arns import arn
from stacks.constructs.role import Statement

STARTER = "starter"


class ReleasedModel(Construct):
    """The template's value never changes, so CloudFormation sets it once and no deploy takes a release back."""

    def __init__(self, scope: Construct, id_: str, *, parameter: str) -> None:
        super().__init__(scope, id_)
        self.parameter_name = parameter
        self._parameter = ssm.CfnParameter(
            self,
            "Parameter",
            name=parameter,
            type="String",
            value=STARTER,
            description="Prefix of the released model's artifacts, or the word starter; written by releases",
        )

    @property
    def _arn(self) -> str:
        return arn("ssm", f"parameter/{self.parameter_name.removeprefix('/')}")

    def releasing(self) -> Statement:
        """Read and write the parameter; CloudFormation reads it with the caller's rights."""
        return Statement(actions=["ssm:GetParameter", "ssm:GetParameters", "ssm:PutParameter"], resources=[self._arn])
