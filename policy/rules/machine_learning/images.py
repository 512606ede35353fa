"""The rule that container images are pinned, wherever machine learning names one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policy.parts import Part
from policy.requests import requests
from policy.rule import Fault, rule
from policy.template import Template
from policy.values import UNKNOWN, Reference, text

# Type of resource: paths of its images.
IMAGES = {
    "AWS::SageMaker::Model": ("PrimaryContainer.Image", "Containers.*.Image"),
    "AWS::SageMaker::ModelPackage": (
        "InferenceSpecification.Containers.*.Image",
        "AdditionalInferenceSpecifications.*.Containers.*.Image",
    ),
    "AWS::SageMaker::InferenceComponent": ("Specification.Container.Image",),
    "AWS::SageMaker::ImageVersion": ("BaseImage",),
    "AWS::SageMaker::DataQualityJobDefinition": ("DataQualityAppSpecification.ImageUri",),
    "AWS::SageMaker::ModelBiasJobDefinition": ("ModelBiasAppSpecification.ImageUri",),
    "AWS::SageMaker::ModelExplainabilityJobDefinition": ("ModelExplainabilityAppSpecification.ImageUri",),
    "AWS::SageMaker::ModelQualityJobDefinition": ("ModelQualityAppSpecification.ImageUri",),
    "AWS::SageMaker::MonitoringSchedule": (
        "MonitoringScheduleConfig.MonitoringJobDefinition.MonitoringAppSpecification.ImageUri",
    ),
    "AWS::BedrockAgentCore::Runtime": ("AgentRuntimeArtifact.ContainerConfiguration.ContainerUri",),
}
DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")
# A tag that says nothing of what it holds: it is moved to whatever is newest.
MOVING_TAGS = frozenset(
    ("latest", "current", "stable", "newest", "main", "master", "dev", "prod", "production", "edge")
)


@rule(
    id="ML-11",
    title="Container images are pinned by digest or version",
    why="An image without a version, or under a tag that moves, is another one at the next start, and nobody tested it",
    mend="Name the image by its digest (@sha256:...) or by the tag of one version",
)
def images_are_pinned(template: Template) -> Iterator[Fault]:
    for type_, paths in IMAGES.items():
        for resource in template.of_type(type_):
            for path in paths:
                for image in _values(Part.of(resource), path):
                    if fault := unpinned(image):
                        yield Fault(resource, fault)
    for request in requests(template):
        for path in request.shape.images:
            for image in _values(request.part, path):
                if fault := unpinned(image):
                    yield Fault(request.resource, f"{request.step}: {fault}")


def _values(part: Part, path: str) -> list[object]:
    before, star, after = path.partition(".*.")
    if not star:
        return part.values(path)
    return [value for element in part.each(before) for value in _values(element, after)]


def unpinned(image: object) -> str:
    """What is wrong with the address of an image; nothing where it is pinned or cannot be known."""
    written = text(image)
    if written is None or image is UNKNOWN or isinstance(image, Reference):
        return ""
    if "@" in written:
        pinned = DIGEST.search(written) or "${" in written.rsplit("@", 1)[1]
        return "" if pinned else f"{written} has a digest that is none"
    last = written.rsplit("/", 1)[-1]
    # A place inside the name may bring the tag with it.
    name, colon, tag = re.sub(r"\$\{[^}]*\}", "\0", last).partition(":")
    if not colon:
        return "" if name.endswith("\0") else f"{written} has no tag"
    if tag.lower() in MOVING_TAGS or tag.lower().endswith("-latest"):
        return f"{written} is under a tag that moves"
    return f"{written} has no tag" if not tag else ""
