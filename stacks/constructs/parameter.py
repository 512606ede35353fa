"""A document of the stage in Parameter Store, which its functions read while they run.

Knows the parameter and who may read it. Does not know the document: an operator may put another in its place, and the
next deploy puts back what the settings say.
"""

from aws_cdk import aws_ssm as ssm
from constructs import Construct

from stacks.constructs.arns import arn
from stacks.constructs.role import Statement


class Parameter(Construct):
    def __init__(self, scope: Construct, id_: str, *, name: str, what: str, value: str) -> None:
        super().__init__(scope, id_)
        self.name = name
        ssm.CfnParameter(
            self,
            "Parameter",
            name=name,
            description=what,
            type="String",
            value=value,
            # Above 4 KB Parameter Store asks for the advanced tier; below, it costs nothing.
            tier="Intelligent-Tiering",
        )

    def reading(self) -> Statement:
        """What a role needs to read the document."""
        return Statement(actions=["ssm:GetParameter"], resources=[arn("ssm", f"parameter{self.name}")])
