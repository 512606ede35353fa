"""The rules for machine learning: silent on good templates of several styles, and each notices its fault."""

import copy
from typing import Any

import pytest

from policy import RULES
from tests.unit.policy.faults import Fault, ids, is_caught, read

ENDPOINT = read("foreign/sagemaker_endpoint.yaml")
OTHERS = read("machine_learning.yaml")
TRAINING = read("foreign/training_pipeline.yaml")

VARIANT = "Config/ProductionVariants/0"
CAPTURE = "Config/DataCaptureConfig"
BLUE_GREEN = "Endpoint/DeploymentConfig/BlueGreenUpdatePolicy"
ALARMS = "Endpoint/DeploymentConfig/AutoRollbackConfiguration/Alarms"
CONTAINER = "Model/PrimaryContainer"
TRACKING = "ScalingPolicy/TargetTrackingScalingPolicyConfiguration"
INLINE = "OwnSchedule/MonitoringScheduleConfig/MonitoringJobDefinition"

OF_AN_ENDPOINT = [
    Fault("ML-01", "Notebook/DirectInternetAccess", "Enabled"),
    Fault("ML-01", "Notebook/DirectInternetAccess"),
    Fault("ML-02", "Notebook/SubnetId"),
    Fault("ML-03", "Notebook/RootAccess"),
    Fault("ML-04", "Notebook/PlatformIdentifier", "notebook-al2-v2"),
    Fault("ML-04", "Notebook/PlatformIdentifier"),
    Fault("ML-05", "Notebook/KmsKeyId"),
    Fault("ML-06", "Notebook/InstanceMetadataServiceConfiguration/MinimumInstanceMetadataServiceVersion", "1"),
    Fault("ML-10", "Model/EnableNetworkIsolation"),
    Fault("ML-10", "Model/EnableNetworkIsolation", "false"),
    Fault("ML-11", f"{CONTAINER}/Image", {"Fn::Sub": "${AWS::AccountId}.dkr.ecr.${AWS::Region}.aws/x:latest"}),
    Fault("ML-11", f"{CONTAINER}/Image", {"Fn::Sub": "${AWS::AccountId}.dkr.ecr.${AWS::Region}.amazonaws.com/x"}),
    Fault("ML-11", f"{CONTAINER}/Image", "registry.internal.example:5000/fraud/xgboost"),
    Fault("ML-11", f"{CONTAINER}/Image", "registry.internal.example/fraud@sha256:beef"),
    Fault("ML-11", f"{INLINE}/MonitoringAppSpecification/ImageUri", "0.dkr.ecr.eu-west-1.aws/m:latest"),
    Fault("ML-12", f"{CONTAINER}/ImageConfig/RepositoryAccessMode", "Platform"),
    Fault("ML-12", f"{CONTAINER}/ImageConfig"),
    Fault("ML-12", "Model/VpcConfig"),
    Fault("ML-12", f"{CONTAINER}/Image", "docker.io/library/xgboost:3.0.1"),
    Fault("ML-13", "Model/VpcConfig/SecurityGroupIds"),
    Fault("ML-13", "Model/VpcConfig/Subnets/1"),
    Fault("ML-13", "Model/VpcConfig/Subnets", ["subnet-1", "subnet-1"]),
    Fault("ML-14", f"{CONTAINER}/Environment", {"HUGGING_FACE_HUB_TOKEN": "hf_x"}),
    Fault("ML-14", f"{CONTAINER}/Environment", {"HF_TRUST_REMOTE_CODE": True}),
    Fault("ML-20", f"{VARIANT}/InitialInstanceCount", 1),
    Fault("ML-20", f"{VARIANT}/InitialInstanceCount", {"Fn::If": ["IsLinear", 2, 1]}),
    Fault("ML-20", f"{VARIANT}/InitialInstanceCount"),
    Fault("ML-21", "Config/KmsKeyId"),
    Fault("ML-22", CAPTURE),
    Fault("ML-22", CAPTURE, {"Ref": "AWS::NoValue"}),
    Fault("ML-22", f"{CAPTURE}/EnableCapture", False),
    Fault("ML-22", f"{CAPTURE}/InitialSamplingPercentage", 0),
    Fault("ML-22", f"{CAPTURE}/CaptureOptions/0"),
    Fault("ML-22", f"{CAPTURE}/CaptureOptions/1"),
    Fault("ML-23", f"{CAPTURE}/KmsKeyId"),
    Fault("ML-23", f"{CAPTURE}/KmsKeyId", {"Fn::Sub": "arn:aws:kms:${AWS::Region}:${AWS::AccountId}:alias/aws/s3"}),
    Fault("ML-25", f"{VARIANT}/EnableSSMAccess", True),
    Fault("ML-30", "Endpoint/DeploymentConfig"),
    Fault("ML-30", BLUE_GREEN),
    Fault("ML-30", f"{BLUE_GREEN}/TrafficRoutingConfiguration/Type", "ALL_AT_ONCE"),
    Fault("ML-30", f"{BLUE_GREEN}/TrafficRoutingConfiguration/Type", {"Fn::If": ["IsLinear", "LINEAR", "ALL_AT_ONCE"]}),
    Fault("ML-31", f"{BLUE_GREEN}/TrafficRoutingConfiguration/CanarySize"),
    Fault("ML-31", f"{BLUE_GREEN}/TrafficRoutingConfiguration/CanarySize", {"Type": "CAPACITY_PERCENT", "Value": "80"}),
    Fault("ML-31", f"{BLUE_GREEN}/TrafficRoutingConfiguration/WaitIntervalInSeconds", 5),
    Fault("ML-32", f"{BLUE_GREEN}/TerminationWaitInSeconds"),
    Fault("ML-33", f"{BLUE_GREEN}/MaximumExecutionTimeoutInSeconds"),
    Fault("ML-33", f"{BLUE_GREEN}/MaximumExecutionTimeoutInSeconds", 400),
    Fault("ML-34", "Endpoint/DeploymentConfig/AutoRollbackConfiguration"),
    Fault("ML-34", ALARMS, []),
    Fault("ML-36", f"{ALARMS}/0/AlarmName", "no-such-alarm"),
    Fault("ML-36", f"{ALARMS}/0/AlarmName", {"Ref": "ScalingPolicy"}),
    Fault("ML-36", "ErrorAlarm/AlarmName", "renamed", at="Endpoint"),
    Fault("ML-37", f"{ALARMS}/0", at="Endpoint"),
    Fault("ML-37", "ErrorAlarm/Dimensions/0/Value", "another"),
    Fault("ML-37", "ErrorAlarm/Dimensions/1/Value", "another"),
    Fault("ML-37", "ErrorAlarm/Dimensions/0"),
    Fault("ML-37", "ErrorAlarm/Dimensions/1"),
    Fault("ML-38", "ErrorAlarm/ComparisonOperator", "LessThanThreshold"),
    Fault("ML-38", "LatencyAlarm/Threshold", 90_000_000),
    Fault("ML-40", "ScalingTarget", at="Endpoint"),
    Fault("ML-40", "ScalingTarget/ResourceId", {"Fn::Sub": "endpoint/${ModelName}-live/variant/Other"}),
    Fault("ML-40", "ScalingTarget/ResourceId", "endpoint/another/variant/AllTraffic"),
    Fault("ML-41", "ScalingTarget/MinCapacity", 1),
    Fault("ML-41", "ScalingTarget/MaxCapacity", "2"),
    Fault("ML-42", "ScalingPolicy", at="ScalingTarget"),
    Fault("ML-42", f"{TRACKING}/ScaleInCooldown"),
    Fault("ML-42", f"{TRACKING}/ScaleOutCooldown", 0),
    Fault("ML-42", f"{TRACKING}/TargetValue", 0),
    Fault("ML-42", f"{TRACKING}/PredefinedMetricSpecification"),
    Fault("ML-50", "DataQuality/NetworkConfig/EnableNetworkIsolation", False),
    Fault("ML-51", "DataQuality/NetworkConfig/EnableInterContainerTrafficEncryption"),
    Fault("ML-52", "DataQuality/DataQualityJobOutputConfig/KmsKeyId"),
    Fault("ML-52", "DataQuality/JobResources/ClusterConfig/VolumeKmsKeyId"),
    Fault("ML-52", f"{INLINE}/MonitoringOutputConfig/KmsKeyId"),
    Fault("ML-53", "DataQuality/StoppingCondition"),
    Fault("ML-53", f"{INLINE}/StoppingCondition"),
    Fault("ML-54", f"{INLINE}/NetworkConfig/EnableNetworkIsolation"),
    Fault("ML-55", f"{INLINE}/NetworkConfig/EnableInterContainerTrafficEncryption", False),
    Fault("ML-56", "Schedule/MonitoringScheduleConfig/MonitoringJobDefinitionName"),
    Fault("ML-70", "ExecutionRole/ManagedPolicyArns", ["arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"]),
    Fault("ML-70", "ExecutionRole/ManagedPolicyArns", [{"Fn::Sub": "arn:${X}:iam::aws:policy/AmazonS3FullAccess"}]),
    Fault("ML-71", "Studio/AppNetworkAccessType", "PublicInternetOnly"),
    Fault("ML-71", "Studio/AppNetworkAccessType"),
    Fault("ML-72", "Studio/KmsKeyId"),
    Fault("ML-72", "Studio/DefaultUserSettings/SharingSettings", {"NotebookOutputOption": "Allowed"}),
    Fault("ML-73", "Features/OnlineStoreConfig/SecurityConfig"),
    Fault("ML-73", "Features/OfflineStoreConfig/S3StorageConfig/KmsKeyId"),
]  # fmt: skip

