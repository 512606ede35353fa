"""Rules for endpoint configurations: enough instances, encrypted volumes, and captured traffic to judge by."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policy.parts import Part, at_least, not_on, on, own_key, present, shown
from policy.rule import Fault, rule
from policy.template import Resource, Template
from policy.values import UNKNOWN, is_known, number, text

ENDPOINT = "AWS::SageMaker::Endpoint"
ENDPOINT_CONFIG = "AWS::SageMaker::EndpointConfig"
FEWEST_INSTANCES = 2
# Instances with local storage encrypt it in hardware and refuse a key: c5d, m6id, g4dn, g5, p4d, trn1 ...
LOCAL_STORAGE = re.compile(r"ml\.(\w+d(n|e|en)?|g[4-9]\w*|gr6|p4d\w*|p5\w*|p6[\w-]*|trn\d\w*|dl1|i\d\w*)\.")


def keeps_data_locally(instance_type: object) -> bool:
    """The instance has storage of its own that takes no KMS key (or might, where the type is not known)."""
    return not is_known(instance_type) or LOCAL_STORAGE.match(text(instance_type) or "") is not None


def variants(config: Resource) -> list[Part]:
    """The production variants of an endpoint configuration."""
    return Part.of(config).each("ProductionVariants")


def is_serverless(variant: Part) -> bool:
    return variant.may_have("ServerlessConfig")


def all_serverless(config: Resource) -> bool:
    found = variants(config)
    return bool(found) and all(is_serverless(variant) for variant in found)


def is_asynchronous(config: Resource) -> bool:
    return Part.of(config).may_have("AsyncInferenceConfig")


def scales_itself(variant: Part) -> bool:
    return text(variant.value("ManagedInstanceScaling.Status")) == "ENABLED"


def config_of(endpoint: Resource) -> Resource | None:
    """The configuration of an endpoint, when this template holds it."""
    return endpoint.template.target(endpoint.value("EndpointConfigName"), ENDPOINT_CONFIG)


@rule(
    id="ML-20",
    title="Endpoints run on two instances or more",
    why="One instance is one zone: SageMaker's service level asks for two, and so does a canary",
    mend="Set InitialInstanceCount of each production variant to 2 or more",
    controls=("SageMaker.4",),
)
def endpoints_run_on_two_instances(template: Template) -> Iterator[Fault]:
    enough = at_least(FEWEST_INSTANCES)
    for config in template.of_type(ENDPOINT_CONFIG):
        for variant in variants(config):
            if is_serverless(variant):
                continue
            name = shown(variant.value("VariantName"))
            counts = variant.values("InitialInstanceCount")
            if scales_itself(variant):
                counts = [
                    *(count for count in counts if count is not None),
                    variant.value("ManagedInstanceScaling.MinInstanceCount"),
                ]
            for count in counts:
                if not enough(count):
                    yield Fault(config, f"variant {name} starts with {shown(count)}")


@rule(
    id="ML-21",
    title="Endpoint volumes are encrypted with a key of yours",
    why="Models and what customers send lie on the volumes of the endpoint's instances",
    mend="Set KmsKeyId of the configuration and of each CoreDumpConfig (not for instances with local storage)",
)
def endpoint_volumes_are_encrypted(template: Template) -> Iterator[Fault]:
    for config in template.of_type(ENDPOINT_CONFIG):
        takes_key = [
            variant
            for variant in variants(config)
            if not is_serverless(variant) and not keeps_data_locally(variant.value("InstanceType"))
        ]
        if takes_key and not all(own_key(value) for value in config.values("KmsKeyId")):
            yield Fault(config, "KmsKeyId")
        for variant in [*variants(config), *Part.of(config).each("ShadowProductionVariants")]:
            for dump in variant.at("CoreDumpConfig"):
                if not all(own_key(value) for value in dump.values("KmsKeyId")):
                    yield Fault(config, "CoreDumpConfig.KmsKeyId")


@rule(
    id="ML-22",
    title="Endpoints capture what they are asked and what they answer",
    why="Without both requests and answers nobody can see drift, explain a decision or look into an incident",
    mend="Turn DataCaptureConfig on, with a sampling percentage above 0 and CaptureOptions for Input and Output",
)
def endpoints_capture_data(template: Template) -> Iterator[Fault]:
    for config in template.of_type(ENDPOINT_CONFIG):
        captures = Part.of(config).at("DataCaptureConfig")
        if not captures or not Part.of(config).has("DataCaptureConfig"):
            # Neither serverless nor asynchronous endpoints capture data.
            if not all_serverless(config) and not is_asynchronous(config):
                yield Fault(config, "DataCaptureConfig is not set")
            continue
        for capture in captures:
            yield from (Fault(config, detail) for detail in _gaps(capture))


def _gaps(capture: Part) -> Iterator[str]:
    if not all(on(value) for value in capture.values("EnableCapture")):
        yield "EnableCapture is not true"
    for share in capture.values("InitialSamplingPercentage"):
        if is_known(share) and not (number(share) or 0) > 0:
            yield f"InitialSamplingPercentage is {shown(share)}"
    options = capture.each("CaptureOptions")
    modes = [mode for option in options for mode in option.values("CaptureMode")]
    if all(is_known(mode) for mode in modes):
        for wanted in ("Input", "Output"):
            if not {wanted, "InputAndOutput"} & set(map(text, modes)):
                yield f"CaptureOptions lacks {wanted}"


@rule(
    id="ML-23",
    title="Captured data is encrypted with a key of yours",
    why="Captured requests are the customers' own words, kept for months",
    mend="Set KmsKeyId in DataCaptureConfig",
)
def captured_data_is_encrypted(template: Template) -> Iterator[Fault]:
    for config in template.of_type(ENDPOINT_CONFIG):
        for capture in Part.of(config).at("DataCaptureConfig"):
            if not all(own_key(value) for value in capture.values("KmsKeyId")):
                yield Fault(config, "DataCaptureConfig.KmsKeyId")


@rule(
    id="ML-24",
    title="Asynchronous endpoints encrypt their answers and report their errors",
    why="Answers lie in S3 for whoever may read the bucket, and an error that goes to no topic is never seen",
    mend="Set OutputConfig.KmsKeyId and OutputConfig.NotificationConfig.ErrorTopic of AsyncInferenceConfig",
)
def asynchronous_endpoints_are_watched(template: Template) -> Iterator[Fault]:
    for config in template.of_type(ENDPOINT_CONFIG):
        for output in Part.of(config).at("AsyncInferenceConfig.OutputConfig"):
            if not all(own_key(value) for value in output.values("KmsKeyId")):
                yield Fault(config, "OutputConfig.KmsKeyId")
            if not output.has("NotificationConfig.ErrorTopic"):
                yield Fault(config, "OutputConfig.NotificationConfig.ErrorTopic")


@rule(
    id="ML-25",
    title="Nobody logs in to an endpoint's containers",
    why="A shell in a container that serves customers reads their words and can change the model under test's feet",
    mend="Leave EnableSSMAccess out of the variants",
)
def containers_have_no_shell(template: Template) -> Iterator[Fault]:
    for config in template.of_type(ENDPOINT_CONFIG):
        for variant in [*variants(config), *Part.of(config).each("ShadowProductionVariants")]:
            if not all(not_on(value) for value in variant.values("EnableSSMAccess")):
                yield Fault(config, f"variant {shown(variant.value('VariantName'))}")


@rule(
    id="ML-26",
    title="Inference components run in two copies or more",
    why="One copy is one instance: while it is replaced, nobody answers",
    mend="Set RuntimeConfig.CopyCount to 2 or more",
)
def components_run_twice(template: Template) -> Iterator[Fault]:
    for component in template.of_type("AWS::SageMaker::InferenceComponent"):
        if not Part.of(component).may_have("RuntimeConfig"):
            continue
        for count in component.values("RuntimeConfig", "CopyCount"):
            if not at_least(FEWEST_INSTANCES)(count):
                yield Fault(component, f"CopyCount is {shown(count)}")


@rule(
    id="ML-27",
    title="Inference experiments are encrypted with a key of yours",
    why="A shadow test holds the same words of customers as the endpoint that it copies",
    mend="Set KmsKey, and KmsKey of DataStorageConfig",
    controls=("SageMaker.23", "SageMaker.24"),
)
def experiments_are_encrypted(template: Template) -> Iterator[Fault]:
    for experiment in template.of_type("AWS::SageMaker::InferenceExperiment"):
        if not all(own_key(value) for value in experiment.values("KmsKey")):
            yield Fault(experiment, "KmsKey")
        for storage in Part.of(experiment).at("DataStorageConfig"):
            if present(storage.raw) and not all(own_key(value) for value in storage.values("KmsKey")):
                yield Fault(experiment, "DataStorageConfig.KmsKey")


def endpoint_variants(endpoint: Resource) -> list[Part] | None:
    """The instance-based variants of an endpoint; None where its configuration is not in this template."""
    config = config_of(endpoint)
    if config is None or config.value("ProductionVariants") is UNKNOWN:
        return None
    return [variant for variant in variants(config) if not is_serverless(variant)]
