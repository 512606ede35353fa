"""The public REST API: signed requests only, bodies judged before any code runs, problems as JSON.

Knows routes, models, throttling, logs and what API Gateway itself answers. A route of somebody who cannot sign as AWS
wants it is let in by an authorizer of its own. Does not know what the functions do with a request.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.acknowledgements import acknowledge
from stacks.constructs.arns import arn
from stacks.constructs.data_key import DataKey
from stacks.constructs.feedback_models import batch_model, feedback_model, object_model
from stacks.constructs.handler_function import HandlerFunction
from stacks.constructs.log_group import log_group
from stacks.constructs.operations import Operations
from stacks.constructs.role import Role, Statement

STAGE = "live"
# Longer than the model may take and the first call of a new environment; clients are promised no more.
_SLOW = Duration.seconds(5)


@dataclass(frozen=True, kw_only=True)
class _Problem:
    """An answer that API Gateway gives without asking the function."""

    response: str
    status: int | None
    title: str
    detail: str = "$context.error.messageString"

    @property
    def template(self) -> str:
        """An RFC 9457 problem. Variables ending in String are quoted by API Gateway itself."""
        status = f'"status": {self.status}, ' if self.status else ""
        return f'{{"type": "about:blank", "title": {json.dumps(self.title)}, {status}"detail": {self.detail}}}'


_VALIDATION = '"$context.error.validationErrorString"'
_PROBLEMS = (
    _Problem(
        response="BAD_REQUEST_BODY",
        status=400,
        title="The request body is not what this route takes",
        detail=_VALIDATION,
    ),
    _Problem(response="BAD_REQUEST_PARAMETERS", status=400, title="A parameter is wrong", detail=_VALIDATION),
    _Problem(response="UNAUTHORIZED", status=401, title="The signature is missing, malformed or too old"),
    _Problem(response="ACCESS_DENIED", status=403, title="Not allowed"),
    _Problem(response="EXPIRED_TOKEN", status=403, title="The credentials have expired"),
    _Problem(response="INVALID_SIGNATURE", status=403, title="The signature does not match"),
    _Problem(response="MISSING_AUTHENTICATION_TOKEN", status=403, title="No such route, or the request is not signed"),
    _Problem(response="WAF_FILTERED", status=403, title="Refused by the firewall"),
    _Problem(response="REQUEST_TOO_LARGE", status=413, title="The request body is too large"),
    _Problem(response="UNSUPPORTED_MEDIA_TYPE", status=415, title="Send application/json"),
    _Problem(response="THROTTLED", status=429, title="Too many requests"),
    _Problem(response="INTEGRATION_FAILURE", status=502, title="The service failed"),
    _Problem(response="INTEGRATION_TIMEOUT", status=504, title="The service took too long"),
    _Problem(response="DEFAULT_4XX", status=None, title="The request was refused"),
    _Problem(response="DEFAULT_5XX", status=None, title="The service failed"),
)


class FeedbackApi(Construct):
    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        handler: HandlerFunction,
        requests_per_second: int,
        request_burst: int,
        key: DataKey,
        log_days: int,
        keep_log_role: bool,
        operations: Operations,
    ) -> None:
        super().__init__(scope, id_)
        access_log = log_group(self, "AccessLog", key=key, days=log_days)
        # Three rule packs ask for one. It costs nothing, and would be shown to a backend that is called over HTTP.
        certificate = apigateway.CfnClientCertificate(self, "Certificate", description=f"Shown to backends by {name}")
        self._api = apigateway.RestApi(
            self,
            "Api",
            rest_api_name=f"{name}-feedback",
            description="Takes in feedback and answers with its sentiment",
            cloud_watch_role=False,
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            default_method_options=apigateway.MethodOptions(authorization_type=apigateway.AuthorizationType.IAM),
            deploy_options=apigateway.StageOptions(
                stage_name=STAGE,
                throttling_rate_limit=requests_per_second,
                throttling_burst_limit=request_burst,
                metrics_enabled=True,
                tracing_enabled=True,
                # Errors only and never bodies: what was sent belongs in no log.
                logging_level=apigateway.MethodLoggingLevel.ERROR,
                data_trace_enabled=False,
                client_certificate_id=certificate.ref,
                access_log_destination=apigateway.LogGroupLogDestination(access_log),
                access_log_format=apigateway.AccessLogFormat.custom(_ACCESS_LOG_LINE),
            ),
        )
        self._api.node.try_remove_child("Endpoint")  # the stack names its outputs itself
        # Made before API Gateway makes it, without a key and for ever.
        execution_log = log_group(
            self, "ExecutionLog", key=key, days=log_days, name=f"API-Gateway-Execution-Logs_{self.id}/{STAGE}"
        )
        self._api.deployment_stage.node.add_dependency(execution_log)
        self._let_api_gateway_log(keep=keep_log_role)
        self._validator = self._api.add_request_validator(
            "Body", validate_request_body=True, validate_request_parameters=True
        )
        self._add_routes(handler)
        self._add_problems()
        operations.alarm(
            self,
            "ServerErrors",
            description="The API answered 5xx",
            namespace="AWS/ApiGateway",
            metric_name="5XXError",
            dimensions={"ApiName": f"{name}-feedback", "Stage": STAGE},
            statistic="Sum",
            threshold=0,
            period=Duration.minutes(5),
        )
        operations.alarm(
            self,
            "Latency",
            description=f"One in a hundred answers of the API took longer than {_SLOW.to_seconds():.0f} s",
            namespace="AWS/ApiGateway",
            metric_name="Latency",
            dimensions={"ApiName": f"{name}-feedback", "Stage": STAGE},
            statistic="p99",
            threshold=_SLOW.to_milliseconds(),
            period=Duration.minutes(1),
            evaluation_periods=3,
            datapoints_to_alarm=2,
        )

    @property
    def url(self) -> str:
        return self._api.url

    @property
    def id(self) -> str:
        return self._api.rest_api_id

    @property
    def stage_name(self) -> str:
        return STAGE

    @property
    def stage_arn(self) -> str:
        """The stage as the firewall names it."""
        return arn("apigateway", f"/restapis/{self.id}/stages/{self._api.deployment_stage.stage_name}", account="")

    def feedback_url(self) -> str:
        """Where one feedback is read; its id is appended."""
        return f"{self.url}v1/feedback/"

    def add_signed_route(
        self, *, method: str, path: str, handler: HandlerFunction, authorizer: HandlerFunction, concern: str
    ) -> None:
        """A route for senders with signatures of their own: the authorizer judges the headers, the handler the rest."""
        authorizers = apigateway.CfnAuthorizer(
            self,
            f"{concern}Authorizer",
            rest_api_id=self.id,
            name=concern,
            type="REQUEST",
            authorizer_uri=_invocation(authorizer),
            # Each signature is its own: what let one request in says nothing about the next.
            authorizer_result_ttl_in_seconds=0,
        )
        self._permit(f"{concern}Judging", authorizer, f"authorizers/{authorizers.ref}")
        self._permit(f"{concern}Invoking", handler, f"{STAGE}/{method}{re.sub('{[^}]*}', '*', path)}")
        route = self._add_route(
            method, path, self._integration(handler), authorization_type=apigateway.AuthorizationType.CUSTOM
        )
        resource = route.node.default_child
        if not isinstance(resource, apigateway.CfnMethod):
            raise TypeError("the default child of a method is its CloudFormation resource")
        resource.authorizer_id = authorizers.ref
        acknowledge(resource, rule="EDGE-05", reason="A signature is over bytes, and each source has bodies of its own")

    def _add_routes(self, handler: HandlerFunction) -> None:
        for id_, path in _PERMITTED.items():
            self._permit(id_, handler, f"{STAGE}/*{path}")
        integration = self._integration(handler)
        for path, model_id, schema in (
            ("/v1/feedback", "Feedback", feedback_model()),
            ("/v1/feedback/batch", "Batch", batch_model()),
            ("/v1/feedback/{id}/correction", "Correction", object_model("What a feedback really says")),
            ("/v1/alerts/{id}", "AlertAction", object_model("What somebody does about an alert")),
        ):
            model = apigateway.CfnModel(
                self, model_id, rest_api_id=self.id, name=model_id, content_type="application/json", schema=schema
            )
            named = apigateway.Model.from_model_name(self, f"{model_id}Model", model_id)
            self._add_route("POST", path, integration, models={"application/json": named}).node.add_dependency(model)
            # A deployment is a snapshot: a changed model needs a new one.
            self._deployment.add_to_logical_id(schema)
        self._add_route("GET", "/v1/feedback/{id}", integration)
        self._add_route("GET", "/v1/openapi.json", integration)

    def _add_route(
        self,
        method: str,
        path: str,
        integration: apigateway.Integration,
        *,
        models: Mapping[str, apigateway.IModel] | None = None,
        authorization_type: apigateway.AuthorizationType = apigateway.AuthorizationType.IAM,
    ) -> apigateway.Method:
        return self._api.root.resource_for_path(path).add_method(
            method,
            integration,
            request_validator=self._validator,
            request_models=models,
            request_parameters={f"method.request.path.{name}": True for name in re.findall("{([^}]*)}", path)} or None,
            authorization_type=authorization_type,
        )

    def _permit(self, id_: str, function: HandlerFunction, resource: str) -> None:
        """`LambdaIntegration` permits each route by an ARN alone; here the account is named as well."""
        lambda_.CfnPermission(
            self,
            id_,
            action="lambda:InvokeFunction",
            function_name=function.arn,
            principal="apigateway.amazonaws.com",
            source_account=Stack.of(self).account,
            source_arn=arn("execute-api", f"{self.id}/{resource}"),
        )

    def _integration(self, handler: HandlerFunction) -> apigateway.Integration:
        return apigateway.Integration(
            type=apigateway.IntegrationType.AWS_PROXY, integration_http_method="POST", uri=_invocation(handler)
        )

    def _add_problems(self) -> None:
        for problem in _PROBLEMS:
            response = apigateway.CfnGatewayResponse(
                self,
                "".join(word.capitalize() for word in problem.response.split("_")),
                rest_api_id=self.id,
                response_type=problem.response,
                status_code=str(problem.status) if problem.status else None,
                response_parameters={"gatewayresponse.header.Content-Type": "'application/problem+json'"},
                response_templates={"application/json": problem.template},
            )
            self._deployment.add_to_logical_id({problem.response: problem.template})
            self._deployment.node.add_dependency(response)

    @property
    def _deployment(self) -> apigateway.Deployment:
        deployment = self._api.latest_deployment
        if deployment is None:
            raise TypeError("the API was made with a deployment")
        return deployment

    def _let_api_gateway_log(self, *, keep: bool) -> None:
        """API Gateway logs with one role per account and region: one that others may rely on outlives the stack."""
        role = Role(
            self,
            "LogAccess",
            service="apigateway",
            description="API Gateway writes the logs of this account and region with it",
            statements=[
                Statement(
                    actions=[
                        "logs:CreateLogGroup",
                        "logs:CreateLogStream",
                        "logs:DescribeLogGroups",
                        "logs:DescribeLogStreams",
                        "logs:FilterLogEvents",
                        "logs:GetLogEvents",
                        "logs:PutLogEvents",
                    ],
                    # The account's one role: API Gateway tries it against all log groups when it is set.
                    resources=[arn("logs", "log-group:*")],
                )
            ],
        )
        account = apigateway.CfnAccount(self, "Account", cloud_watch_role_arn=role.arn)
        account.node.add_dependency(role.policy)
        removal_policy = RemovalPolicy.RETAIN if keep else RemovalPolicy.DESTROY
        role.apply_removal_policy(removal_policy)
        account.apply_removal_policy(removal_policy)
        self._api.deployment_stage.node.add_dependency(account)


def _invocation(function: HandlerFunction) -> str:
    return arn("apigateway", f"path/2015-03-31/functions/{function.arn}/invocations", account="lambda")


# What API Gateway may call the API's own function for.
_PERMITTED = {
    "Invoking": "/v1/feedback*",
    "InvokingForAlerts": "/v1/alerts/*",
    "InvokingForDescription": "/v1/openapi.json",
}

# No body and no identity beyond the caller's: feedback never reaches a log.
_ACCESS_LOG_LINE = json.dumps(
    {
        "requestId": "$context.requestId",
        "time": "$context.requestTimeEpoch",
        "ip": "$context.identity.sourceIp",
        "caller": "$context.identity.caller",
        "method": "$context.httpMethod",
        "path": "$context.resourcePath",
        "status": "$context.status",
        "responseBytes": "$context.responseLength",
        "latencyMilliseconds": "$context.responseLatency",
        "integrationError": "$context.integrationErrorMessage",
        "wafResponse": "$context.wafResponseCode",
    }
)