OF_THE_REST = [
    Fault("ML-11", "Package/InferenceSpecification/Containers/0/Image", "0.dkr.ecr.eu-west-1.aws/m"),
    Fault("ML-11", "Agent/AgentRuntimeArtifact/ContainerConfiguration/ContainerUri", "a/b:latest"),
    Fault("ML-20", "LocalDisks/ProductionVariants/0/ManagedInstanceScaling/MinInstanceCount", 1),
    Fault("ML-21", "QueuedConfig/ProductionVariants/0/CoreDumpConfig/KmsKeyId"),
    Fault("ML-22", "LocalDisks/DataCaptureConfig"),
    Fault("ML-24", "QueuedConfig/AsyncInferenceConfig/OutputConfig/KmsKeyId"),
    Fault("ML-24", "QueuedConfig/AsyncInferenceConfig/OutputConfig/NotificationConfig"),
    Fault("ML-26", "Component/RuntimeConfig/CopyCount", 1),
    Fault("ML-27", "Experiment/KmsKey"),
    Fault("ML-27", "Experiment/DataStorageConfig/KmsKey"),
    Fault("ML-31", "RollingEndpoint/DeploymentConfig/RollingUpdatePolicy/WaitIntervalInSeconds", 0),
    Fault("ML-33", "RollingEndpoint/DeploymentConfig/RollingUpdatePolicy/MaximumExecutionTimeoutInSeconds"),
    Fault("ML-34", "RollingEndpoint/DeploymentConfig/AutoRollbackConfiguration"),
    Fault("ML-50", "Bias/NetworkConfig/EnableNetworkIsolation"),
    Fault("ML-50", "Explain/NetworkConfig/EnableNetworkIsolation", False),
    Fault("ML-50", "Quality/NetworkConfig"),
    Fault("ML-51", "Bias/JobResources/ClusterConfig/InstanceCount", 2),
    Fault("ML-51", "Bias/NetworkConfig/EnableInterContainerTrafficEncryption", False),
    Fault("ML-51", "Explain/NetworkConfig/EnableInterContainerTrafficEncryption"),
    Fault("ML-51", "Quality/NetworkConfig/EnableInterContainerTrafficEncryption", "false"),
    Fault("ML-60", "Machine/DefinitionSubstitutions/Isolated", False),
    Fault("ML-62", "Machine/Definition/States/Train/Arguments/OutputDataConfig/KmsKeyId"),
    Fault("ML-63", "Machine/Definition/States/Train/Arguments/ResourceConfig/InstanceType", "ml.m5.xlarge"),
    Fault("ML-64", "Machine/Definition/States/Train/Arguments/StoppingCondition"),
    Fault("ML-65", "Machine/Definition/States/Train/Arguments/RoleArn"),
    Fault("ML-74", "Package/ModelApprovalStatus", "Approved"),
    Fault("ML-75", "Registry/ModelPackageGroupPolicy/Statement/0/Principal", "*"),
    Fault("ML-80", "Knowledge/ServerSideEncryptionConfiguration"),
    Fault("ML-81", "Agent/NetworkConfiguration/NetworkMode", "PUBLIC"),
    Fault("ML-81", "Browser/NetworkConfiguration/NetworkMode", "PUBLIC"),
    Fault("ML-82", "Gateway/AuthorizerType", "NONE"),
    Fault("ML-83", "Gateway/KmsKeyArn"),
    Fault("ML-83", "Memory/EncryptionKeyArn"),
    Fault("ML-84", "Browser/RecordingConfig"),
    Fault("ML-85", "Interpreter/NetworkConfiguration/NetworkMode", "PUBLIC"),
]  # fmt: skip

