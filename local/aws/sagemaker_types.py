"""``AWS::SageMaker::*`` in CloudFormation: one generic provisioner over botocore's shapes, and a table of types.

A resource type's properties carry the names of the API's members, so a type is described by its name property, its
identity (what ``Ref`` gives) and the properties that CloudFormation changes in place; every other change replaces.
The table follows CloudFormation's resource specification. Knows nothing of how SageMaker does its work.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from local.aws import resources, seams, shapes
from local.aws.seams import Created, Properties
from local.sagemaker.errors import AwsError

Call = Callable[[str, dict[str, Any]], dict[str, Any]]

_POLL_SECONDS = 0.2
_LONGEST_NAME = 63


@dataclass(frozen=True, kw_only=True)
class Kind:
    """How one type stands in SageMaker's interface."""

    noun: str
    name: str
    identity: str
    attributes: tuple[str, ...]
    in_place: frozenset[str] = frozenset()
    not_in_create: frozenset[str] = frozenset()

    @property
    def resource_type(self) -> str:
        """The name in templates."""
        return f"AWS::SageMaker::{self.noun}"

    @property
    def arn(self) -> str:
        """The member of descriptions that holds the ARN."""
        return next((name for name in self.attributes if name.endswith("Arn")), f"{self.noun}Arn")


def _job_definition(noun: str) -> Kind:
    return Kind(
        noun=noun,
        name="JobDefinitionName",
        identity="JobDefinitionArn",
        attributes=("JobDefinitionArn", "CreationTime"),
    )


KINDS = (
    Kind(
        noun="Model",
        name="ModelName",
        identity="ModelArn",
        attributes=("ModelArn", "ModelName"),
        in_place=frozenset({"Tags"}),
    ),
    Kind(
        noun="EndpointConfig",
        name="EndpointConfigName",
        identity="EndpointConfigArn",
        attributes=("EndpointConfigArn", "EndpointConfigName"),
        in_place=frozenset({"Tags"}),
    ),
    Kind(
        noun="Endpoint",
        name="EndpointName",
        identity="EndpointArn",
        attributes=("EndpointArn", "EndpointName"),
        in_place=frozenset(
            {
                "EndpointConfigName",
                "DeploymentConfig",
                "RetainAllVariantProperties",
                "ExcludeRetainedVariantProperties",
                "RetainDeploymentConfig",
                "Tags",
            }
        ),
        not_in_create=frozenset(
            {"RetainAllVariantProperties", "ExcludeRetainedVariantProperties", "RetainDeploymentConfig"}
        ),
    ),
    Kind(
        noun="ModelPackageGroup",
        name="ModelPackageGroupName",
        identity="ModelPackageGroupArn",
        attributes=("ModelPackageGroupArn", "CreationTime", "ModelPackageGroupStatus"),
        in_place=frozenset({"ModelPackageGroupPolicy", "Tags"}),
        not_in_create=frozenset({"ModelPackageGroupPolicy"}),
    ),
    Kind(
        noun="Pipeline",
        name="PipelineName",
        identity="PipelineName",
        attributes=(),
        in_place=frozenset(
            {
                "ParallelismConfiguration",
                "PipelineDescription",
                "PipelineDisplayName",
                "PipelineDefinition",
                "RoleArn",
                "Tags",
            }
        ),
    ),
    Kind(
        noun="FeatureGroup",
        name="FeatureGroupName",
        identity="FeatureGroupName",
        attributes=("FeatureGroupStatus", "CreationTime"),
        in_place=frozenset({"FeatureDefinitions", "ThroughputConfig"}),
    ),
    Kind(
        noun="MonitoringSchedule",
        name="MonitoringScheduleName",
        identity="MonitoringScheduleArn",
        attributes=("MonitoringScheduleArn", "CreationTime", "LastModifiedTime"),
        in_place=frozenset({"MonitoringScheduleConfig", "MonitoringScheduleStatus", "EndpointName", "Tags"}),
        not_in_create=frozenset({"MonitoringScheduleStatus", "EndpointName"}),
    ),
    _job_definition("DataQualityJobDefinition"),
    _job_definition("ModelQualityJobDefinition"),
    _job_definition("ModelBiasJobDefinition"),
    _job_definition("ModelExplainabilityJobDefinition"),
)

# Their provisioning waits for the resource, so it never runs on the event loop.
RESOURCE_TYPES = frozenset(kind.resource_type for kind in KINDS)

# The status that CloudFormation waits for, with the values that are not final.
_WAITS = {
    "Endpoint": (
        "EndpointStatus",
        frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"}),
        frozenset({"InService"}),
    ),
    "FeatureGroup": ("FeatureGroupStatus", frozenset({"Creating", "Deleting"}), frozenset({"Created"})),
}


