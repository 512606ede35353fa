"""Rules for the jobs that state machines and pipelines start: training, processing, transform, tuning, Autopilot."""

from __future__ import annotations

from collections.abc import Iterator

from policy.parts import on, own_key, present
from policy.requests import Request, requests
from policy.rule import Fault, rule
from policy.rules.machine_learning.endpoints import keeps_data_locally
from policy.template import Template
from policy.values import is_false, number


def _fault(request: Request, detail: str) -> Fault:
    return Fault(request.resource, f"{request.step}: {detail}")


@rule(
    id="ML-60",
    title="Jobs run in network isolation or in a VPC",
    why="A job reads all of the training data: with a way to the internet, one bad package carries it out",
    mend="Set EnableNetworkIsolation to true in the request, or give it a VpcConfig",
)
def jobs_are_isolated(template: Template) -> Iterator[Fault]:
    for request in requests(template):
        path = request.shape.isolation
        if (
            path
            and not all(on(value) for value in request.part.values(path))
            and not request.part.has(request.shape.vpc)
        ):
            yield _fault(request, f"neither {path} nor {request.shape.vpc}")


@rule(
    id="ML-61",
    title="Jobs on several instances encrypt what these send each other",
    why="Between the instances of a job, training data and gradients travel in the clear unless this is on",
    mend="Set EnableInterContainerTrafficEncryption to true in the request",
)
def jobs_encrypt_traffic(template: Template) -> Iterator[Fault]:
    for request in requests(template):
        path = request.shape.traffic
        if not path:
            continue
        count = number(request.part.value(request.shape.count)) if request.shape.count else None
        for value in request.part.values(path):
            if is_false(value) or (value is None and count is not None and count > 1):
                yield _fault(request, path)


@rule(
    id="ML-62",
    title="Jobs encrypt what they write with a key of yours",
    why="Features, models and predictions are made of customers' words: who may read the bucket must not be enough",
    mend="Set KmsKeyId in the output configuration of the request",
)
def jobs_encrypt_their_output(template: Template) -> Iterator[Fault]:
    for request in requests(template):
        shape = request.shape
        if not shape.output_key or not request.part.may_have(shape.output):
            continue
        if not all(own_key(value) for value in request.part.values(shape.output_key)):
            yield _fault(request, shape.output_key)


@rule(
    id="ML-63",
    title="Jobs encrypt their volumes with a key of yours",
    why="Training data is unpacked on the volume of the job's instances",
    mend="Set VolumeKmsKeyId in the request (not for instances with local storage)",
)
def jobs_encrypt_their_volumes(template: Template) -> Iterator[Fault]:
    for request in requests(template):
        shape = request.shape
        if not shape.volume_key or (shape.instance and keeps_data_locally(request.part.value(shape.instance))):
            continue
        if not all(own_key(value) for value in request.part.values(shape.volume_key)):
            yield _fault(request, shape.volume_key)


@rule(
    id="ML-64",
    title="Jobs are limited in time",
    why="A training that never ends is paid for by the hour, and nobody is told",
    mend="Set StoppingCondition.MaxRuntimeInSeconds in the request",
)
def jobs_are_limited(template: Template) -> Iterator[Fault]:
    for request in requests(template):
        if request.shape.stop and not any(request.part.has(path) for path in request.shape.stop):
            yield _fault(request, request.shape.stop[0])


@rule(
    id="ML-65",
    title="Jobs name the role that they run under",
    why="A job whose role is left to the caller has whatever rights that caller found",
    mend="Set RoleArn in the request to a role of its own",
)
def jobs_have_a_role(template: Template) -> Iterator[Fault]:
    for request in requests(template):
        if request.shape.count and not (present(request.part.raw) and _names_role(request)):
            yield _fault(request, "RoleArn")


def _names_role(request: Request) -> bool:
    return request.part.has("RoleArn") or request.resource.type == "AWS::SageMaker::Pipeline" or _is_tuned(request)


def _is_tuned(request: Request) -> bool:
    """Pipelines give their steps the pipeline's role, and a tuning's definitions stand inside of its request."""
    return request.part.may_have("StaticHyperParameters") or request.part.may_have("HyperParameterRanges")