# (rule, what stands in the definition, what is put there instead)
OF_DEFINITIONS = [
    ("ML-11", '"TrainingImage": "${Image}"', '"TrainingImage": "000000000000.dkr.ecr.eu-west-1.amazonaws.com/churn"'),
    ("ML-11", '"ImageUri": "${Image}"', '"ImageUri": "${AWS::AccountId}.dkr.ecr.eu-west-1.amazonaws.com/churn:latest"'),
    ("ML-60", '"NetworkConfig": {"EnableNetworkIsolation": true, ', '"NetworkConfig": {'),
    ("ML-61", '"EnableInterContainerTrafficEncryption": true}', '"EnableInterContainerTrafficEncryption": false}'),
    ("ML-61", ', "EnableInterContainerTrafficEncryption": true}', "}"),
    ("ML-62", 'models", "KmsKeyId": "${KeyArn}"', 'models"'),
    ("ML-62", 'scores", "KmsKeyId": "${KeyArn}"', 'scores", "KmsKeyId": "alias/aws/s3"'),
    ("ML-63", '"VolumeSizeInGB": 30, "VolumeKmsKeyId": "${KeyArn}"', '"VolumeSizeInGB": 30'),
    ("ML-63", '"InstanceType": "ml.m5.xlarge", "VolumeKmsKeyId": "${KeyArn}"', '"InstanceType": "ml.m5.xlarge"'),
    ("ML-64", '"StoppingCondition": {"MaxRuntimeInSeconds": 14400}', '"StoppingCondition": {}'),
    ("ML-65", '"RoleArn": "${JobRole.Arn}",\n    "AppSpec', '"AppSpec'),
]
OF_A_PIPELINE = [
    ("ML-11", '"PrimaryContainer": {"Image": "${Image}"}', '"PrimaryContainer": {"Image": "a.dkr.ecr.x.aws/b"}'),
    ("ML-60", '"EnableNetworkIsolation": true, "StaticHyperParameters"', '"StaticHyperParameters"'),
    ("ML-61", '"EnableInterContainerTrafficEncryption": true', '"EnableInterContainerTrafficEncryption": false'),
    ("ML-62", 'automl", "KmsKeyId": "${KeyArn}"', 'automl"'),
    ("ML-63", ', "VolumeKmsKeyId": "${KeyArn}"}},\n', "}},\n"),
    ("ML-64", '"MaxAutoMLJobRuntimeInSeconds": 7200', ""),
]  # fmt: skip


