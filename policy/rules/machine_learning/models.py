"""Rules for hosted models: they run sealed off, from a trusted registry, without secrets in their environment."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policy.parts import Part, broken, on, shown
from policy.rule import Fault, rule
from policy.template import Resource, Template
from policy.values import UNKNOWN, Pattern, is_known, is_true, text

MODEL = "AWS::SageMaker::Model"
ECR = re.compile(r"\.dkr[.-]ecr[.-]|\.RepositoryUri\}")
PUBLIC_REGISTRY = re.compile(
    r"(docker\.io|ghcr\.io|quay\.io|gcr\.io|public\.ecr\.aws|mcr\.microsoft\.com|registry\.hub)[/.]"
)
# Types that take VpcConfig (with SecurityGroupIds and Subnets), and where.
IN_VPC = {
    MODEL: "VpcConfig",
    "AWS::SageMaker::EndpointConfig": "VpcConfig",
    "AWS::SageMaker::DataQualityJobDefinition": "NetworkConfig.VpcConfig",
    "AWS::SageMaker::ModelBiasJobDefinition": "NetworkConfig.VpcConfig",
    "AWS::SageMaker::ModelExplainabilityJobDefinition": "NetworkConfig.VpcConfig",
    "AWS::SageMaker::ModelQualityJobDefinition": "NetworkConfig.VpcConfig",
    "AWS::SageMaker::MonitoringSchedule": "MonitoringScheduleConfig.MonitoringJobDefinition.NetworkConfig.VpcConfig",
}
SECRET_NAME = re.compile(r"(PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY)S?$", re.IGNORECASE)
NO_SECRET_NAME = re.compile(r"(ARN|NAME|ID|PATH|PARAMETER|MAX_\w*TOKENS?|NUM_\w*TOKENS?)$", re.IGNORECASE)


def containers(model: Resource) -> list[Part]:
    """The containers of a model: its primary one, or those of its pipeline."""
    part = Part.of(model)
    return [*part.at("PrimaryContainer"), *part.each("Containers")]


@rule(
    id="ML-10",
    title="Models run in network isolation",
    why="A model container with a network can send away what customers write, or fetch code that nobody reviewed",
    mend="Set EnableNetworkIsolation to true",
    controls=("SageMaker.5",),
)
def models_are_isolated(template: Template) -> Iterator[Fault]:
    return broken(template, MODEL, "EnableNetworkIsolation", on)


@rule(
    id="ML-12",
    title="Models take their images from a private registry",
    why="An image of a registry outside of ECR, or through SageMaker's network, may be exchanged on its way",
    mend="Copy the image to ECR, or set ImageConfig.RepositoryAccessMode to Vpc and give the model a VpcConfig",
    controls=("SageMaker.16", "SageMaker.19"),
)
def images_come_from_a_private_registry(template: Template) -> Iterator[Fault]:
    for model in template.of_type(MODEL):
        parts = containers(model)
        modes = [text(part.value("ImageConfig.RepositoryAccessMode")) for part in parts]
        for part, mode in zip(parts, modes, strict=True):
            image = part.value("Image")
            if PUBLIC_REGISTRY.match(text(image) or ""):
                yield Fault(model, f"{shown(image)} is in a public registry")
            elif mode == "Platform":
                yield Fault(model, "ImageConfig.RepositoryAccessMode is Platform")
            elif mode == "Vpc":
                if not Part.of(model).has("VpcConfig"):
                    yield Fault(model, "a private registry is reached through a VpcConfig, which is not set")
            elif mode is None and part.has("Image") and "Vpc" in modes:
                yield Fault(model, f"{shown(image)} is not taken from the private registry of the other containers")
            elif mode is None and _is_outside_of_ecr(image):
                yield Fault(model, f"{shown(image)} is in no private registry")


def _is_outside_of_ecr(image: object) -> bool:
    if isinstance(image, str):
        return not ECR.search(image)
    # With open places, only a host that is spelled out is certain.
    host = (text(image) or "").split("/")[0]
    return isinstance(image, Pattern) and "/" in image.text and "${" not in host and not ECR.search(image.text)


@rule(
    id="ML-13",
    title="A VPC configuration names subnets in two zones and a security group",
    why="One subnet ends with its zone, and without a security group of its own the VPC's default one decides",
    mend="Give VpcConfig at least two Subnets, of different zones, and one of SecurityGroupIds",
)
def vpc_configurations_are_complete(template: Template) -> Iterator[Fault]:
    for type_, path in IN_VPC.items():
        for resource in template.of_type(type_):
            for part in Part.of(resource).at(path):
                if not part.has("SecurityGroupIds"):
                    yield Fault(resource, "VpcConfig has no SecurityGroupIds")
                for subnets in part.values("Subnets"):
                    if _are_too_few(subnets):
                        yield Fault(resource, "VpcConfig has fewer than two Subnets")


def _are_too_few(subnets: object) -> bool:
    if subnets is None:
        return True
    if not isinstance(subnets, list):
        return False
    # What only the deployment knows counts as a subnet of its own.
    named = {shown(one) for one in subnets if one is not UNKNOWN}
    return len(named) + subnets.count(UNKNOWN) < 2


@rule(
    id="ML-14",
    title="Model containers hold no secrets and trust no remote code",
    why="Whoever may describe the model reads its environment, and code that comes with a model runs on the data",
    mend="Leave the secret out (isolated containers need none), and HF_TRUST_REMOTE_CODE too",
)
def environments_are_harmless(template: Template) -> Iterator[Fault]:
    for model in template.of_type(MODEL):
        for container in containers(model):
            for environment in container.at("Environment"):
                if not isinstance(environment.raw, dict):
                    continue
                for name in environment.raw:
                    for value in environment.values(name):
                        if "TRUST_REMOTE_CODE" in name and (is_true(value) or text(value) == "1"):
                            yield Fault(model, f"{name} is {shown(value)}")
                        elif is_known(value) and value and SECRET_NAME.search(name) and not NO_SECRET_NAME.search(name):
                            yield Fault(model, f"{name} is written in the template")
