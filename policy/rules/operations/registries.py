"""Rules for what an app is made of and by: image repositories, secrets, event buses."""

from __future__ import annotations

from collections.abc import Iterator

from policy.parts import own_key
from policy.rule import Fault, Kept, rule
from policy.template import Template
from policy.values import is_known, is_true, text

REPOSITORY = "AWS::ECR::Repository"
SECRET = "AWS::SecretsManager::Secret"  # noqa: S105 - the name of a type


@rule(
    id="OPS-50",
    title="Images are scanned as they are pushed",
    why="Known holes in an image's packages stay unknown",
    mend="Set ImageScanningConfiguration.ScanOnPush to true",
    controls=("ECR.1",),
)
def images_are_scanned(template: Template) -> Iterator[Fault]:
    if template.of_type("AWS::ECR::RegistryScanningConfiguration"):
        return
    for repository in template.of_type(REPOSITORY):
        scanned = repository.values("ImageScanningConfiguration", "ScanOnPush")
        if not all(is_true(value) or not is_known(value) for value in scanned):
            yield Fault(repository)


@rule(
    id="OPS-51",
    title="A pushed tag stays what it is",
    why="A tag that can be pushed again runs other code than was tested",
    mend="Set ImageTagMutability to IMMUTABLE",
    controls=("ECR.2",),
)
def tags_are_immutable(template: Template) -> Iterator[Fault]:
    for repository in template.of_type(REPOSITORY):
        for mutability in repository.values("ImageTagMutability"):
            if mutability is None or text(mutability) == "MUTABLE":
                yield Fault(repository)


@rule(
    id="OPS-52",
    title="Repositories let old images go, and use a key of yours",
    why="Old images are paid for, and carry old holes",
    mend="Set LifecyclePolicy, and EncryptionConfiguration with KMS and a key of yours",
    controls=("ECR.3", "ECR.5"),
    practice=True,
)
def repositories_are_tidy(template: Template) -> Iterator[Fault | Kept]:
    for repository in template.of_type(REPOSITORY):
        key = own_key(repository.value("EncryptionConfiguration", "KmsKey"))
        yield Kept(repository) if key and repository.has("LifecyclePolicy") else Fault(repository)


@rule(
    id="OPS-53",
    title="Secrets are rotated",
    why="A secret that leaked is good for as long as nobody changes it",
    mend="Add an AWS::SecretsManager::RotationSchedule for the secret",
    controls=("SecretsManager.1", "SecretsManager.4"),
    practice=True,
)
def secrets_are_rotated(template: Template) -> Iterator[Fault | Kept]:
    rotated = {
        found.logical_id
        for schedule in template.of_type("AWS::SecretsManager::RotationSchedule")
        for found in template.targets(schedule.value("SecretId"))
    }
    for secret in template.of_type(SECRET):
        yield Kept(secret) if secret.logical_id in rotated else Fault(secret)


@rule(
    id="OPS-54",
    title="Custom event buses say who may send",
    why="Without a policy of its own who may send is decided elsewhere",
    mend="Set Policy of the bus, or add an AWS::Events::EventBusPolicy",
    controls=("EventBridge.3",),
    practice=True,
)
def buses_have_policies(template: Template) -> Iterator[Fault | Kept]:
    for bus in template.of_type("AWS::Events::EventBus"):
        guarded = bus.has("Policy") or bool(template.referrers(bus, "AWS::Events::EventBusPolicy"))
        yield Kept(bus) if guarded else Fault(bus)
