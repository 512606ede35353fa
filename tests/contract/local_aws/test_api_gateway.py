"""A REST API from a template: what its validator refuses, and how that is told."""

import json
import urllib.error
import urllib.request
from typing import Any

import pytest

from .conftest import LocalAws, Stack
from .templates import attribute, ref, resource, role

SCHEMA = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    "type": "object",
    "required": ["text"],
    "additionalProperties": False,
    "properties": {
        "text": {"type": "string", "minLength": 1, "maxLength": 20},
        "rating": {"type": "integer", "minimum": 1, "maximum": 5},
        "channel": {"enum": ["email", "web"]},
    },
}
PROBLEM = '{"title": "Bad", "detail": "$context.error.validationErrorString"}'


def api() -> dict[str, Any]:
    invoked = {"Fn::Sub": "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${Function.Arn}/invocations"}
    code = "import json\ndef handle(event, context):\n    return {'statusCode': 200, 'body': event['body']}\n"
    method = resource(
        "AWS::ApiGateway::Method",
        RestApiId=ref("Api"),
        ResourceId=attribute("Api", "RootResourceId"),
        HttpMethod="POST",
        AuthorizationType="NONE",
        RequestValidatorId=ref("Validator"),
        RequestModels={"application/json": ref("Model")},
        Integration={"Type": "AWS_PROXY", "IntegrationHttpMethod": "POST", "Uri": invoked},
    )
    return {
        "Role": role("lambda.amazonaws.com"),
        "Log": resource("AWS::Logs::LogGroup"),
        "Function": resource(
            "AWS::Lambda::Function",
            Runtime="python3.13",
            Handler="index.handle",
            Role=attribute("Role", "Arn"),
            Code={"ZipFile": code},
        ),
        "Api": resource("AWS::ApiGateway::RestApi", Name="validated", EndpointConfiguration={"Types": ["REGIONAL"]}),
        "Model": resource(
            "AWS::ApiGateway::Model", RestApiId=ref("Api"), ContentType="application/json", Name="Body", Schema=SCHEMA
        ),
        "Validator": resource("AWS::ApiGateway::RequestValidator", RestApiId=ref("Api"), ValidateRequestBody="true"),
        "Method": method,
        "Refusal": resource(
            "AWS::ApiGateway::GatewayResponse",
            RestApiId=ref("Api"),
            ResponseType="BAD_REQUEST_BODY",
            StatusCode="400",
            ResponseParameters={"gatewayresponse.header.Content-Type": "'application/problem+json'"},
            ResponseTemplates={"application/json": PROBLEM},
        ),
        "Deployment": {
            **resource("AWS::ApiGateway::Deployment", RestApiId=ref("Api")),
            "DependsOn": ["Method", "Refusal"],
        },
        "Stage": resource(
            "AWS::ApiGateway::Stage",
            RestApiId=ref("Api"),
            DeploymentId=ref("Deployment"),
            StageName="live",
            AccessLogSetting={"DestinationArn": attribute("Log", "Arn"), "Format": "$context.requestId"},
        ),
    }


@pytest.fixture(scope="module")
def deployed(aws: LocalAws) -> str:
    """The API's address, after its settings were read back."""
    stack = Stack(aws, "validated-api")
    assert stack.put(api()) == "CREATE_COMPLETE", stack.reasons()
    gateway, identity = aws.client("apigateway"), stack.physical("Api")
    assert gateway.get_rest_api(restApiId=identity)["endpointConfiguration"]["types"] == ["REGIONAL"]
    (validator,) = gateway.get_request_validators(restApiId=identity)["items"]
    assert validator["validateRequestBody"] is True
    assert validator["validateRequestParameters"] is False
    (root,) = gateway.get_resources(restApiId=identity, embed=["methods"])["items"]
    assert root["resourceMethods"]["POST"]["requestValidatorId"] == validator["id"]
    stage = gateway.get_stage(restApiId=identity, stageName="live")
    assert stage["accessLogSettings"]["format"] == "$context.requestId"
    return f"{aws.url}/_aws/execute-api/{identity}/live/"


def post(url: str, body: Any) -> tuple[int, str, dict[str, Any]]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers={"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.headers["Content-Type"], json.load(answer)
    except urllib.error.HTTPError as refused:
        return refused.code, refused.headers["Content-Type"], json.load(refused)


def test_a_valid_body_reaches_the_function(deployed: str) -> None:
    status, _, answer = post(deployed, {"text": "fine", "rating": 5})
    assert (status, answer) == (200, {"text": "fine", "rating": 5})


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({}, 'object has missing required properties (["text"])'),
        ({"text": "a", "bogus": 1}, 'properties which are not allowed by the schema: ["bogus"]'),
        ({"text": 3}, 'instance type (integer) does not match any allowed primitive type (allowed: ["string"])'),
        ({"text": ""}, "string is too short (length: 0, required minimum: 1)"),
        ({"text": "x" * 21}, "string is too long (length: 21, maximum allowed: 20)"),
        ({"text": "a", "rating": 6}, "greater than the required maximum (maximum: 5, found: 6)"),
        ({"text": "a", "channel": "fax"}, 'instance value ("fax") not found in enum'),
        (b"{broken", "not JSON"),
    ],
)
def test_a_wrong_body_is_refused_with_what_is_wrong(deployed: str, body: Any, told: str) -> None:
    status, content_type, answer = post(deployed, body)
    assert status == 400
    assert content_type == "application/problem+json"
    assert answer["title"] == "Bad"
    assert told in answer["detail"]
