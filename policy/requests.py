"""Finds the requests that start SageMaker's jobs inside of state machines and pipelines.

Jobs are no resources: their settings stand in the definition of the state machine or SageMaker pipeline that starts
them, as a document or as text. Responsible for finding them in both, whatever the query language, and for saying where
in a request a setting stands. It does not judge them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from policy.parts import Part
from policy.template import Resource, Template
from policy.values import PLACEHOLDER, UNKNOWN, Pattern, document, mapping, text, walk

STATE_MACHINE = "AWS::StepFunctions::StateMachine"
PIPELINE = "AWS::SageMaker::Pipeline"
# arn:aws:states:::sagemaker:createTrainingJob.sync, arn:aws:states:::aws-sdk:sagemaker:createTrainingJob
INTEGRATION = re.compile(r":states:::(?:aws-sdk:)?sagemaker:(?P<action>\w+)")


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Where one kind of request keeps what rules ask for; nothing where the kind has no such setting."""

    images: tuple[str, ...] = ()
    isolation: str = ""
    traffic: str = ""
    vpc: str = ""
    count: str = ""
    instance: str = ""
    volume_key: str = ""
    output: str = ""
    output_key: str = ""
    stop: tuple[str, ...] = ()


TRAINING = Shape(
    images=("AlgorithmSpecification.TrainingImage",),
    isolation="EnableNetworkIsolation",
    traffic="EnableInterContainerTrafficEncryption",
    vpc="VpcConfig",
    count="ResourceConfig.InstanceCount",
    instance="ResourceConfig.InstanceType",
    volume_key="ResourceConfig.VolumeKmsKeyId",
    output="OutputDataConfig",
    output_key="OutputDataConfig.KmsKeyId",
    stop=("StoppingCondition.MaxRuntimeInSeconds",),
)
PROCESSING = Shape(
    images=("AppSpecification.ImageUri",),
    isolation="NetworkConfig.EnableNetworkIsolation",
    traffic="NetworkConfig.EnableInterContainerTrafficEncryption",
    vpc="NetworkConfig.VpcConfig",
    count="ProcessingResources.ClusterConfig.InstanceCount",
    instance="ProcessingResources.ClusterConfig.InstanceType",
    volume_key="ProcessingResources.ClusterConfig.VolumeKmsKeyId",
    output="ProcessingOutputConfig",
    output_key="ProcessingOutputConfig.KmsKeyId",
    stop=("StoppingCondition.MaxRuntimeInSeconds",),
)
TRANSFORM = Shape(
    instance="TransformResources.InstanceType",
    volume_key="TransformResources.VolumeKmsKeyId",
    output="TransformOutput",
    output_key="TransformOutput.KmsKeyId",
)
AUTOML = Shape(
    traffic="AutoMLJobConfig.SecurityConfig.EnableInterContainerTrafficEncryption",
    vpc="AutoMLJobConfig.SecurityConfig.VpcConfig",
    volume_key="AutoMLJobConfig.SecurityConfig.VolumeKmsKeyId",
    output="OutputDataConfig",
    output_key="OutputDataConfig.KmsKeyId",
    stop=(
        "AutoMLJobConfig.CompletionCriteria.MaxAutoMLJobRuntimeInSeconds",
        "AutoMLJobConfig.CompletionCriteria.MaxCandidates",
    ),
)
AUTOML_V2 = Shape(
    traffic="SecurityConfig.EnableInterContainerTrafficEncryption",
    vpc="SecurityConfig.VpcConfig",
    volume_key="SecurityConfig.VolumeKmsKeyId",
    output="OutputDataConfig",
    output_key="OutputDataConfig.KmsKeyId",
)
MODEL = Shape(
    images=("PrimaryContainer.Image", "Containers.*.Image"),
    isolation="EnableNetworkIsolation",
    vpc="VpcConfig",
)
SHAPES: Mapping[str, Shape] = {
    "createtrainingjob": TRAINING,
    "createprocessingjob": PROCESSING,
    "createtransformjob": TRANSFORM,
    "createautomljob": AUTOML,
    "createautomljobv2": AUTOML_V2,
    "createmodel": MODEL,
    # The kinds of steps of a SageMaker pipeline.
    "training": TRAINING,
    "processing": PROCESSING,
    "transform": TRANSFORM,
    "automl": AUTOML,
    "model": MODEL,
}
TUNING = ("createhyperparametertuningjob", "tuning")


@dataclass(frozen=True)
class Request:
    """One request: the resource whose definition holds it, the name of its step, and what is asked for."""

    resource: Resource
    step: str
    shape: Shape
    part: Part


@lru_cache(maxsize=8)
def requests(template: Template) -> tuple[Request, ...]:
    """Every request of the template that starts a job or makes a model."""
    found: list[Request] = []
    for resource in template.of_type(STATE_MACHINE):
        for step, action, arguments in _tasks(resource):
            found.extend(_requests(resource, step, action.lower(), arguments))
    for resource in template.of_type(PIPELINE):
        for step, kind, arguments in _steps(resource):
            found.extend(_requests(resource, step, kind.lower(), arguments))
    return tuple(found)


def _requests(resource: Resource, step: str, kind: str, arguments: object) -> Iterator[Request]:
    if not isinstance(arguments, dict):
        return
    if kind in TUNING:
        given = [arguments.get("TrainingJobDefinition"), *_list(arguments.get("TrainingJobDefinitions"))]
        for definition in given:
            if isinstance(definition, dict):
                yield Request(resource, step, TRAINING, Part(resource.template, definition))
    elif kind in SHAPES:
        yield Request(resource, step, SHAPES[kind], Part(resource.template, arguments))


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _tasks(resource: Resource) -> Iterator[tuple[str, str, object]]:
    """(name, action, arguments) of every state that calls SageMaker, however deep in maps and parallel branches."""
    definition = resource.document("DefinitionString") or resource.value("Definition")
    substitutions = mapping(resource.value("DefinitionSubstitutions"))
    for states in walk(definition):
        for name, state in mapping(mapping(states).get("States")).items():
            called = INTEGRATION.search(text(mapping(state).get("Resource")) or "")
            if called:
                arguments = mapping(state).get("Arguments", mapping(state).get("Parameters"))
                yield name, called["action"], _settled(arguments, substitutions)


def _steps(resource: Resource) -> Iterator[tuple[str, str, object]]:
    """(name, kind, arguments) of every step, however deep in conditions."""
    for body in resource.values("PipelineDefinition", "PipelineDefinitionBody"):
        for step in walk(document(body)):
            fields = mapping(step)
            kind, name = fields.get("Type"), fields.get("Name")
            if isinstance(kind, str) and isinstance(name, str) and "Arguments" in fields:
                yield name, kind, _settled(fields["Arguments"], {})


def _settled(value: object, substitutions: Mapping[str, object]) -> object:
    """A request in which everything that only the run knows is UNKNOWN: paths, expressions, parameters."""
    if isinstance(value, dict):
        if value.keys() & {"Get", "Std:Join"} and len(value) == 1:
            return UNKNOWN
        return {
            name.removesuffix(".$"): UNKNOWN if name.endswith(".$") else _settled(item, substitutions)
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [_settled(item, substitutions) for item in value]
    written = text(value) if isinstance(value, str | Pattern) else None
    if written is None:
        return value
    if written.startswith("{%"):
        return UNKNOWN
    whole = PLACEHOLDER.fullmatch(written)
    if whole:
        return substitutions.get(whole[1], UNKNOWN) if not isinstance(value, Pattern) else value
    return Pattern(written) if PLACEHOLDER.search(written) else value
