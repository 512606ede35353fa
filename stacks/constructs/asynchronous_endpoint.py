"""A second endpoint over the model of the first: requests wait in S3, and no instance runs while there are none.

Knows where requests and answers lie, who hears of failures, and how the fleet grows from nothing and back. Does not
know which model it serves: it is changed after the endpoint that people wait for, so a model that is taken back there
does not get here.
"""

from aws_cdk import Duration
from aws_cdk import aws_applicationautoscaling as autoscaling
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from stacks.acknowledgements import acknowledge
from stacks.constructs.arns import arn
from stacks.constructs.inference_endpoint import VARIANT, InferenceEndpoint, has_local_storage
from stacks.constructs.lake import RESCORING, Lake
from stacks.constructs.operations import Operations
from stacks.constructs.role import Statement

REQUESTS = f"{RESCORING}async/input/"
ANSWERS = f"{RESCORING}async/output/"
FAILURES = f"{RESCORING}async/failures/"

REQUESTS_AT_ONCE = 2
"""Per instance. A request is an object of many texts, and the instances have two cores."""
BACKLOG_PER_INSTANCE = 5


def serving_asynchronously(lake: Lake, operations: Operations) -> list[Statement]:
    """What the role of the served model needs for it beside what a real-time endpoint needs."""
    return [
        *lake.data.reading(REQUESTS),
        *lake.data.listing(REQUESTS),
        *lake.data.uploading(ANSWERS, FAILURES),
        Statement(actions=["sns:Publish"], resources=[operations.topic.topic_arn]),
    ]


class AsynchronousEndpoint(Construct):
    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        instance_type: str,
        maximum_instances: int,
        served: InferenceEndpoint,
        lake: Lake,
        operations: Operations,
    ) -> None:
        super().__init__(scope, id_)
        config = self._config(instance_type, served, lake, operations)
        endpoint = sagemaker.CfnEndpoint(
            self, "Endpoint", endpoint_name=name, endpoint_config_name=config.attr_endpoint_config_name
        )
        endpoint.node.add_dependency(served.resource)
        self.name = endpoint.attr_endpoint_name
        self._scale(name, maximum_instances)
        operations.alarm(
            self,
            "ServerErrors",
            description="The asynchronous endpoint answered 5xx",
            namespace="AWS/SageMaker",
            metric_name="Invocation5XXErrors",
            dimensions={"EndpointName": name, "VariantName": VARIANT},
            statistic="Sum",
            threshold=0,
            period=Duration.minutes(1),
        )

    def _config(
        self, instance_type: str, served: InferenceEndpoint, lake: Lake, operations: Operations
    ) -> sagemaker.CfnEndpointConfig:
        config = sagemaker.CfnEndpointConfig
        made = sagemaker.CfnEndpointConfig(
            self,
            "Config",
            kms_key_id=None if has_local_storage(instance_type) else lake.key.arn,
            production_variants=[
                config.ProductionVariantProperty(
                    variant_name=VARIANT,
                    model_name=served.model_name,
                    instance_type=instance_type,
                    # A new model is loaded once to see that it can be, then the fleet goes back to nothing.
                    initial_instance_count=1,
                    initial_variant_weight=1,
                    container_startup_health_check_timeout_in_seconds=600,
                )
            ],
            async_inference_config=config.AsyncInferenceConfigProperty(
                client_config=config.AsyncInferenceClientConfigProperty(
                    max_concurrent_invocations_per_instance=REQUESTS_AT_ONCE
                ),
                output_config=config.AsyncInferenceOutputConfigProperty(
                    kms_key_id=lake.key.arn,
                    s3_output_path=lake.data.uri(ANSWERS.removesuffix("/")),
                    s3_failure_path=lake.data.uri(FAILURES.removesuffix("/")),
                    notification_config=config.AsyncInferenceNotificationConfigProperty(
                        error_topic=operations.topic.topic_arn
                    ),
                ),
            ),
        )
        acknowledge(made, rule="ML-20", reason="Requests wait in a queue: nobody waits for an instance")
        return made

    def _scale(self, name: str, maximum_instances: int) -> None:
        """https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-autoscale.html"""
        target = autoscaling.CfnScalableTarget(
            self,
            "Scaling",
            service_namespace="sagemaker",
            scalable_dimension="sagemaker:variant:DesiredInstanceCount",
            resource_id=f"endpoint/{self.name}/variant/{VARIANT}",
            min_capacity=0,
            max_capacity=maximum_instances,
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
            "BacklogPolicy",
            policy_name=f"{name}-backlog",
            policy_type="TargetTrackingScaling",
            scaling_target_id=target.ref,
            target_tracking_scaling_policy_configuration=policy.TargetTrackingScalingPolicyConfigurationProperty(
                target_value=BACKLOG_PER_INSTANCE,
                customized_metric_specification=policy.CustomizedMetricSpecificationProperty(
                    namespace="AWS/SageMaker",
                    metric_name="ApproximateBacklogSizePerInstance",
                    dimensions=[policy.MetricDimensionProperty(name="EndpointName", value=self.name)],
                    statistic="Average",
                ),
                scale_in_cooldown=300,
                scale_out_cooldown=300,
            ),
        )
        # Nothing divided by no instance tracks no target: the first instance is asked for by its own alarm.
        first = autoscaling.CfnScalingPolicy(
            self,
            "FirstInstancePolicy",
            policy_name=f"{name}-first-instance",
            policy_type="StepScaling",
            scaling_target_id=target.ref,
            step_scaling_policy_configuration=policy.StepScalingPolicyConfigurationProperty(
                adjustment_type="ChangeInCapacity",
                metric_aggregation_type="Average",
                cooldown=300,
                step_adjustments=[policy.StepAdjustmentProperty(metric_interval_lower_bound=0, scaling_adjustment=1)],
            ),
        )
        cloudwatch.CfnAlarm(
            self,
            "BacklogWithoutInstance",
            alarm_description="Requests wait while no instance runs: the first one is started",
            namespace="AWS/SageMaker",
            metric_name="HasBacklogWithoutCapacity",
            dimensions=[cloudwatch.CfnAlarm.DimensionProperty(name="EndpointName", value=self.name)],
            statistic="Average",
            period=60,
            evaluation_periods=2,
            datapoints_to_alarm=2,
            threshold=1,
            comparison_operator="GreaterThanOrEqualToThreshold",
            treat_missing_data="missing",
            alarm_actions=[first.ref],
        )
