"""The plain resources of the local SageMaker, each a declaration, with the checks AWS makes between them.

A schedule declared here does not fire and a pipeline does not run: both are kept and described only. Does not know
how records are kept or operations named: that is :mod:`local.sagemaker.resources`.
"""

import json

from local.sagemaker import objects
from local.sagemaker.errors import AwsError, validation
from local.sagemaker.resources import Kind, Records
from local.sagemaker.shapes import Fields

MODEL_PACKAGE_KIND = "model-package"
MODEL_PACKAGE_MISSING = ("ValidationException", "ModelPackage {arn} does not exist.")


def _model_containers(records: Records, request: Fields) -> Fields:
    primary, several = request.get("PrimaryContainer"), request.get("Containers")
    if bool(primary) == bool(several):
        raise validation("You must provide either a PrimaryContainer or Containers, and not both.")
    containers = [_container(records, container) for container in several or [primary]]
    hostnames = [container["ContainerHostname"] for container in containers if "ContainerHostname" in container]
    if len(set(hostnames)) != len(hostnames):
        raise validation("Container hostnames must be unique within a model.")
    return {"PrimaryContainer": containers[0]} if primary else {"Containers": containers}


def _container(records: Records, given: Fields) -> Fields:
    package_name = given.get("ModelPackageName")
    if bool(package_name) == bool(given.get("Image")):
        raise validation("A container needs either an Image or a ModelPackageName.")
    if package_name:
        _check_deployable(records.find(MODEL_PACKAGE, package_name), given)
    return {"Mode": "SingleModel", **given}


def _check_deployable(package: Fields, container: Fields) -> None:
    arn, approval = package["ModelPackageArn"], package.get("ModelApprovalStatus", "Approved")
    if approval != "Approved":
        raise validation(f"Cannot create a model from ModelPackage {arn}: its ModelApprovalStatus is {approval}.")
    if "InferenceSpecificationName" in container:
        raise validation("The local SageMaker deploys a model package's own InferenceSpecification only.")
    if not package.get("InferenceSpecification"):
        raise validation(f"ModelPackage {arn} has no InferenceSpecification.")


def _endpoint_config_variants(records: Records, request: Fields) -> Fields:
    variants = [*request["ProductionVariants"], *request.get("ShadowProductionVariants", [])]
    names = [variant["VariantName"] for variant in variants]
    if len(set(names)) != len(names):
        raise validation(f"Variant names must be unique within an endpoint configuration: {', '.join(names)}")
    if "ShadowProductionVariants" in request and len(variants) != 2:
        raise validation("With a shadow variant there can be only one production variant and one shadow variant.")
    for variant in variants:
        if variant.get("ModelName"):
            records.find(MODEL, variant["ModelName"])
        if not (variant.get("InstanceType") or variant.get("ServerlessConfig") or variant.get("InstancePools")):
            raise validation(f"Variant {variant['VariantName']} needs an InstanceType or a ServerlessConfig.")
    return {
        member: [{"InitialVariantWeight": 1.0, **variant} for variant in request[member]]
        for member in ("ProductionVariants", "ShadowProductionVariants")
        if member in request
    }


def _group_is_empty(records: Records, group: Fields) -> None:
    name = group["ModelPackageGroupName"]
    if any(package.get("ModelPackageGroupName") == name for package in records.store.list(MODEL_PACKAGE_KIND)):
        raise AwsError(
            "ConflictException",
            f"Model Package Group {group['ModelPackageGroupArn']} cannot be deleted because it still contains "
            "Model Packages.",
        )


def _pipeline_definition(records: Records, request: Fields) -> Fields:
    definition, place = request.get("PipelineDefinition"), request.get("PipelineDefinitionS3Location")
    if place:
        address = objects.Address(bucket=place["Bucket"], key=place["ObjectKey"])
        try:
            definition = objects.read(str(address), s3=objects.client(records.context)).decode()
        except objects.ObjectError as error:
            raise validation(f"Unable to read the pipeline definition: {error}") from error
    if definition is None:
        raise validation("Either PipelineDefinition or PipelineDefinitionS3Location must be provided.")
    try:
        json.loads(definition)
    except ValueError as error:
        raise validation(f"Unable to parse pipeline definition. Not a valid JSON document: {error}") from error
    return {"PipelineDefinition": definition, "PipelineDefinitionS3Location": None}


def _feature_names(records: Records, request: Fields) -> Fields:
    names = [definition["FeatureName"] for definition in request["FeatureDefinitions"]]
    if len(set(names)) != len(names):
        raise validation("Validation Error: FeatureDefinitions must not contain duplicate feature names.")
    for member in ("RecordIdentifierFeatureName", "EventTimeFeatureName"):
        if request[member] not in names:
            raise validation(f"Validation Error: {member} {request[member]} is not among the FeatureDefinitions.")
    return {}


def _features_added(record: Fields, request: Fields) -> Fields:
    added = request.get("FeatureAdditions", [])
    changes = {member: value for member, value in request.items() if member != "FeatureAdditions"}
    return {**changes, "FeatureDefinitions": [*record["FeatureDefinitions"], *added]}


