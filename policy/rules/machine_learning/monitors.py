"""Rules for the jobs that watch a model: sealed off, encrypted on every way, and limited in time."""

from __future__ import annotations

from collections.abc import Iterator

from policy.parts import Part, failing, on, own_key, present, shown
from policy.rule import Fault, rule
from policy.rules.machine_learning.endpoints import keeps_data_locally
from policy.template import Resource, Template
from policy.values import is_false, number

# Job definitions, and how each calls its output.
OUTPUTS = {
    "AWS::SageMaker::DataQualityJobDefinition": "DataQualityJobOutputConfig",
    "AWS::SageMaker::ModelBiasJobDefinition": "ModelBiasJobOutputConfig",
    "AWS::SageMaker::ModelExplainabilityJobDefinition": "ModelExplainabilityJobOutputConfig",
    "AWS::SageMaker::ModelQualityJobDefinition": "ModelQualityJobOutputConfig",
}
BIAS = "AWS::SageMaker::ModelBiasJobDefinition"
SCHEDULE = "AWS::SageMaker::MonitoringSchedule"
INLINE = "MonitoringScheduleConfig.MonitoringJobDefinition"


def _definitions(template: Template) -> Iterator[tuple[Resource, Part]]:
    for resource in template.of_type(*OUTPUTS):
        yield resource, Part.of(resource)


def _inline(template: Template) -> Iterator[tuple[Resource, Part]]:
    """Schedules that hold their job themselves; one that names a definition is judged by that."""
    for resource in template.of_type(SCHEDULE):
        for part in Part.of(resource).at(INLINE):
            yield resource, part


@rule(
    id="ML-50",
    title="Monitoring jobs run in network isolation",
    why="A monitoring job reads every captured request: with a network it can carry them out",
    mend="Set NetworkConfig.EnableNetworkIsolation to true",
    controls=("SageMaker.11", "SageMaker.12", "SageMaker.20", "SageMaker.25"),
)
def monitors_are_isolated(template: Template) -> Iterator[Fault]:
    for resource, part in _definitions(template):
        yield from (Fault(resource, detail) for detail in failing(part, "NetworkConfig.EnableNetworkIsolation", on))


@rule(
    id="ML-51",
    title="Monitoring jobs encrypt what their containers send each other",
    why="Between the instances of a job, captured requests travel in the clear unless this is on",
    mend="Set NetworkConfig.EnableInterContainerTrafficEncryption to true",
    controls=("SageMaker.9", "SageMaker.10", "SageMaker.13", "SageMaker.15"),
)
def monitors_encrypt_traffic(template: Template) -> Iterator[Fault]:
    path = "NetworkConfig.EnableInterContainerTrafficEncryption"
    for resource, part in _definitions(template):
        # A bias job on one instance has nobody to talk to, and SageMaker.15 leaves it out.
        alone = resource.type == BIAS and number(part.value("JobResources.ClusterConfig.InstanceCount")) == 1
        for detail in failing(part, path, (lambda value: not is_false(value)) if alone else on):
            yield Fault(resource, detail)


@rule(
    id="ML-52",
    title="Monitoring jobs encrypt their volumes and reports with a key of yours",
    why="Reports and scratch volumes of a monitor hold samples of what customers sent",
    mend="Set VolumeKmsKeyId of the cluster and KmsKeyId of the output configuration",
)
def monitors_encrypt_what_they_keep(template: Template) -> Iterator[Fault]:
    for resource, part in _definitions(template):
        for cluster in part.at("JobResources.ClusterConfig"):
            yield from _key_faults(resource, cluster)
        for output in part.at(OUTPUTS[resource.type]):
            yield from (Fault(resource, detail) for detail in failing(output, "KmsKeyId", own_key))
    for resource, part in _inline(template):
        for cluster in part.at("MonitoringResources.ClusterConfig"):
            yield from _key_faults(resource, cluster)
        for output in part.at("MonitoringOutputConfig"):
            yield from (Fault(resource, detail) for detail in failing(output, "KmsKeyId", own_key))


def _key_faults(resource: Resource, cluster: Part) -> Iterator[Fault]:
    if not keeps_data_locally(cluster.value("InstanceType")):
        yield from (Fault(resource, detail) for detail in failing(cluster, "VolumeKmsKeyId", own_key))


@rule(
    id="ML-53",
    title="Monitoring jobs are limited in time",
    why="A monitor that hangs costs by the hour and holds back the next one",
    mend="Set StoppingCondition.MaxRuntimeInSeconds below the time between two runs",
)
def monitors_are_limited(template: Template) -> Iterator[Fault]:
    for resource, part in (*_definitions(template), *_inline(template)):
        yield from (
            Fault(resource, detail) for detail in failing(part, "StoppingCondition.MaxRuntimeInSeconds", present)
        )


@rule(
    id="ML-54",
    title="Monitoring schedules run their jobs in network isolation",
    why="The job of a schedule reads every captured request, each time again: with a network it can carry them out",
    mend="Set NetworkConfig.EnableNetworkIsolation of the MonitoringJobDefinition to true",
    controls=("SageMaker.14",),
)
def schedules_are_isolated(template: Template) -> Iterator[Fault]:
    for resource, part in _inline(template):
        yield from (Fault(resource, detail) for detail in failing(part, "NetworkConfig.EnableNetworkIsolation", on))


@rule(
    id="ML-55",
    title="Monitoring schedules encrypt what their containers send each other",
    why="Between the instances of a scheduled job, captured requests travel in the clear unless this is on",
    mend="Set NetworkConfig.EnableInterContainerTrafficEncryption of the MonitoringJobDefinition to true",
    controls=("SageMaker.22",),
)
def schedules_encrypt_traffic(template: Template) -> Iterator[Fault]:
    path = "NetworkConfig.EnableInterContainerTrafficEncryption"
    for resource, part in _inline(template):
        yield from (Fault(resource, detail) for detail in failing(part, path, on))


@rule(
    id="ML-56",
    title="Monitoring schedules have a job",
    why="A schedule whose definition is not there watches nothing",
    mend="Set MonitoringJobDefinitionName to a definition, or MonitoringJobDefinition",
)
def schedules_have_a_job(template: Template) -> Iterator[Fault]:
    for resource in template.of_type(SCHEDULE):
        for config in Part.of(resource).at("MonitoringScheduleConfig"):
            if not (config.may_have("MonitoringJobDefinition") or config.may_have("MonitoringJobDefinitionName")):
                yield Fault(resource, shown(None))
