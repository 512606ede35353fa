"""Rules for what surrounds models: roles, Studio, the feature store and the model registry."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policy.parts import Part, broken, failing, one_of, own_key, shown
from policy.rule import Fault, rule
from policy.template import Resource, Template
from policy.values import items, mapping, text

ROLE = "AWS::IAM::Role"
DOMAIN = "AWS::SageMaker::Domain"
FEATURE_GROUP = "AWS::SageMaker::FeatureGroup"
SERVICES = ("sagemaker.amazonaws.com", "bedrock.amazonaws.com", "bedrock-agentcore.amazonaws.com")
TOO_MUCH = re.compile(r"(FullAccess\w*|AdministratorAccess\w*|PowerUserAccess)$")


@rule(
    id="ML-70",
    title="Roles of machine learning have no policy with full access",
    why="Code that learns from outside data runs under this role; full access reaches past its own project",
    mend="Write out the actions and resources that the code needs",
)
def roles_have_no_full_access(template: Template) -> Iterator[Fault]:
    for role in template.of_type(ROLE):
        if _is_for_machine_learning(role):
            for arn in role.items("ManagedPolicyArns"):
                name = (text(arn) or "").rsplit("/", 1)[-1]
                if TOO_MUCH.search(name):
                    yield Fault(role, name)


def _is_for_machine_learning(role: Resource) -> bool:
    trusted = mapping(role.document("AssumeRolePolicyDocument")).get("Statement")
    services = [
        text(service)
        for statement in items(trusted)
        for service in items(mapping(mapping(statement).get("Principal")).get("Service"))
    ]
    if any(service in SERVICES for service in services):
        return True
    return any(other.type.startswith("AWS::SageMaker::") for other in role.template.referrers(role))


@rule(
    id="ML-71",
    title="Studio domains stay inside the VPC",
    why="A domain with public access gives each of its users a way to the internet beside your network",
    mend="Set AppNetworkAccessType to VpcOnly",
)
def domains_stay_in_the_vpc(template: Template) -> Iterator[Fault]:
    return broken(template, DOMAIN, "AppNetworkAccessType", one_of("VpcOnly"))


@rule(
    id="ML-72",
    title="Studio domains are encrypted with a key of yours",
    why="Home folders and shared notebooks hold samples of data and credentials",
    mend="Set KmsKeyId of the domain, and S3KmsKeyId of SharingSettings where notebooks are shared",
)
def domains_are_encrypted(template: Template) -> Iterator[Fault]:
    for domain in template.of_type(DOMAIN):
        yield from (Fault(domain, detail) for detail in failing(Part.of(domain), "KmsKeyId", own_key))
        for sharing in Part.of(domain).at("DefaultUserSettings.SharingSettings"):
            if text(sharing.value("NotebookOutputOption")) == "Allowed":
                yield from (Fault(domain, detail) for detail in failing(sharing, "S3KmsKeyId", own_key))


@rule(
    id="ML-73",
    title="Feature groups are encrypted with a key of yours",
    why="Features are customers' data by another name, kept twice: online and in S3",
    mend="Set KmsKeyId in OfflineStoreConfig.S3StorageConfig and in OnlineStoreConfig.SecurityConfig",
    controls=("SageMaker.17", "SageMaker.18"),
)
def feature_groups_are_encrypted(template: Template) -> Iterator[Fault]:
    for group in template.of_type(FEATURE_GROUP):
        for offline in Part.of(group).at("OfflineStoreConfig"):
            yield from (Fault(group, detail) for detail in failing(offline, "S3StorageConfig.KmsKeyId", own_key))
        for online in Part.of(group).at("OnlineStoreConfig"):
            if text(online.value("EnableOnlineStore")) == "false" or text(online.value("StorageType")) == "InMemory":
                continue
            yield from (Fault(group, detail) for detail in failing(online, "SecurityConfig.KmsKeyId", own_key))


@rule(
    id="ML-74",
    title="Models are approved by a gate, not by a template",
    why="A package that is born approved goes to production without anyone, or any measurement, having looked at it",
    mend="Leave ModelApprovalStatus at PendingManualApproval, and approve after the evaluation",
)
def packages_are_not_born_approved(template: Template) -> Iterator[Fault]:
    types = ("AWS::SageMaker::ModelPackage",)
    return broken(template, types, "ModelApprovalStatus", lambda value: text(value) != "Approved")


@rule(
    id="ML-75",
    title="Model registries are not open to everyone",
    why="Who may register or describe packages of another account decides which model that account serves",
    mend="Name the accounts in the Principal of ModelPackageGroupPolicy",
)
def registries_are_not_public(template: Template) -> Iterator[Fault]:
    for group in template.of_type("AWS::SageMaker::ModelPackageGroup"):
        for statement in items(mapping(group.document("ModelPackageGroupPolicy")).get("Statement")):
            fields = mapping(statement)
            principal = fields.get("Principal")
            named = [text(who) for who in (*items(principal), *items(mapping(principal).get("AWS")))]
            if fields.get("Effect") == "Allow" and "*" in named and not fields.get("Condition"):
                yield Fault(group, shown(fields.get("Sid") or "a statement"))
