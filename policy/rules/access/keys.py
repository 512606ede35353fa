"""Rules for secrets: none stands in a template."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from policy.parts import Part
from policy.resolution import function_of
from policy.rule import Fault, rule
from policy.template import Resource, Template
from policy.values import mapping

SOUNDS_SECRET = re.compile(
    r"(^|[_-])(PASSWORD|PASSWD|PWD|SECRET|TOKEN|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|CREDENTIALS?)($|[_-](VALUE|TEXT)?$)",
    re.IGNORECASE,
)
ACCESS_KEY = re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{16}\b")
PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")
ENVIRONMENTS = (
    ("AWS::Lambda::Function", "Environment.Variables"),
    ("AWS::Serverless::Function", "Environment.Variables"),
)
# (type, property) that is a secret itself.
SECRET_PROPERTIES = (
    ("AWS::SecretsManager::Secret", "SecretString"),
    ("AWS::RDS::DBInstance", "MasterUserPassword"),
    ("AWS::RDS::DBCluster", "MasterUserPassword"),
    ("AWS::Redshift::Cluster", "MasterUserPassword"),
    ("AWS::ElastiCache::ReplicationGroup", "AuthToken"),
    ("AWS::IAM::User", "LoginProfile.Password"),
    ("AWS::KinesisFirehose::DeliveryStream", "HttpEndpointDestinationConfiguration.EndpointConfiguration.AccessKey"),
)


@rule(
    id="ACCESS-20",
    title="No secret stands in a template",
    why="Everybody who may read the stack, the repository or the function's settings has it",
    mend="Keep it in Secrets Manager and give the code its ARN, or {{resolve:secretsmanager:...}} to a service",
)  # fmt: skip
def no_secrets(template: Template) -> Iterator[Fault]:
    for type_, path in ENVIRONMENTS:
        for resource in template.of_type(type_):
            for variables in Part.of(resource).at(path):
                yield from _plain_secrets(resource, mapping(variables.raw))
    for type_, path in SECRET_PROPERTIES:
        for resource in template.of_type(type_):
            for value in Part.of(resource).values(path):
                if isinstance(value, str) and value and not value.startswith("{{resolve:"):
                    yield Fault(resource, path)
    for resource in template.resources.values():
        if _holds_key(resource):
            yield Fault(resource, "an access key or private key")


def _plain_secrets(resource: Resource, variables: Mapping[str, object]) -> Iterator[Fault]:
    for name, raw in variables.items():
        value = resource.template.resolve(raw)
        written = isinstance(raw, str) or function_of(raw) is not None
        in_clear = isinstance(value, str) and value != "" and not value.startswith(("{{resolve:", "arn:"))
        if SOUNDS_SECRET.search(name) and written and in_clear:
            yield Fault(resource, name)


def _holds_key(resource: Resource) -> bool:
    open_values: list[object] = [resource.properties]
    while open_values:
        value = open_values.pop()
        if isinstance(value, dict):
            open_values.extend(value.values())
        elif isinstance(value, list):
            open_values.extend(value)
        elif isinstance(value, str) and (ACCESS_KEY.search(value) or PRIVATE_KEY.search(value)):
            return True
    return False
