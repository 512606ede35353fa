"""The inference endpoint: three containers in series behind one name, changed blue/green and taken back by alarms.

Knows which artifacts are served (the starter's or the released model's, and a second model's beside it), what a canary
needs and how the endpoint scales. Does not know how a release is made.

The SageMaker resources carry no physical names, so that a new model is a new Model and a new EndpointConfig; only the
endpoint itself has one, because its own alarms name it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aws_cdk import Aws, CfnCondition, CfnParameter, Duration, Fn, IResolvable
from aws_cdk import aws_applicationautoscaling as autoscaling
from aws_cdk import aws_s3_assets as s3_assets
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from stacks.assets import CONTAINERS, Assets
from stacks.constructs.arns import arn
from stacks.constructs.lake import CAPTURE, MODELS, Lake
from stacks.constructs.one_container import OneContainer, pulling
from stacks.constructs.operations import Operations
from stacks.constructs.released_model import GUARDED, NOTHING_BESIDE, STARTER, ReleasedModel
from stacks.constructs.role import Statement
from stacks.constructs.rollback_alarms import MOST_ALARMS, QualityLimits, rollback_alarms
from stacks.constructs.sagemaker_role import SageMakerRole, reading_assets
from stacks.constructs.served_model import IMAGE_OF, served_model
from stacks.images import framework_image

VARIANT = "sentiment"
"""Never renamed: a deployment guardrail compares the old and the new variant of one name."""

BESIDE = "beside"
"""The second production variant, there only while two models are compared."""


@dataclass(frozen=True, kw_only=True)
class Capacity:
    """How many instances of what, and when there should be more."""

    instance_type: str
    minimum_instances: int
    maximum_instances: int
    invocations_per_instance_per_minute: int


@dataclass(frozen=True, kw_only=True)
class Guardrail:
    """How a new model takes over, and what takes it back."""

    canary_percent: int
    canary_wait_seconds: int
    termination_wait_seconds: int
    poll_seconds: int
    limits: QualityLimits


@dataclass(frozen=True, kw_only=True)
class _Choices:
    """What the stack is told from outside: parameters, and the conditions over them."""

    release: CfnParameter
    beside: CfnParameter
    beside_weight: CfnParameter
    is_starter: str
    has_beside: CfnCondition
    is_guarded: str


class InferenceEndpoint(Construct):
    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        capacity: Capacity,
        guardrail: Guardrail,
        capture_percent: int,
        released_model: ReleasedModel,
        assets: Assets,
        lake: Lake,
        operations: Operations,
        one_container_image: str = "",
        serving: Sequence[Statement] = (),
    ) -> None:
        """`serving` is what the containers' role may do besides, where the same model is served elsewhere too."""
        super().__init__(scope, id_)
        self._name = name
        starters = {
            container: s3_assets.Asset(
                self, f"Starter{container.capitalize()}", path=str(assets.starter_artifact(container))
            )
            for container in CONTAINERS
        }
        choices = self._choices(released_model)
        models = self._models(starters, choices, lake, one_container_image, serving)
        self.model_name = models[0].attr_model_name
        config = self._config(models, choices, capacity, capture_percent, lake)
        self.alarms = rollback_alarms(
            self,
            endpoint=name,
            variant=VARIANT,
            limits=guardrail.limits,
            poll_seconds=guardrail.poll_seconds,
            operations=operations,
        )
        self.resource = self._guarded_endpoint(config, choices, capacity, guardrail)
        self.name = self.resource.attr_endpoint_name
        self._scale(capacity, operations)

    def invoking(self) -> Statement:
        """What a role needs to ask the endpoint."""
        return Statement(actions=["sagemaker:InvokeEndpoint"], resources=[arn("sagemaker", f"endpoint/{self.name}")])

    def _choices(self, released_model: ReleasedModel) -> _Choices:
        def parameter(id_: str, name: str, description: str) -> CfnParameter:
            made = CfnParameter(
                self, id_, type="AWS::SSM::Parameter::Value<String>", default=name, description=description
            )
            made.override_logical_id(id_)
            return made

        release = parameter(
            "Release",
            released_model.parameter_name,
            "Resolved at every create and update of the stack, so that a deploy keeps the released model",
        )
        beside = parameter("Beside", released_model.beside_name, "A second model beside the released one, or none")
        guardrail = parameter("Guardrail", released_model.guardrail_name, "Whether an update is a canary with alarms")
        weight = CfnParameter(
            self,
            "BesideWeight",
            type="Number",
            default=0,
            min_value=0,
            description="Weight of the second model where the released one's is 1; 0 is no traffic",
        )
        weight.override_logical_id("BesideWeight")
        is_starter = CfnCondition(self, "IsStarter", expression=Fn.condition_equals(release.value_as_string, STARTER))
        has_beside = CfnCondition(
            self,
            "HasBeside",
            expression=Fn.condition_not(Fn.condition_equals(beside.value_as_string, NOTHING_BESIDE)),
        )
        is_guarded = CfnCondition(self, "IsGuarded", expression=Fn.condition_equals(guardrail.value_as_string, GUARDED))
        for condition in (is_starter, has_beside, is_guarded):
            condition.override_logical_id(condition.node.id)
        return _Choices(
            release=release,
            beside=beside,
            beside_weight=weight,
            is_starter=is_starter.logical_id,
            has_beside=has_beside,
            is_guarded=is_guarded.logical_id,
        )

    def _models(
        self,
        starters: dict[str, s3_assets.Asset],
        choices: _Choices,
        lake: Lake,
        image: str,
        statements: Sequence[Statement],
    ) -> tuple[sagemaker.CfnModel, sagemaker.CfnModel]:
        """The released model and the one beside it, which exists only while there is one."""
        role = SageMakerRole(
            self,
            "Serving",
            description="Runs the endpoint's containers",
            logs_to="Endpoints",
            images=[framework_image(name) for name in sorted(set(IMAGE_OF.values()))],
            statements=[
                *lake.artifacts.reading(MODELS),
                *lake.artifacts.listing(MODELS),
                *lake.data.uploading(CAPTURE),
                *reading_assets(*starters.values()),
                *([pulling(image)] if image else []),
                *statements,
            ],
        )
        released = {
            container: Fn.condition_if(
                choices.is_starter, asset.s3_object_url, f"{choices.release.value_as_string}{container}.tar.gz"
            ).to_string()
            for container, asset in starters.items()
        }
        second = {container: f"{choices.beside.value_as_string}{container}.tar.gz" for container in CONTAINERS}
        one, one_beside = None, None
        if image:
            # The starter comes in three assets without a common prefix: until the first release it is served by three.
            released = {container: asset.s3_object_url for container, asset in starters.items()}
            one = OneContainer(image=image, release=choices.release.value_as_string, unless=choices.is_starter)
            one_beside = OneContainer(image=image, release=choices.beside.value_as_string)
        model = served_model(self, "Model", artifacts=released, role=role, one_container=one)
        beside = served_model(self, "BesideModel", artifacts=second, role=role, one_container=one_beside)
        beside.cfn_options.condition = choices.has_beside
        return model, beside

    def _config(
        self,
        models: tuple[sagemaker.CfnModel, sagemaker.CfnModel],
        choices: _Choices,
        capacity: Capacity,
        capture_percent: int,
        lake: Lake,
    ) -> sagemaker.CfnEndpointConfig:
        config = sagemaker.CfnEndpointConfig
        model, beside = models
        second: IResolvable = Fn.condition_if(
            choices.has_beside.logical_id,
            {
                "VariantName": BESIDE,
                "ModelName": beside.attr_model_name,
                "InstanceType": capacity.instance_type,
                "InitialInstanceCount": capacity.minimum_instances,
                "InitialVariantWeight": choices.beside_weight.value_as_number,
                "ContainerStartupHealthCheckTimeoutInSeconds": 600,
            },
            Aws.NO_VALUE,
        )
        return sagemaker.CfnEndpointConfig(
            self,
            "Config",
            kms_key_id=None if has_local_storage(capacity.instance_type) else lake.key.arn,
            production_variants=[
                config.ProductionVariantProperty(
                    variant_name=VARIANT,
                    model_name=model.attr_model_name,
                    instance_type=capacity.instance_type,
                    initial_instance_count=capacity.minimum_instances,
                    initial_variant_weight=1,
                    container_startup_health_check_timeout_in_seconds=600,
                ),
                second,
            ],
            data_capture_config=config.DataCaptureConfigProperty(
                enable_capture=True,
                initial_sampling_percentage=capture_percent,
                destination_s3_uri=lake.data.uri(CAPTURE.removesuffix("/")),
                kms_key_id=lake.key.arn,
                capture_options=[
                    config.CaptureOptionProperty(capture_mode="Input"),
                    config.CaptureOptionProperty(capture_mode="Output"),
                ],
                capture_content_type_header=config.CaptureContentTypeHeaderProperty(
                    json_content_types=["application/json", "application/jsonlines"]
                ),
            ),
        )

    def _guarded_endpoint(
        self,
        config: sagemaker.CfnEndpointConfig,
        choices: _Choices,
        capacity: Capacity,
        guardrail: Guardrail,
    ) -> sagemaker.CfnEndpoint:
        endpoint = sagemaker.CfnEndpoint
        if len(self.alarms) > MOST_ALARMS:
            raise ValueError(f"SageMaker takes {MOST_ALARMS} rollback alarms, not {len(self.alarms)}")
        return sagemaker.CfnEndpoint(
            self,
            "Endpoint",
            endpoint_name=self._name,
            endpoint_config_name=config.attr_endpoint_config_name,
            # Keep the instances that autoscaling added; capture and the traffic's shares are ours to change.
            retain_all_variant_properties=True,
            exclude_retained_variant_properties=[
                endpoint.VariantPropertyProperty(variant_property_type=kind)
                for kind in ("DataCaptureConfig", "DesiredWeight")
            ],
            # A guardrail needs the same variants before and after, and alarms that do not ring already: a second
            # variant comes and goes without one, and so does the way back to an older model.
            deployment_config=Fn.condition_if(
                choices.is_guarded, _deployment(capacity, guardrail, self.alarms), Aws.NO_VALUE
            ),
        )

    def _scale(self, capacity: Capacity, operations: Operations) -> None:
        target = autoscaling.CfnScalableTarget(
            self,
            "Scaling",
            service_namespace="sagemaker",
            scalable_dimension="sagemaker:variant:DesiredInstanceCount",
            resource_id=f"endpoint/{self.name}/variant/{VARIANT}",
            min_capacity=capacity.minimum_instances,
            max_capacity=capacity.maximum_instances,
            role_arn=arn(
                "iam",
                "role/"
                "aws-service-role/sagemaker.application-autoscaling.amazonaws.com/"
                "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint",
                region="",
            ),
        )
        policy = autoscaling.CfnScalingPolicy
        autoscaling.CfnScalingPolicy(
            self,
            "ScalingPolicy",
            policy_name=f"{self._name}-invocations",
            policy_type="TargetTrackingScaling",
            scaling_target_id=target.ref,
            target_tracking_scaling_policy_configuration=policy.TargetTrackingScalingPolicyConfigurationProperty(
                target_value=capacity.invocations_per_instance_per_minute,
                predefined_metric_specification=policy.PredefinedMetricSpecificationProperty(
                    predefined_metric_type="SageMakerVariantInvocationsPerInstance"
                ),
                # Out soon, for a wave of complaints does not wait; in slowly, for a new instance takes minutes.
                scale_in_cooldown=300,
                scale_out_cooldown=60,
            ),
        )
        # No rollback alarm: a wave of complaints is not the new model's fault.
        operations.alarm(
            self,
            "Overload",
            description="Calls come in faster than autoscaling can follow, or may",
            namespace="AWS/SageMaker",
            metric_name="InvocationsPerInstance",
            dimensions={"EndpointName": self._name, "VariantName": VARIANT},
            statistic="Sum",
            threshold=1.5 * capacity.invocations_per_instance_per_minute,
            period=Duration.minutes(1),
            evaluation_periods=3,
            datapoints_to_alarm=2,
        )


def _deployment(capacity: Capacity, guardrail: Guardrail, alarms: list[str]) -> dict[str, Any]:
    """DeploymentConfig as CloudFormation words it, since it stands inside a condition."""
    wait = guardrail.canary_wait_seconds
    routing: dict[str, Any] = {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": wait}
    # One instance has no half: there all traffic moves at once and is watched for as long as a canary would be.
    if capacity.minimum_instances > 1:
        size = {"Type": "CAPACITY_PERCENT", "Value": guardrail.canary_percent}
        routing = {"Type": "CANARY", "WaitIntervalInSeconds": wait, "CanarySize": size}
    return {
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": name} for name in alarms]},
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": routing,
            "TerminationWaitInSeconds": guardrail.termination_wait_seconds,
            "MaximumExecutionTimeoutInSeconds": max(600, 1800 + wait * 2 + guardrail.termination_wait_seconds),
        },
    }


def has_local_storage(instance_type: str) -> bool:
    """SageMaker refuses a volume key where the instance brings its own, hardware-encrypted disks."""
    family = instance_type.split(".")[1]
    return family.startswith(("g", "p", "inf", "trn")) or "d" in family[2:]
