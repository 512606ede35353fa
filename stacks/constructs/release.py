"""Releasing an approved model: a state machine around two functions, started by the approval itself.

Knows that a release is an update of this very stack with its previous template, and waits for how it ends. Does not
know how the functions talk to CloudFormation and to the endpoint.
"""

from pathlib import Path

from aws_cdk import Duration, Fn, Stack
from aws_cdk import aws_events as events
from constructs import Construct

from stacks.constructs.arns import arn
from stacks.constructs.canary import Canary
from stacks.constructs.data_key import DataKey
from stacks.constructs.handler_function import HandlerFunction
from stacks.constructs.inference_endpoint import InferenceEndpoint
from stacks.constructs.lake import MODELS, REPORTS, Lake
from stacks.constructs.model_registry import ModelRegistry
from stacks.constructs.operations import Operations
from stacks.constructs.private_network import NetworkSegment
from stacks.constructs.release_definition import release_definition
from stacks.constructs.released_model import ReleasedModel
from stacks.constructs.role import Role, Statement
from stacks.constructs.work_queue import DeadLetters
from stacks.constructs.workflow import Workflow


class Release(Construct):
    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        poll_seconds: int,
        bundle: Path,
        lake: Lake,
        released_model: ReleasedModel,
        endpoint: InferenceEndpoint,
        canary: Canary,
        registry: ModelRegistry,
        operations: Operations,
        key: DataKey,
        failures: DeadLetters,
        network: NetworkSegment | None,
        log_days: int,
        reserve_concurrency: bool,
    ) -> None:
        super().__init__(scope, id_)
        function = HandlerFunction(
            self,
            "Update",
            package="release",
            description="Points the Endpoint stack at an approved model and looks how its update goes",
            bundle=bundle,
            environment={
                "RELEASE_PARAMETER": released_model.parameter_name,
                "BESIDE_PARAMETER": released_model.beside_name,
                "GUARDRAIL_PARAMETER": released_model.guardrail_name,
                "ENDPOINT_STACK": Stack.of(self).stack_name,
                "ROLLBACK_ALARMS": Fn.join(",", endpoint.alarms),
            },
            statements=[
                released_model.releasing(),
                registry.allowing("sagemaker:DescribeModelPackage", "sagemaker:UpdateModelPackage"),
                *lake.artifacts.reading(MODELS),  # the artifacts are looked into before anything is changed
                *lake.data.reading(REPORTS),  # the evaluation that was registered names their digests
                *self._updating(),
                # Alarms are found by name, and the call names no single one.
                Statement(actions=["cloudwatch:DescribeAlarms"], resources=[arn("cloudwatch", "alarm:*")]),
            ],
            timeout=Duration.minutes(5),  # archives of hundreds of megabytes are read through
            memory_mib=1024,
            key=key,
            log_days=log_days,
            operations=operations,
            failures=failures,
            network=network,
            concurrency=5 if reserve_concurrency else None,
        )
        self._workflow = Workflow(
            self,
            "Workflow",
            name=f"{name}-release",
            definition=release_definition(function.arn, canary.arn, poll_seconds=poll_seconds),
            statements=[function.invoking(), canary.invoking()],
            key=key,
            log_days=log_days,
            operations=operations,
        )
        self.arn = self._workflow.arn
        self._start_on_approval(registry, failures)

    def _updating(self) -> list[Statement]:
        """CloudFormation works with the role of the last deploy; the caller needs the call and the parameters."""
        return [
            Statement(
                actions=[
                    "cloudformation:DescribeStackEvents",
                    "cloudformation:DescribeStacks",
                    "cloudformation:UpdateStack",
                ],
                resources=[arn("cloudformation", f"stack/{Stack.of(self).stack_name}/*")],
            ),
            # The CDK's own parameter, resolved at every update of a stack that the CDK made.
            Statement(
                actions=["ssm:GetParameters"], resources=[arn("ssm", "parameter/cdk-bootstrap/hnb659fds/version")]
            ),
        ]

    def _start_on_approval(self, registry: ModelRegistry, failures: DeadLetters) -> None:
        failures.take_events()
        role = Role(
            self,
            "ApprovalAccess",
            service="events",
            description="Starts a release when a model is approved",
            statements=[self._workflow.starting()],
        )
        events.CfnRule(
            self,
            "Approval",
            description="A model package of this stage was approved",
            event_pattern={
                "source": ["aws.sagemaker"],
                "detail-type": ["SageMaker Model Package State Change"],
                "detail": {
                    "ModelPackageGroupName": [registry.group_name],
                    "ModelApprovalStatus": ["Approved"],
                },
            },
            state="ENABLED",
            targets=[
                events.CfnRule.TargetProperty(
                    id="Release",
                    arn=self.arn,
                    role_arn=role.arn,
                    input_transformer=events.CfnRule.InputTransformerProperty(
                        input_paths_map={"package": "$.detail.ModelPackageArn"},
                        input_template='{"model_package_arn": <package>}',
                    ),
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=failures.queue.queue_arn),
                )
            ],
        )
