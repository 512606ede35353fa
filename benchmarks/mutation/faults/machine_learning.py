"""Mutations of machine learning: models, endpoints and their updates, scaling, monitors, jobs, notebooks, agents."""

# ruff: noqa: E501 - a table, one mutation to a line

from benchmarks.mutation.mutation import change, delete, holding
from benchmarks.mutation.operators import empty, flip, keep_only, put, remove, replace, retag

MODEL = "AWS::SageMaker::Model"
CONFIG = "AWS::SageMaker::EndpointConfig"
ENDPOINT = "AWS::SageMaker::Endpoint"
TARGET = "AWS::ApplicationAutoScaling::ScalableTarget"
SCALING = "AWS::ApplicationAutoScaling::ScalingPolicy"
NOTEBOOK = "AWS::SageMaker::NotebookInstance"
QUALITY = "AWS::SageMaker::DataQualityJobDefinition"
SCHEDULE = "AWS::SageMaker::MonitoringSchedule"
MACHINE = "AWS::StepFunctions::StateMachine"
FEATURES = "AWS::SageMaker::FeatureGroup"
DOMAIN = "AWS::SageMaker::Domain"
ALARM = "AWS::CloudWatch::Alarm"
ROLE = "AWS::IAM::Role"

VARIANT = "Properties.ProductionVariants.*"
CAPTURE = "Properties.DataCaptureConfig"
GUARD = "Properties.DeploymentConfig"
BLUE_GREEN = f"{GUARD}.BlueGreenUpdatePolicy"
ROUTING = f"{BLUE_GREEN}.TrafficRoutingConfiguration"
TRACKING = "Properties.TargetTrackingScalingPolicyConfiguration"
INLINE = "Properties.MonitoringScheduleConfig.MonitoringJobDefinition"
REQUEST = "Properties.DefinitionString -> **.Arguments"
SAGEMAKER = holding("Properties.Namespace", "AWS/SageMaker")

