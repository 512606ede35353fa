"""The model package group: every model that passed the gate, with its metrics and its approval.

Knows the group and the statements around it. Does not know what a model is made of.
"""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from stacks.constructs.arns import arn
from stacks.constructs.role import Statement


class ModelRegistry(Construct):
    def __init__(self, scope: Construct, id_: str, *, name: str, removal_policy: RemovalPolicy) -> None:
        super().__init__(scope, id_)
        self._group = sagemaker.CfnModelPackageGroup(
            self,
            "Group",
            model_package_group_name=name,
            model_package_group_description="Sentiment models of Earshot, each with its three containers",
        )
        self._group.apply_removal_policy(removal_policy)
        self._name = name

    @property
    def group_name(self) -> str:
        # Ref and Arn are both the ARN here, so the name waits for the group by way of its ARN.
        return self._name

    @property
    def group_arn(self) -> str:
        return self._group.attr_model_package_group_arn

    @property
    def _package_arns(self) -> str:
        return arn("sagemaker", f"model-package/{self._name}/*")

    def allowing(self, *actions: str) -> Statement:
        """Exactly these actions, for instance `sagemaker:CreateModelPackage`, on the group and its models."""
        return Statement(actions=list(actions), resources=[self.group_arn, self._package_arns])
