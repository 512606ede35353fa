"""Which models are served and how the next change happens: SSM parameters, written by releases.

Knows the parameters and their statements. Does not know the endpoint that reads them.
"""

from aws_cdk import aws_ssm as ssm
from constructs import Construct

from stacks.constructs.arns import arn
from stacks.constructs.role import Statement

STARTER = "starter"
NOTHING_BESIDE = "none"
GUARDED = "on"


class ReleasedModel(Construct):
    """The template's values never change, so CloudFormation sets them once and no deploy takes a release back."""

    def __init__(self, scope: Construct, id_: str, *, parameter: str) -> None:
        super().__init__(scope, id_)
        folder = parameter.rpartition("/")[0]
        self.parameter_name = parameter
        self.beside_name = f"{folder}/beside"
        self.guardrail_name = f"{folder}/guardrail"
        self._parameter = ssm.CfnParameter(
            self,
            "Parameter",
            name=parameter,
            type="String",
            value=STARTER,
            description="Prefix of the released model's artifacts, or the word starter; written by releases",
        )
        ssm.CfnParameter(
            self,
            "Beside",
            name=self.beside_name,
            type="String",
            value=NOTHING_BESIDE,
            description="Prefix of a second model's artifacts, or the word none; written by releases",
        )
        ssm.CfnParameter(
            self,
            "Guardrail",
            name=self.guardrail_name,
            type="String",
            value=GUARDED,
            description="off while a release changes the endpoint at once, without canary and alarms; else on",
        )

    def releasing(self) -> Statement:
        """Read and write the parameters; CloudFormation reads them with the caller's rights."""
        return Statement(
            actions=["ssm:GetParameter", "ssm:GetParameters", "ssm:PutParameter"],
            resources=[
                arn("ssm", f"parameter/{name.removeprefix('/')}")
                for name in (self.parameter_name, self.beside_name, self.guardrail_name)
            ],
        )