class SageMakerType:
    """Creates, changes, replaces and deletes the resources of one kind through SageMaker's own operations."""

    def __init__(self, kind: Kind, call: Call) -> None:
        self._kind = kind
        self._call = call

    def create(self, logical_id: str, properties: Properties, stack: str) -> Created:
        """CreateXxx, then wait where CloudFormation waits; what failed to come up is removed again."""
        kind = self._kind
        name = properties.get(kind.name) or seams.physical_name(stack, logical_id, longest=_LONGEST_NAME)
        request = self._request(f"Create{kind.noun}", {**properties, kind.name: name}, without=kind.not_in_create)
        self._call(f"Create{kind.noun}", request)
        try:
            self._put_policy(name, properties)
            described = self._settled(name)
        except Exception:
            self._remove(name)
            raise
        return self._created(name, described)

    def update(self, physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str) -> Created:
        """In place where the specification allows it, else a new resource beside the old one."""
        kind = self._kind
        name = physical_id.rpartition("/")[2]
        differing = resources.changed(old, new)
        if differing - kind.in_place:
            resources.refuse_custom_name_replacement(name, old, new, kind.name)
            resources.begin_replacement()
            return self.create(logical_id, new, stack)
        if "Tags" in differing:
            self._retag(name, old, new)
        if differing - {"Tags"}:
            self._change(name, new, differing)
        return self._created(name, self._settled(name))

    def delete(self, physical_id: str, properties: Properties) -> None:
        """DeleteXxx; fine where it is gone."""
        self._remove(physical_id.rpartition("/")[2])

    def _request(self, operation: str, properties: Properties, without: frozenset[str] = frozenset()) -> dict[str, Any]:
        wanted = {name: value for name, value in properties.items() if name not in without}
        if "PipelineDefinition" in wanted:
            wanted |= _pipeline_definition(wanted.pop("PipelineDefinition"))
        fitted: dict[str, Any] = shapes.fit(wanted, shapes.input_shape("sagemaker", operation))
        return shapes.with_tokens("sagemaker", operation, fitted)

    def _change(self, name: str, new: Properties, differing: set[str]) -> None:
        kind = self._kind
        if kind.noun == "ModelPackageGroup":
            self._put_policy(name, new)
            return
        operation = f"Update{kind.noun}"
        if kind.noun == "FeatureGroup":
            known = {each["FeatureName"] for each in self._describe(name)["FeatureDefinitions"]}
            wanted: Properties = {
                "FeatureGroupName": name,
                "FeatureAdditions": [each for each in new["FeatureDefinitions"] if each["FeatureName"] not in known],
            }
            if "ThroughputConfig" in differing:
                wanted["ThroughputConfig"] = new.get("ThroughputConfig", {})
            if not wanted["FeatureAdditions"]:
                del wanted["FeatureAdditions"]
        else:
            wanted = {**new, kind.name: name}
        accepted = set(shapes.input_shape("sagemaker", operation).members) | {"PipelineDefinition"}
        request = self._request(operation, wanted, without=frozenset(set(wanted) - accepted))
        self._call(operation, request)
        if kind.noun == "Endpoint":
            self._require_config(self._settled(name), new["EndpointConfigName"])

    @staticmethod
    def _require_config(described: dict[str, Any], wanted: str) -> None:
        """An update that was rolled back leaves the endpoint in service, with the old configuration and the reason."""
        if described["EndpointConfigName"] != wanted.rpartition("/")[2] or "FailureReason" in described:
            raise RuntimeError(described.get("FailureReason") or f"The endpoint did not take over {wanted}.")

    def _put_policy(self, name: str, properties: Properties) -> None:
        if self._kind.noun != "ModelPackageGroup" or "ModelPackageGroupPolicy" not in properties:
            return
        operation = "PutModelPackageGroupPolicy"
        policy = {"ModelPackageGroupName": name, "ResourcePolicy": properties["ModelPackageGroupPolicy"]}
        self._call(operation, self._request(operation, policy))

    def _retag(self, name: str, old: Properties, new: Properties) -> None:
        arn = self._describe(name)[self._kind.arn]
        before, after = resources.tags_of(old), resources.tags_of(new)
        if gone := sorted(set(before) - set(after)):
            self._call("DeleteTags", {"ResourceArn": arn, "TagKeys": gone})
        if after:
            self._call("AddTags", {"ResourceArn": arn, "Tags": [{"Key": k, "Value": v} for k, v in after.items()]})

    def _describe(self, name: str) -> dict[str, Any]:
        return self._call(f"Describe{self._kind.noun}", {self._kind.name: name})

    def _settled(self, name: str) -> dict[str, Any]:
        described = self._describe(name)
        if self._kind.noun not in _WAITS:
            return described
        status, passing, good = _WAITS[self._kind.noun]
        while described[status] in passing:
            time.sleep(_POLL_SECONDS)
            described = self._describe(name)
        if described[status] not in good:
            raise RuntimeError(described.get("FailureReason") or f"{name} is {described[status]}.")
        return described

    def _created(self, name: str, described: dict[str, Any]) -> Created:
        attributes = {each: _attribute(described[each]) for each in self._kind.attributes if each in described}
        attributes.setdefault(self._kind.name, name)
        return str(attributes[self._kind.identity]), attributes

    def _remove(self, name: str) -> None:
        operation = f"Delete{self._kind.noun}"
        try:
            self._call(operation, self._request(operation, {self._kind.name: name}))
            while self._kind.noun in _WAITS:
                self._describe(name)
                time.sleep(_POLL_SECONDS)
        except AwsError as refusal:
            if not _says_missing(refusal):
                raise


def _pipeline_definition(definition: Any) -> Properties:
    """The template nests what the API takes side by side, and names the S3 key otherwise."""
    if isinstance(definition, str):
        return {"PipelineDefinition": definition}
    if "PipelineDefinitionBody" in definition:
        return {"PipelineDefinition": definition["PipelineDefinitionBody"]}
    location = definition["PipelineDefinitionS3Location"]
    place = {"Bucket": location["Bucket"], "ObjectKey": location["Key"]}
    if "Version" in location:
        place["VersionId"] = location["Version"]
    return {"PipelineDefinitionS3Location": place}


def _attribute(value: Any) -> str:
    return shapes.iso_8601(value) if isinstance(value, int | float) else str(value)


def _says_missing(refusal: AwsError) -> bool:
    said = refusal.message.lower()
    return refusal.code in ("ResourceNotFound", "ResourceNotFoundException") or any(
        words in said for words in ("could not find", "does not exist", "not found")
    )


def register(call: Call) -> None:
    """Teach CloudFormation every kind of the table."""
    for kind in KINDS:
        seams.register_resource(kind.resource_type, SageMakerType(kind, call))