MACHINE_LEARNING = (
    # ---- models ------------------------------------------------------------------------------------------------------
    change("model-isolation-off", MODEL, "Properties.EnableNetworkIsolation", flip, "the container reaches the internet"),
    change("model-isolation-left-out", MODEL, "Properties.EnableNetworkIsolation", remove, "the default is no isolation"),
    change("model-image-latest", MODEL, "Properties.Containers.*.Image", retag("latest"), "another image at the next start"),
    change("model-image-untagged", MODEL, "Properties.Containers.*.Image", retag(""), "no tag means latest"),
    change("model-image-moving", MODEL, "Properties.Containers.*.Image", retag("cpu-latest"), "a tag that moves"),
    change("model-image-public", MODEL, "Properties.Containers.*.Image", put("docker.io/library/python:3.12.1"), "not from ECR"),
    change("primary-image-latest", MODEL, "Properties.PrimaryContainer.Image", retag("latest"), "another image at the next start"),
    change("primary-image-public", MODEL, "Properties.PrimaryContainer.Image", put("ghcr.io/someone/model:1.0"), "not from ECR"),
    change("model-platform-registry", MODEL, "Properties.PrimaryContainer.ImageConfig.RepositoryAccessMode", put("Platform"), "not through the VPC"),
    change("model-vpc-one-subnet", MODEL, "Properties.VpcConfig.Subnets.0", remove, "one zone"),
    change("model-vpc-no-subnets", MODEL, "Properties.VpcConfig.Subnets", empty, "no subnet at all"),
    change("model-vpc-no-group", MODEL, "Properties.VpcConfig.SecurityGroupIds", empty, "the default group decides"),
    # ---- endpoint configurations -------------------------------------------------------------------------------------
    change("variant-one-instance", CONFIG, f"{VARIANT}.InitialInstanceCount", put(1), "one zone, no canary"),
    change("variant-count-left-out", CONFIG, f"{VARIANT}.InitialInstanceCount", remove, "nobody says how many"),
    change("config-key-left-out", CONFIG, "Properties.KmsKeyId", remove, "volumes under AWS's key"),
    change("config-key-of-aws", CONFIG, "Properties.KmsKeyId", put("alias/aws/sagemaker"), "volumes under AWS's key"),
    change("capture-left-out", CONFIG, CAPTURE, remove, "nothing to see drift by"),
    change("capture-off", CONFIG, f"{CAPTURE}.EnableCapture", flip, "nothing to see drift by"),
    change("capture-nothing", CONFIG, f"{CAPTURE}.InitialSamplingPercentage", put(0), "a sample of nothing"),
    change("capture-key-left-out", CONFIG, f"{CAPTURE}.KmsKeyId", remove, "customers' words under AWS's key"),
    change("capture-key-of-aws", CONFIG, f"{CAPTURE}.KmsKeyId", put("alias/aws/s3"), "customers' words under AWS's key"),
    change("capture-input-only", CONFIG, f"{CAPTURE}.CaptureOptions", keep_only("CaptureMode", "Input"), "no answers captured"),
    change("capture-output-only", CONFIG, f"{CAPTURE}.CaptureOptions", keep_only("CaptureMode", "Output"), "no requests captured"),
    change("capture-no-options", CONFIG, f"{CAPTURE}.CaptureOptions", empty, "neither is captured"),
    change("async-key-left-out", CONFIG, "Properties.AsyncInferenceConfig.OutputConfig.KmsKeyId", remove, "answers under AWS's key"),
    # ---- updates of endpoints ----------------------------------------------------------------------------------------
    change("guardrails-left-out", ENDPOINT, GUARD, remove, "all at once, for ever"),
    change("blue-green-left-out", ENDPOINT, BLUE_GREEN, remove, "all at once"),
    change("all-at-once", ENDPOINT, f"{ROUTING}.Type", put("ALL_AT_ONCE"), "every customer meets a bad model"),
    change("routing-left-out", ENDPOINT, ROUTING, remove, "all at once is the default"),
    change("canary-huge", ENDPOINT, f"{ROUTING}.CanarySize.Value", put(90), "a canary of nearly everyone"),
    change("canary-left-out", ENDPOINT, f"{ROUTING}.CanarySize", remove, "a canary of no size"),
    change("linear-huge", ENDPOINT, f"{ROUTING}.LinearStepSize.Value", put(90), "one step for nearly everyone"),
    change("bake-nothing", ENDPOINT, f"{ROUTING}.WaitIntervalInSeconds", put(0), "no time to notice"),
    change("rollback-left-out", ENDPOINT, f"{GUARD}.AutoRollbackConfiguration", remove, "no way back"),
    change("rollback-no-alarms", ENDPOINT, f"{GUARD}.AutoRollbackConfiguration.Alarms", empty, "no way back"),
    change("rollback-unknown-alarm", ENDPOINT, f"{GUARD}.AutoRollbackConfiguration.Alarms.*.AlarmName", put("no-such-alarm"), "an alarm that is not there"),
    change("rollback-no-name", ENDPOINT, f"{GUARD}.AutoRollbackConfiguration.Alarms.*.AlarmName", remove, "an alarm without a name"),
    change("termination-wait-zero", ENDPOINT, f"{BLUE_GREEN}.TerminationWaitInSeconds", put(0), "nothing to go back to"),
    change("termination-wait-left-out", ENDPOINT, f"{BLUE_GREEN}.TerminationWaitInSeconds", remove, "nothing to go back to"),
    change("update-limit-left-out", ENDPOINT, f"{BLUE_GREEN}.MaximumExecutionTimeoutInSeconds", remove, "a stuck update blocks all others"),
    change("update-limit-short", ENDPOINT, f"{BLUE_GREEN}.MaximumExecutionTimeoutInSeconds", put(600), "shorter than its own waits"),
    # ---- alarms on endpoints -----------------------------------------------------------------------------------------
    change("alarm-other-endpoint", ALARM, "Properties.Dimensions.[Name=EndpointName].Value", put("someone-elses"), "no data", SAGEMAKER),
    change("alarm-no-endpoint", ALARM, "Properties.Dimensions", keep_only("Name", "VariantName"), "no data", SAGEMAKER),
    change("alarm-no-variant", ALARM, "Properties.Dimensions", keep_only("Name", "EndpointName"), "no data", SAGEMAKER),
    change("alarm-no-dimensions", ALARM, "Properties.Dimensions", empty, "no data", SAGEMAKER),
    change("alarm-upside-down", ALARM, "Properties.ComparisonOperator", put("LessThanThreshold"), "goes off when all is well", SAGEMAKER),
    # ---- scaling -----------------------------------------------------------------------------------------------------
    delete("scaling-target-deleted", TARGET, "a fleet of one size"),
    delete("scaling-policy-deleted", SCALING, "a target that never scales"),
    change("scaling-minimum-one", TARGET, "Properties.MinCapacity", put(1), "one zone at night"),
    change("scaling-no-room", TARGET, "Properties.MaxCapacity", put(2), "no room to grow"),
    change("scaling-other-variant", TARGET, "Properties.ResourceId", replace("/variant/", "/variant/other-"), "a variant that is not there"),
    change("scale-in-wait-left-out", SCALING, f"{TRACKING}.ScaleInCooldown", remove, "the fleet swings"),
    change("scale-in-wait-zero", SCALING, f"{TRACKING}.ScaleInCooldown", put(0), "the fleet swings"),
    change("scale-out-wait-left-out", SCALING, f"{TRACKING}.ScaleOutCooldown", remove, "the fleet swings"),
    change("scaling-no-metric", SCALING, f"{TRACKING}.PredefinedMetricSpecification", remove, "it follows nothing"),
    change("scaling-target-zero", SCALING, f"{TRACKING}.TargetValue", put(0), "it grows to the maximum"),
    # ---- jobs in state machines --------------------------------------------------------------------------------------
    change("training-output-key", MACHINE, f"{REQUEST}.OutputDataConfig.KmsKeyId", remove, "models under AWS's key"),
    change("processing-output-key", MACHINE, f"{REQUEST}.ProcessingOutputConfig.KmsKeyId", remove, "features under AWS's key"),
    change("processing-volume-key", MACHINE, f"{REQUEST}.ProcessingResources.ClusterConfig.VolumeKmsKeyId", remove, "volumes under AWS's key"),
    change("training-volume-key", MACHINE, f"{REQUEST}.ResourceConfig.VolumeKmsKeyId", remove, "volumes under AWS's key"),
    change("job-limit-left-out", MACHINE, f"{REQUEST}.StoppingCondition", remove, "a job without an end"),
    change("training-image-latest", MACHINE, f"{REQUEST}.AlgorithmSpecification.TrainingImage", retag("latest"), "another image at the next run"),
    change("processing-image-latest", MACHINE, f"{REQUEST}.AppSpecification.ImageUri", retag("latest"), "another image at the next run"),
    change("job-role-left-out", MACHINE, f"{REQUEST}.RoleArn", remove, "the caller's role"),
    change("training-isolation-off", MACHINE, f"{REQUEST}.EnableNetworkIsolation", put(False), "the job reaches the internet"),
    change("processing-isolation-off", MACHINE, f"{REQUEST}.NetworkConfig.EnableNetworkIsolation", put(False), "the job reaches the internet"),
    change("training-traffic-plain", MACHINE, f"{REQUEST}.EnableInterContainerTrafficEncryption", put(False), "gradients in the clear"),
    change("processing-traffic-plain", MACHINE, f"{REQUEST}.NetworkConfig.EnableInterContainerTrafficEncryption", put(False), "rows in the clear"),
    change("transform-output-key", MACHINE, f"{REQUEST}.TransformOutput.KmsKeyId", remove, "predictions under AWS's key"),
    # ---- roles and registry ------------------------------------------------------------------------------------------
    change("ml-role-full-access", ROLE, "Properties", put({
        "AssumeRolePolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
                                                    "Principal": {"Service": "sagemaker.amazonaws.com"}}]},
        "ManagedPolicyArns": ["arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"],
    }), "every bucket with sagemaker in its name",
        holding("Properties.AssumeRolePolicyDocument.Statement.0.Principal.Service", "sagemaker.amazonaws.com")),
    change("registry-deleted-with-stack", "AWS::SageMaker::ModelPackageGroup", "DeletionPolicy", put("Delete"), "every version is gone"),
    change("registry-not-kept", "AWS::SageMaker::ModelPackageGroup", "UpdateReplacePolicy", remove, "every version is gone"),
    # ---- notebooks, monitors, features, Studio: not in this app, in the other templates --------------------------------
    change("notebook-internet", NOTEBOOK, "Properties.DirectInternetAccess", put("Enabled"), "a way out"),
    change("notebook-no-subnet", NOTEBOOK, "Properties.SubnetId", remove, "outside of the VPC"),
    change("notebook-root", NOTEBOOK, "Properties.RootAccess", put("Enabled"), "users are root"),
    change("notebook-root-default", NOTEBOOK, "Properties.RootAccess", remove, "the default is root"),
    change("notebook-key", NOTEBOOK, "Properties.KmsKeyId", remove, "volume under AWS's key"),
    change("notebook-platform", NOTEBOOK, "Properties.PlatformIdentifier", put("notebook-al2-v1"), "no patches"),
    change("monitor-isolation", QUALITY, "Properties.NetworkConfig.EnableNetworkIsolation", flip, "captured requests can leave"),
    change("monitor-traffic", QUALITY, "Properties.NetworkConfig.EnableInterContainerTrafficEncryption", flip, "rows in the clear"),
    change("monitor-network-left-out", QUALITY, "Properties.NetworkConfig", remove, "neither of both"),
    change("monitor-volume-key", QUALITY, "Properties.JobResources.ClusterConfig.VolumeKmsKeyId", remove, "volume under AWS's key"),
    change("monitor-output-key", QUALITY, "Properties.DataQualityJobOutputConfig.KmsKeyId", remove, "reports under AWS's key"),
    change("schedule-isolation", SCHEDULE, f"{INLINE}.NetworkConfig.EnableNetworkIsolation", flip, "captured requests can leave"),
    change("schedule-traffic", SCHEDULE, f"{INLINE}.NetworkConfig.EnableInterContainerTrafficEncryption", remove, "rows in the clear"),
    change("features-offline-key", FEATURES, "Properties.OfflineStoreConfig.S3StorageConfig.KmsKeyId", remove, "features under AWS's key"),
    change("features-online-key", FEATURES, "Properties.OnlineStoreConfig.SecurityConfig", remove, "features under AWS's key"),
    change("domain-public", DOMAIN, "Properties.AppNetworkAccessType", put("PublicInternetOnly"), "a way out for everyone"),
    change("domain-key", DOMAIN, "Properties.KmsKeyId", remove, "home folders under AWS's key"),
)  # fmt: skip
