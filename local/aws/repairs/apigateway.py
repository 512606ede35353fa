"""REST APIs: their endpoint type, request validators, the validator of a method, a stage's access log settings."""

from typing import Any

from botocore.exceptions import ClientError

from local.aws import seams
from local.aws.clients import client
from local.aws.repairs import Rewritten, repair
from local.aws.seams import Created, Properties


def register() -> frozenset[str]:
    """The types that are repaired or replaced here."""
    seams.register_resource("AWS::ApiGateway::RequestValidator", RequestValidatorType())
    rest_api = Rewritten(seams.resource("AWS::ApiGateway::RestApi"), _endpoint_in_api_names)
    seams.register_resource("AWS::ApiGateway::RestApi", rest_api)
    return frozenset(
        {
            "AWS::ApiGateway::RequestValidator",
            repair("AWS::ApiGateway::Method", _method),
            repair("AWS::ApiGateway::Stage", _stage),
        }
    )


class RequestValidatorType:
    """ministack's data plane enforces validators; only its provisioner leaves them out."""

    def create(self, logical_id: str, properties: Properties, stack: str) -> Created:
        """Make the validator that methods name."""
        identity = client("apigateway").create_request_validator(
            restApiId=properties["RestApiId"],
            name=properties.get("Name") or seams.physical_name(stack, logical_id, longest=128),
            validateRequestBody=_true(properties.get("ValidateRequestBody")),
            validateRequestParameters=_true(properties.get("ValidateRequestParameters")),
        )["id"]
        return identity, {"RequestValidatorId": identity}

    def update(self, physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str) -> Created:
        """A new one beside the old: ministack stores a patched flag as text, and "false" would be true."""
        return self.create(logical_id, new, stack)

    def delete(self, physical_id: str, properties: Properties) -> None:
        """Fine where it, or its API, is gone."""
        try:
            client("apigateway").delete_request_validator(
                restApiId=properties["RestApiId"], requestValidatorId=physical_id
            )
        except client("apigateway").exceptions.NotFoundException:
            return


def _endpoint_in_api_names(properties: Properties) -> Properties:
    """ministack stores the template's structure as it is, where clients look for the API's names."""
    if "EndpointConfiguration" not in properties:
        return properties
    given = properties["EndpointConfiguration"]
    return {**properties, "EndpointConfiguration": {name[:1].lower() + name[1:]: given[name] for name in given}}


def _method(physical_id: str, old: Properties, new: Properties) -> None:
    validator = new.get("RequestValidatorId")
    if validator or old.get("RequestValidatorId"):
        _patch(
            "update_method",
            {"restApiId": new["RestApiId"], "resourceId": new["ResourceId"], "httpMethod": new["HttpMethod"]},
            {"/requestValidatorId": validator or ""},
        )


def _stage(physical_id: str, old: Properties, new: Properties) -> None:
    wanted = new.get("AccessLogSetting") or {}
    if wanted != (old.get("AccessLogSetting") or {}):
        _patch(
            "update_stage",
            {"restApiId": new["RestApiId"], "stageName": physical_id},
            {
                "/accessLogSettings/destinationArn": wanted.get("DestinationArn", ""),
                "/accessLogSettings/format": wanted.get("Format", ""),
            },
        )


def _patch(operation: str, key: dict[str, str], values: dict[str, str]) -> None:
    operations = [{"op": "replace", "path": path, "value": value} for path, value in values.items()]
    try:
        getattr(client("apigateway"), operation)(**key, patchOperations=operations)
    except ClientError as problem:
        raise ValueError(problem.response["Error"].get("Message", str(problem))) from None


def _true(value: Any) -> bool:
    return str(value).lower() == "true"