def _schedule_details(records: Records, request: Fields) -> Fields:
    config = request["MonitoringScheduleConfig"]
    kind, definition_name = config.get("MonitoringType"), config.get("MonitoringJobDefinitionName")
    details: Fields = {"MonitoringType": kind, "MonitoringJobDefinitionName": definition_name}
    inputs = config.get("MonitoringJobDefinition", {}).get("MonitoringInputs", [])
    if kind == "DataQuality" and definition_name:
        definition = records.find(DATA_QUALITY_JOB_DEFINITION, definition_name)
        inputs = [definition["DataQualityJobInput"]]
    if inputs and "EndpointInput" in inputs[0]:
        details["EndpointName"] = inputs[0]["EndpointInput"]["EndpointName"]
    return details


def _definition_details(records: Records, request: Fields) -> Fields:
    endpoint = request["DataQualityJobInput"].get("EndpointInput")
    return {"EndpointName": endpoint["EndpointName"]} if endpoint else {}


MODEL = Kind(
    noun="Model",
    kind="model",
    missing=("ValidationException", 'Could not find model "{arn}".'),
    taken=("ValidationException", 'Cannot create already existing model "{arn}".'),
    initial={"EnableNetworkIsolation": False},
    list_order="Descending",
    derived=_model_containers,
)

ENDPOINT_CONFIG = Kind(
    noun="EndpointConfig",
    kind="endpoint-config",
    missing=("ValidationException", 'Could not find endpoint configuration "{arn}".'),
    taken=("ValidationException", 'Cannot create already existing endpoint configuration "{arn}".'),
    initial={"EnableNetworkIsolation": False},
    list_order="Descending",
    derived=_endpoint_config_variants,
)

MODEL_PACKAGE_GROUP = Kind(
    noun="ModelPackageGroup",
    kind="model-package-group",
    missing=("ValidationException", "ModelPackageGroup {arn} does not exist."),
    taken=("ValidationException", "Model Package Group already exists: {arn}"),
    initial={"ModelPackageGroupStatus": "Completed", "LatestVersion": 0},
    released=_group_is_empty,
)

# Only looked up through this declaration; the operations are the registry's own.
MODEL_PACKAGE = Kind(
    noun="ModelPackage",
    kind=MODEL_PACKAGE_KIND,
    missing=MODEL_PACKAGE_MISSING,
    taken=("ConflictException", "Model Package already exists: {arn}"),
)

PIPELINE = Kind(
    noun="Pipeline",
    kind="pipeline",
    missing=("ResourceNotFound", "Pipeline '{arn}' does not exist."),
    taken=(
        "ValidationException",
        "Pipeline names must be unique within an AWS account and region. Pipeline with name ({name}) already exists.",
    ),
    initial={"PipelineStatus": "Active"},
    derived=_pipeline_definition,
)

FEATURE_GROUP = Kind(
    noun="FeatureGroup",
    kind="feature-group",
    missing=("ResourceNotFound", "Resource Not Found: Amazon SageMaker can't find a FeatureGroup with name {name}"),
    taken=(
        "ResourceInUse",
        "Resource Already Exists: FeatureGroup with name {name} already exists. Choose a different name.",
    ),
    initial={"FeatureGroupStatus": "Created"},
    derived=_feature_names,
    changed=_features_added,
)

MONITORING_SCHEDULE = Kind(
    noun="MonitoringSchedule",
    kind="monitoring-schedule",
    missing=("ResourceNotFound", "Monitoring Schedule {arn} not found"),
    taken=("ResourceInUse", "Monitoring Schedule with name {name} already exists"),
    initial={"MonitoringScheduleStatus": "Scheduled"},
    list_order="Descending",
    derived=_schedule_details,
)

DATA_QUALITY_JOB_DEFINITION = Kind(
    noun="DataQualityJobDefinition",
    kind="data-quality-job-definition",
    name_member="JobDefinitionName",
    arn_member="JobDefinitionArn",
    missing=("ResourceNotFound", "Job definition {arn} not found"),
    taken=("ResourceInUse", "Job definition with name {name} already exists"),
    list_order="Descending",
    summary={"MonitoringJobDefinitionName": "JobDefinitionName", "MonitoringJobDefinitionArn": "JobDefinitionArn"},
    derived=_definition_details,
)

EXPERIMENT = Kind(
    noun="Experiment",
    kind="experiment",
    missing=("ResourceNotFound", "Experiment '{arn}' does not exist."),
    taken=(
        "ValidationException",
        "Experiment names must be unique within an AWS account and region. Experiment ({name}) already exists.",
    ),
    list_order="Descending",
)

PLAIN = (
    MODEL,
    ENDPOINT_CONFIG,
    MODEL_PACKAGE_GROUP,
    PIPELINE,
    FEATURE_GROUP,
    MONITORING_SCHEDULE,
    DATA_QUALITY_JOB_DEFINITION,
    EXPERIMENT,
)
