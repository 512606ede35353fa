"""Rules for who may call an API: every method and route asks, whatever the kind of API and however it is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from policy.rule import Fault, rule
from policy.rules.edge.apis import HTTP_API, METHOD, REST_API
from policy.template import Resource, Template
from policy.values import UNKNOWN, is_known, items, mapping, text

ROUTE = "AWS::ApiGatewayV2::Route"
VERBS = ("get", "put", "post", "delete", "patch", "head", "x-amazon-apigateway-any-method")
NEEDS_AUTHORIZER = ("CUSTOM", "COGNITO_USER_POOLS", "JWT")


@rule(
    id="EDGE-01",
    title="Every method of an API asks who calls",
    why="A method without authorization is open to everybody who finds its address",
    mend="Set AuthorizationType to AWS_IAM, or to COGNITO_USER_POOLS, CUSTOM or JWT with AuthorizerId",
    controls=("APIGateway.8",),
)  # fmt: skip
def methods_ask_who_calls(template: Template) -> Iterator[Fault]:
    for method in template.of_type(METHOD):
        if text(method.value("HttpMethod")) != "OPTIONS":
            yield from _asked(method)
    for route in template.of_type(ROUTE):
        api = template.target(route.value("ApiId"), HTTP_API)
        key = text(route.value("RouteKey")) or ""
        speaks_sockets = api is not None and text(api.value("ProtocolType")) == "WEBSOCKET"
        if key.startswith("OPTIONS ") or (key.startswith("$") and key != "$connect" and key != "$default"):
            continue
        # A socket asks once, as it connects.
        if not (speaks_sockets and key != "$connect"):
            yield from _asked(route)
    for api in template.of_type(HTTP_API):
        if api.has("Target"):
            yield Fault(api, "the route that Target makes has no authorization: write it as a resource")


def _asked(method: Resource) -> Iterator[Fault]:
    for kind in method.values("AuthorizationType"):
        if kind in (None, "", "NONE"):
            yield Fault(method)
        elif text(kind) in NEEDS_AUTHORIZER and not method.has("AuthorizerId"):
            yield Fault(method, f"{text(kind)} without AuthorizerId")


@rule(
    id="EDGE-02",
    title="Every operation of an OpenAPI document asks who calls",
    why="A method without authorization is open to everybody who finds its address",
    mend="Give the operation, or the document, `security`, or x-amazon-apigateway-auth with the type AWS_IAM",
    controls=("APIGateway.8",),
)
def operations_ask_who_calls(template: Template) -> Iterator[Fault]:
    for api in template.of_type(REST_API, HTTP_API):
        body = api.document("Body")
        if not isinstance(body, dict) or "Fn::Transform" in body:
            continue
        for path, operations in mapping(body.get("paths")).items():
            for verb, operation in mapping(operations).items():
                if verb.lower() in VERBS and not _is_secured(mapping(operation), body):
                    yield Fault(api, f"{verb.upper()} {path}")


def _is_secured(operation: Mapping[str, object], document: Mapping[str, object]) -> bool:
    own = mapping(operation.get("x-amazon-apigateway-auth")) or mapping(document.get("x-amazon-apigateway-auth"))
    if own:
        return text(own.get("type")) != "NONE"
    security = operation.get("security", document.get("security"))
    if security is UNKNOWN or not is_known(security):
        return True
    keys = _keys(document)
    return any(set(mapping(scheme)) - keys for scheme in items(security))


def _keys(document: Mapping[str, object]) -> set[str]:
    """Security schemes that only ask for an API key, without an authorizer behind it."""
    declared = mapping(mapping(document.get("components")).get("securitySchemes")) or mapping(
        document.get("securityDefinitions")
    )
    return {
        name
        for name, scheme in declared.items()
        if mapping(scheme).get("type") == "apiKey"
        and mapping(scheme).get("name") == "x-api-key"
        and "x-amazon-apigateway-authorizer" not in mapping(scheme)
    }


@rule(
    id="EDGE-08",
    title="Identity pools and GraphQL APIs let no strangers in",
    why="An identity or a key that everybody can get is no authorization",
    mend="Set AllowUnauthenticatedIdentities to false; use AWS_IAM, a user pool, OIDC or a function instead of API_KEY",
    controls=("Cognito.2", "AppSync.5"),
)
def strangers_stay_out(template: Template) -> Iterator[Fault]:
    for pool in template.of_type("AWS::Cognito::IdentityPool"):
        if any(text(value) == "true" for value in pool.values("AllowUnauthenticatedIdentities")):
            yield Fault(pool)
    for api in template.of_type("AWS::AppSync::GraphQLApi"):
        if "API_KEY" in api.values("AuthenticationType"):
            yield Fault(api)


@rule(
    id="EDGE-09",
    title="User pools ask for good passwords",
    why="Short passwords are guessed",
    mend="Set Policies.PasswordPolicy with a MinimumLength of 8 or more, upper and lower case, numbers and symbols",
    controls=("Cognito.3",),
)
def passwords_are_good(template: Template) -> Iterator[Fault]:
    for pool in template.of_type("AWS::Cognito::UserPool"):
        policy = pool.value("Policies", "PasswordPolicy")
        if not isinstance(policy, dict):
            continue
        weak = [name for name in _REQUIRED if text(policy.get(name, "true")) == "false"]
        length = text(policy.get("MinimumLength", 8)) or ""
        if weak or (length.isdigit() and int(length) < _SHORTEST_PASSWORD):
            yield Fault(pool, ", ".join(weak) or f"MinimumLength is {length}")


_REQUIRED = ("RequireLowercase", "RequireNumbers", "RequireSymbols", "RequireUppercase")
_SHORTEST_PASSWORD = 8
