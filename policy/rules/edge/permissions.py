"""Rules for who may call a function: services for one source each, and nobody through an open URL."""

from __future__ import annotations

from collections.abc import Iterator

from policy.parts import Part, present
from policy.rule import Fault, rule
from policy.rules.edge.public import WIDE
from policy.template import Resource, Template
from policy.values import items, text

PERMISSIONS = ("AWS::Lambda::Permission", "AWS::Lambda::LayerVersionPermission")
URL = "AWS::Lambda::Url"
SOURCES = ("SourceArn", "SourceAccount", "PrincipalOrgID", "EventSourceToken")


@rule(
    id="EDGE-40",
    title="A service may call a function for one source alone",
    why="Without a source anybody's rule, bucket or API may call the function through the service",
    mend="Set SourceArn or SourceAccount of the permission",
    controls=("Lambda.1",),
)
def callers_have_a_source(template: Template) -> Iterator[Fault]:
    for permission in template.of_type("AWS::Lambda::Permission"):
        principal = text(permission.value("Principal")) or ""
        if ".amazonaws.com" in principal and not _has_source(permission):
            yield Fault(permission, principal)


@rule(
    id="EDGE-41",
    title="Not everybody may call a function or use a layer",
    why="The principal * is every account of the world, strangers included",
    mend="Name the account or service, or set PrincipalOrgID (OrganizationId of a layer)",
    controls=("Lambda.1",),
)
def functions_are_not_public(template: Template) -> Iterator[Fault]:
    for permission in template.of_type(*PERMISSIONS):
        if "*" not in permission.values("Principal"):
            continue
        if not (_has_source(permission) or permission.has("OrganizationId")):
            yield Fault(permission)


def _has_source(permission: Resource) -> bool:
    return any(
        all(present(value) and not WIDE.match(text(value) or "") for value in permission.values(name))
        for name in SOURCES
    )


@rule(
    id="EDGE-44",
    title="A permission is for calling, and for no more",
    why="With lambda:* the caller may also change the function's code and settings",
    mend="Set Action to lambda:InvokeFunction (or lambda:InvokeFunctionUrl)",
)
def permissions_are_for_calling(template: Template) -> Iterator[Fault]:
    for permission in template.of_type(*PERMISSIONS):
        for action in permission.values("Action"):
            if "*" in (text(action) or ""):
                yield Fault(permission, text(action) or "")


@rule(
    id="EDGE-42",
    title="Function URLs ask who calls",
    why="A function URL without authorization is open to everybody who finds it",
    mend="Set AuthType (FunctionUrlAuthType of a permission) to AWS_IAM",
    controls=("Lambda.1",),
)
def urls_ask_who_calls(template: Template) -> Iterator[Fault]:
    for url in template.of_type(URL):
        if any(value in (None, "NONE") for value in url.values("AuthType")):
            yield Fault(url)
    for permission in template.of_type("AWS::Lambda::Permission"):
        if "NONE" in permission.values("FunctionUrlAuthType"):
            yield Fault(permission)


@rule(
    id="EDGE-43",
    title="Credentials go with no request from just anywhere",
    why="With every origin allowed and credentials sent along, any page may call in its visitor's name",
    mend="List the origins, or leave AllowCredentials off",
)
def credentials_stay_at_home(template: Template) -> Iterator[Fault]:
    for resource in template.of_type(URL, "AWS::ApiGatewayV2::Api"):
        for cors in (*Part.of(resource).at("Cors"), *Part.of(resource).at("CorsConfiguration")):
            if text(cors.value("AllowCredentials")) == "true" and "*" in items(cors.value("AllowOrigins")):
                yield Fault(resource)
