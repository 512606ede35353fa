"""The inference endpoint: three containers in series behind one name, changed blue/green and taken back by alarms.

Knows which artifacts are served (the starter's or the released model's), what a canary needs and how the endpoint
scales. Does not know how a release is made.

The SageMaker resources carry no physical names, so that a new model is a new Model and a new EndpointConfig; only the
endpoint itself has one, because its own alarms name it.
"""

from dataclasses import dataclass

from aws_cdk import Acknowledgment, CfnCondition, CfnParameter, Duration, Fn, Stack, Validations
from aws_cdk import aws_applicationautoscaling as autoscaling
from aws_cdk import aws_s3_assets as s3_assets
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from stacks.assets import CONTAINERS, Assets
from stacks.constructs.arns import arn
from stacks.constructs.lake import CAPTURE, MODELS, Lake
from stacks.constructs.operations import Operations
from stacks.constructs.released_model import STARTER, ReleasedModel
from stacks.constructs.role import Statement
from stacks.constructs.sagemaker_role import SageMakerRole, reading_assets
from stacks.images import ImageName, framework_image

VARIANT = "sentiment"
"""Never renamed: a deployment guardrail compares the old and the new variant of one name."""

IMAGE_OF: dict[str, ImageName] = {
    "transform": "sklearn-serving",
    "classify": "huggingface-serving",
    "label": "sklearn-serving",
}


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
    latency_alarm_milliseconds: int


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
    ) -> None:
        super().__init__(scope, id_)
        self._name = name
        starters = {
            container: s3_assets.Asset(
                self, f"Starter{container.capitalize()}", path=str(assets.starter_artifact(container))
            )
            for container in CONTAINERS
        }
        model = self._model(starters, released_model, lake)
        config = self._config(model, capacity, capture_percent, lake)
        alarms = self._alarms(guardrail, operations)
        self.name = self._guarded_endpoint(config, capacity, guardrail, alarms).attr_endpoint_name
        self._scale(capacity)

    def invoking(self) -> Statement:
        """What a role needs to ask the endpoint."""
        return Statement(actions=["sagemaker:InvokeEndpoint"], resources=[arn("sagemaker", f"endpoint/{self.name}")])

    def _model(
        self, starters: dict[str, s3_assets.Asset], released_model: ReleasedModel, lake: Lake
    ) -> sagemaker.CfnModel:
        release = CfnParameter(
            self,
            "Release",
            type="AWS::SSM::Parameter::Value<String>",
            default=released_model.parameter_name,
            description="Resolved at every create and update of the stack, so that a deploy keeps the released model",
        )
        release.override_logical_id("Release")
        is_starter = CfnCondition(self, "IsStarter", expression=Fn.condition_equals(release.value_as_string, STARTER))
        is_starter.override_logical_id("IsStarter")
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
            ],
        )
        region = Stack.of(self).region
        model = sagemaker.CfnModel(
            self,
            "Model",
            execution_role_arn=role.arn,
            enable_network_isolation=True,
            inference_execution_config=sagemaker.CfnModel.InferenceExecutionConfigProperty(mode="Serial"),
            containers=[
                sagemaker.CfnModel.ContainerDefinitionProperty(
                    container_hostname=container,
                    image=framework_image(IMAGE_OF[container]).address(region),
                    model_data_url=Fn.condition_if(
                        is_starter.logical_id,
                        asset.s3_object_url,
                        f"{release.value_as_string}{container}.tar.gz",
                    ).to_string(),
                    environment={
                        "SAGEMAKER_PROGRAM": "inference.py",
                        "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
                    },
                )
                for container, asset in starters.items()
            ],
        )
        Validations.of(model).acknowledge(
            Acknowledgment(
                id="CloudFormation-Validate::F3031",
                reason="The rule takes the name of the SSM parameter for its value and finds no s3:// address in it",
            )
        )
        # SageMaker reads the artifacts with the role while it creates the model.
        model.node.add_dependency(role.policy)
        return model

    def _config(
        self, model: sagemaker.CfnModel, capacity: Capacity, capture_percent: int, lake: Lake
    ) -> sagemaker.CfnEndpointConfig:
        config = sagemaker.CfnEndpointConfig
        return sagemaker.CfnEndpointConfig(
            self,
            "Config",
            kms_key_id=None if _has_local_storage(capacity.instance_type) else lake.key.arn,
            production_variants=[
                config.ProductionVariantProperty(
                    variant_name=VARIANT,
                    model_name=model.attr_model_name,
                    instance_type=capacity.instance_type,
                    initial_instance_count=capacity.minimum_instances,
                    initial_variant_weight=1,
                    container_startup_health_check_timeout_in_seconds=600,
                )
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

    def _alarms(self, guardrail: Guardrail, operations: Operations) -> list[str]:
        dimensions = {"EndpointName": self._name, "VariantName": VARIANT}
        errors = operations.alarm(
            self,
            "ServerErrors",
            description="The endpoint answered 5xx",
            namespace="AWS/SageMaker",
            metric_name="Invocation5XXErrors",
            dimensions=dimensions,
            statistic="Sum",
            threshold=0,
            period=Duration.minutes(1),
        )
        latency = operations.alarm(
            self,
            "Latency",
            description=f"One in a hundred answers took longer than {guardrail.latency_alarm_milliseconds} ms",
            namespace="AWS/SageMaker",
            metric_name="ModelLatency",
            dimensions=dimensions,
            statistic="p99",
            threshold=guardrail.latency_alarm_milliseconds * 1000,  # the metric is in microseconds
            period=Duration.minutes(1),
            evaluation_periods=3,
            datapoints_to_alarm=2,
        )
        return [errors.ref, latency.ref]

    def _guarded_endpoint(
        self, config: sagemaker.CfnEndpointConfig, capacity: Capacity, guardrail: Guardrail, alarms: list[str]
    ) -> sagemaker.CfnEndpoint:
        endpoint = sagemaker.CfnEndpoint
        wait = guardrail.canary_wait_seconds
        if capacity.minimum_instances > 1:
            routing = endpoint.TrafficRoutingConfigProperty(
                type="CANARY",
                wait_interval_in_seconds=wait,
                canary_size=endpoint.CapacitySizeProperty(type="CAPACITY_PERCENT", value=guardrail.canary_percent),
            )
        else:
            # One instance has no half: all traffic moves at once and is watched for as long as a canary would be.
            routing = endpoint.TrafficRoutingConfigProperty(type="ALL_AT_ONCE", wait_interval_in_seconds=wait)
        return sagemaker.CfnEndpoint(
            self,
            "Endpoint",
            endpoint_name=self._name,
            endpoint_config_name=config.attr_endpoint_config_name,
            # Keep the instances that autoscaling added; capture is ours to change.
            retain_all_variant_properties=True,
            exclude_retained_variant_properties=[
                endpoint.VariantPropertyProperty(variant_property_type="DataCaptureConfig")
            ],
            deployment_config=endpoint.DeploymentConfigProperty(
                auto_rollback_configuration=endpoint.AutoRollbackConfigProperty(
                    alarms=[endpoint.AlarmProperty(alarm_name=name) for name in alarms]
                ),
                blue_green_update_policy=endpoint.BlueGreenUpdatePolicyProperty(
                    traffic_routing_configuration=routing,
                    termination_wait_in_seconds=guardrail.termination_wait_seconds,
                    maximum_execution_timeout_in_seconds=max(600, 1800 + wait * 2 + guardrail.termination_wait_seconds),
                ),
            ),
        )

    def _scale(self, capacity: Capacity) -> None:
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
                scale_in_cooldown=300,
                scale_out_cooldown=60,
            ),
        )


def _has_local_storage(instance_type: str) -> bool:
    """SageMaker refuses a volume key where the instance brings its own, hardware-encrypted disks."""
    family = instance_type.split(".")[1]
    return family.startswith(("g", "p", "inf", "trn")) or "d" in family[2:]