def of_subject(template: dict[str, Any]) -> set[tuple[str, str]]:
    return {found for found in ids(template) if found[0].startswith("ML-")}


def changed(template: dict[str, Any], path: list[str], old: str, new: str) -> dict[str, Any]:
    """The template with a part of a text in it exchanged; white space at the start of lines does not count."""
    template = copy.deepcopy(template)
    place: Any = template["Resources"]
    for step in path[:-1]:
        place = place[step]
    text = "\n".join(line.strip() for line in place[path[-1]].splitlines())
    old, new = ("\n".join(line.strip() for line in part.split("\n")) for part in (old, new))
    assert old in text
    place[path[-1]] = text.replace(old, new, 1)
    return template


@pytest.mark.parametrize(
    "name", ["foreign/sagemaker_endpoint.yaml", "machine_learning.yaml", "foreign/training_pipeline.yaml"]
)
def test_good_templates_have_no_finding(name: str) -> None:
    assert of_subject(read(name)) == set()


@pytest.mark.parametrize("fault", OF_AN_ENDPOINT, ids=str)
def test_a_fault_of_an_endpoint_is_found(fault: Fault) -> None:
    assert is_caught(ENDPOINT, fault)


@pytest.mark.parametrize("fault", OF_THE_REST, ids=str)
def test_a_fault_of_other_machine_learning_is_found(fault: Fault) -> None:
    assert is_caught(OTHERS, fault)


