"""What of a template holds state, and what makes CloudFormation put another in its place.

Knows types and create-only properties, the latter from the resource schemas that cfn-lint carries. Does not know which
templates there are, nor what they were before.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

REGION = "us-east-1"

# Beside cfn-lint's list: names that people or programs hold, and what cannot be made again.
_MORE = {
    "AWS::ApiGateway::RestApi",  # its address
    "AWS::Athena::WorkGroup",  # its history of queries
    "AWS::Glue::Database",
    "AWS::Glue::Table",
    "AWS::SNS::Topic",  # subscriptions that people confirmed
    "AWS::SQS::Queue",
    "AWS::SSM::Parameter",  # the released model
    "AWS::SageMaker::Endpoint",
    "AWS::SageMaker::ModelPackageGroup",
}
# What the schemas do not say: a change is refused, or makes another.
_IDENTITY = {
    "AWS::DynamoDB::Table": ("KeySchema", "AttributeDefinitions"),
    "AWS::Glue::Database": ("DatabaseInput/Name",),
    "AWS::KMS::Key": ("KeySpec", "KeyUsage", "MultiRegion", "Origin"),
}


@dataclass(frozen=True, kw_only=True)
class Stateful:
    """A resource as far as a change of it could lose something."""

    type: str
    deletion_policy: str
    update_replace_policy: str
    create_only: Mapping[str, Any]
    """Create-only properties that are set, by path; a missing one is a name that CloudFormation chose."""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def stateful_resources(template: Mapping[str, Any]) -> dict[str, Stateful]:
    """The stateful resources of a template by logical id."""
    return {
        logical_id: Stateful(
            type=resource["Type"],
            deletion_policy=resource.get("DeletionPolicy", "Delete"),
            update_replace_policy=resource.get("UpdateReplacePolicy", "Delete"),
            create_only=dict(_create_only(resource)),
        )
        for logical_id, resource in sorted(template["Resources"].items())
        if resource["Type"] in stateful_types()
    }


@cache
def stateful_types() -> frozenset[str]:
    """cfn-lint's likely stateful types, and those that this product adds."""
    listed = json.loads((files("cfnlint.data.AdditionalSpecs") / "StatefulResources.json").read_text())
    return frozenset(listed["ResourceTypes"]) | _MORE


def _create_only(resource: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for path in create_only_properties(resource["Type"]):
        value: Any = resource.get("Properties", {})
        for name in path.split("/"):
            value = value.get(name) if isinstance(value, Mapping) else None
        if value is not None:
            yield path, _of_keys(resource, value) if path == "AttributeDefinitions" else value


def _of_keys(table: Mapping[str, Any], attributes: Any) -> Any:
    """The attributes of a table's own key; an index may bring others later."""
    names = {key["AttributeName"] for key in table["Properties"]["KeySchema"]}
    return [attribute for attribute in attributes if attribute["AttributeName"] in names]


@cache
def create_only_properties(type_: str) -> tuple[str, ...]:
    """Paths of the properties whose change makes another resource."""
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, type_).schema
    pointers = [*schema.get("createOnlyProperties", ()), *schema.get("conditionalCreateOnlyProperties", ())]
    paths = {pointer.removeprefix("/properties/") for pointer in pointers}
    return tuple(sorted(paths | set(_IDENTITY.get(type_, ()))))
