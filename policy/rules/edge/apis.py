"""Which APIs, stages and settings belong together, and rules for the APIs themselves."""

from __future__ import annotations

from collections.abc import Iterator

from policy.parts import Part
from policy.rule import Fault, Kept, rule
from policy.template import Resource, Template
from policy.values import is_known, is_true, items, number, text

REST_API = "AWS::ApiGateway::RestApi"
REST_STAGE = "AWS::ApiGateway::Stage"
REST_DEPLOYMENT = "AWS::ApiGateway::Deployment"
METHOD = "AWS::ApiGateway::Method"
VALIDATOR = "AWS::ApiGateway::RequestValidator"
HTTP_API = "AWS::ApiGatewayV2::Api"
HTTP_STAGE = "AWS::ApiGatewayV2::Stage"
WITH_BODY = ("POST", "PUT", "PATCH")
OLD_PROTOCOLS = ("TLS_1_0", "TLS_1_1", "SSLv3", "TLSv1", "TLSv1_2016", "TLSv1.1_2016")


def is_private(api: Resource) -> bool:
    """The API is reached through a VPC endpoint alone."""
    return "PRIVATE" in [text(kind) for kind in api.items("EndpointConfiguration", "Types")]


def api_of(resource: Resource) -> Resource | None:
    """The REST API to which a stage, a method or a deployment of this template belongs."""
    return resource.template.target(resource.value("RestApiId"), REST_API)


def deployed_stages(template: Template) -> list[tuple[Resource, Part]]:
    """(resource, its settings) of each stage of a REST API, including those that deployments make."""
    stages = [(stage, Part.of(stage)) for stage in template.of_type(REST_STAGE)]
    for deployment in template.of_type(REST_DEPLOYMENT):
        if deployment.has("StageName"):
            described = Part.of(deployment).at("StageDescription")
            stages += [(deployment, part) for part in described or [Part(template, {})]]
    return stages


@rule(
    id="EDGE-03",
    title="Bodies are validated before a function sees them",
    why="Without a validator every body that anybody thinks of reaches, and costs, a function",
    mend="Give the method RequestValidatorId of a validator with ValidateRequestBody, and RequestModels",
)
def bodies_are_validated(template: Template) -> Iterator[Fault]:
    for method in template.of_type(METHOD):
        verb = text(method.value("HttpMethod"))
        takes_body = verb in WITH_BODY or (verb != "OPTIONS" and method.has("RequestModels"))
        if not takes_body or text(method.value("Integration", "Type")) == "MOCK":
            continue
        if not method.has("RequestValidatorId"):
            yield Fault(method)
            continue
        validator = template.target(method.value("RequestValidatorId"), VALIDATOR)
        if validator is None or not is_known(validator.value("ValidateRequestBody")):
            continue
        if not is_true(validator.value("ValidateRequestBody")):
            checks_parameters = is_true(validator.value("ValidateRequestParameters"))
            if method.has("RequestModels") or not checks_parameters:
                yield Fault(method, f"{validator.logical_id} does not validate bodies")


@rule(
    id="EDGE-04",
    title="A validator validates something",
    why="A validator with both of its switches off lets everything through",
    mend="Set ValidateRequestBody or ValidateRequestParameters to true",
)
def validators_validate(template: Template) -> Iterator[Fault]:
    for validator in template.of_type(VALIDATOR):
        switches = [validator.value(name) for name in ("ValidateRequestBody", "ValidateRequestParameters")]
        if not any(is_true(value) or not is_known(value) for value in switches):
            yield Fault(validator)


@rule(
    id="EDGE-05",
    title="What a method has models for is declared to its validator",
    why="A body without a model is valid whatever it holds",
    mend="Set RequestModels of the method, as its siblings do",
    practice=True,
)
def methods_have_models(template: Template) -> Iterator[Fault | Kept]:
    for method in template.of_type(METHOD):
        if text(method.value("HttpMethod")) in WITH_BODY and method.has("RequestValidatorId"):
            yield Kept(method) if method.has("RequestModels") else Fault(method)


@rule(
    id="EDGE-06",
    title="Custom domains speak TLS 1.2 or later",
    why="Older protocols can be broken by whoever listens",
    mend="Set SecurityPolicy to TLS_1_2 or a later policy",
)
def domains_speak_current_tls(template: Template) -> Iterator[Fault]:
    for domain in template.of_type("AWS::ApiGateway::DomainName"):
        for policy in domain.values("SecurityPolicy"):
            if policy is None or text(policy) in OLD_PROTOCOLS:
                yield Fault(domain, text(policy) or "not set")
    for domain in template.of_type("AWS::ApiGatewayV2::DomainName"):
        for part in Part.of(domain).each("DomainNameConfigurations"):
            for policy in part.values("SecurityPolicy"):
                if policy is None or text(policy) in OLD_PROTOCOLS:
                    yield Fault(domain, text(policy) or "not set")


@rule(
    id="EDGE-07",
    title="Security groups let the world in at the web's ports alone",
    why="Every open port is tried by the whole internet within minutes",
    mend="Name the addresses or the security group that may come in, or leave only 80 and 443 open",
    controls=("EC2.13", "EC2.14", "EC2.18", "EC2.19", "EC2.53", "EC2.54"),
)
def groups_let_few_in(template: Template) -> Iterator[Fault]:
    for group in template.of_type("AWS::EC2::SecurityGroup"):
        for part in Part.of(group).each("SecurityGroupIngress"):
            if _lets_the_world_in(part):
                yield Fault(group)
    for ingress in template.of_type("AWS::EC2::SecurityGroupIngress"):
        if _lets_the_world_in(Part.of(ingress)):
            yield Fault(ingress)


def _lets_the_world_in(part: Part) -> bool:
    world = "0.0.0.0/0" in part.values("CidrIp") or "::/0" in part.values("CidrIpv6")
    if not world:
        return False
    ports = [number(port) for name in ("FromPort", "ToPort") for port in items(part.values(name))]
    every_protocol = text(part.value("IpProtocol")) == "-1"
    return every_protocol or (None not in ports and not all(port in (80, 443) for port in ports))