@pytest.mark.parametrize(("rule", "old", "new"), OF_DEFINITIONS)
def test_a_fault_inside_a_state_machine_is_found(rule: str, old: str, new: str) -> None:
    path = ["Machine", "Properties", "DefinitionString", "Fn::Sub"]
    assert (rule, "Machine") in of_subject(changed(TRAINING, path, old, new))


@pytest.mark.parametrize(("rule", "old", "new"), OF_A_PIPELINE)
def test_a_fault_inside_a_pipeline_is_found(rule: str, old: str, new: str) -> None:
    path = ["Pipeline", "Properties", "PipelineDefinition", "PipelineDefinitionBody", "Fn::Sub"]
    assert (rule, "Pipeline") in of_subject(changed(OTHERS, path, old, new))


def test_every_rule_has_a_fault() -> None:
    tried = {fault.rule for fault in (*OF_AN_ENDPOINT, *OF_THE_REST)} | {
        rule for rule, _, _ in (*OF_DEFINITIONS, *OF_A_PIPELINE)
    }
    assert tried == {rule_id for rule_id in RULES if rule_id.startswith("ML-")}


def test_an_alarm_of_another_stack_is_taken_on_trust() -> None:
    template = copy.deepcopy(ENDPOINT)
    alarms = template["Resources"]["Endpoint"]["Properties"]["DeploymentConfig"]["AutoRollbackConfiguration"]
    alarms["Alarms"] = [{"AlarmName": {"Fn::ImportValue": "errors"}}]
    assert of_subject(template) == set()


def test_an_endpoint_of_one_instance_is_not_asked_for_a_canary_too() -> None:
    template = copy.deepcopy(ENDPOINT)
    template["Resources"]["Config"]["Properties"]["ProductionVariants"][0]["InitialInstanceCount"] = 1
    del template["Resources"]["Endpoint"]["Properties"]["DeploymentConfig"]
    assert of_subject(template) == {("ML-20", "Config")}


def test_a_definition_that_cannot_be_read_is_not_judged() -> None:
    template = copy.deepcopy(TRAINING)
    template["Resources"]["Machine"]["Properties"]["DefinitionString"] = "{ this is no JSON"
    assert of_subject(template) == set()


def test_a_tag_that_comes_with_a_parameter_counts_as_pinned() -> None:
    template = copy.deepcopy(ENDPOINT)
    container = template["Resources"]["Model"]["Properties"]["PrimaryContainer"]
    container["Image"] = {"Fn::Sub": "${Registry}/fraud/xgboost:${ImageDigest}"}
    assert of_subject(template) == set()
