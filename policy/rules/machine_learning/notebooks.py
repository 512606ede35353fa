"""Rules for notebook instances: what people work on by hand stays inside the network, patched and encrypted."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policy.parts import broken, one_of, own_key, present
from policy.rule import Fault, rule
from policy.template import Template
from policy.values import is_known, text

NOTEBOOK = "AWS::SageMaker::NotebookInstance"
SUPPORTED_PLATFORM = re.compile(r"notebook-al20\d\d-v\d+")


@rule(
    id="ML-01",
    title="Notebook instances have no direct internet access",
    why="A notebook with a way to the internet of its own can carry data out past every control of the network",
    mend="Set DirectInternetAccess to Disabled and give the instance a subnet",
    controls=("SageMaker.1",),
)
def notebooks_stay_off_the_internet(template: Template) -> Iterator[Fault]:
    return broken(template, NOTEBOOK, "DirectInternetAccess", one_of("Disabled"))


@rule(
    id="ML-02",
    title="Notebook instances stand in a VPC",
    why="Outside a VPC of yours, no security group or endpoint policy decides what the notebook may reach",
    mend="Set SubnetId and SecurityGroupIds",
    controls=("SageMaker.2",),
)
def notebooks_stand_in_a_vpc(template: Template) -> Iterator[Fault]:
    return broken(template, NOTEBOOK, "SubnetId", present)


@rule(
    id="ML-03",
    title="Notebook users are not root",
    why="A user who is root can switch off what watches the instance and reach everything that its role may",
    mend="Set RootAccess to Disabled; lifecycle configurations still run as root",
    controls=("SageMaker.3",),
)
def notebook_users_are_not_root(template: Template) -> Iterator[Fault]:
    return broken(template, NOTEBOOK, "RootAccess", one_of("Disabled"))


@rule(
    id="ML-04",
    title="Notebook instances run on a supported platform",
    why="A platform that is no longer supported gets no security patches",
    mend="Set PlatformIdentifier to notebook-al2023-v1",
    controls=("SageMaker.8",),
)
def notebooks_are_supported(template: Template) -> Iterator[Fault]:
    def supported(value: object) -> bool:
        return not is_known(value) or SUPPORTED_PLATFORM.fullmatch(text(value) or "") is not None

    return broken(template, NOTEBOOK, "PlatformIdentifier", supported)


@rule(
    id="ML-05",
    title="Notebook volumes are encrypted with a key of yours",
    why="Notebooks, samples of data and models lie on the volume; with AWS's key nobody can be kept from them",
    mend="Set KmsKeyId",
    controls=("SageMaker.21",),
)
def notebook_volumes_are_encrypted(template: Template) -> Iterator[Fault]:
    return broken(template, NOTEBOOK, "KmsKeyId", own_key)


@rule(
    id="ML-06",
    title="Notebook instances do not allow version 1 of the metadata service",
    why="Version 1 hands the role's credentials to anyone who can make the notebook fetch an address",
    mend='Set InstanceMetadataServiceConfiguration.MinimumInstanceMetadataServiceVersion to "2"',
)
def notebooks_use_the_newer_metadata_service(template: Template) -> Iterator[Fault]:
    path = "InstanceMetadataServiceConfiguration.MinimumInstanceMetadataServiceVersion"
    return broken(template, NOTEBOOK, path, lambda value: text(value) != "1")
