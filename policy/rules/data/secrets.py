"""Rules for secrets: they are made by the service, rotate, and never stand in a template."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policy.parts import Part, failing, own_key, shown
from policy.rule import Fault, rule
from policy.rules.data.customer_key import uses_own_keys
from policy.template import Template
from policy.values import UNKNOWN, is_known, number, text

SECRET = "AWS::SecretsManager::Secret"  # noqa: S105 - a type of resource
ROTATION = "AWS::SecretsManager::RotationSchedule"
LONGEST_ROTATION_DAYS = 90
SECRET_NAME = re.compile(r"password|passwd|secret|token|api[-_]?key|private[-_]?key|credential", re.IGNORECASE)
RATE = re.compile(r"rate\((\d+) (hour|day)s?\)")


@rule(
    id="DATA-60",
    title="Secrets rotate at least every ninety days",
    why="A secret that never changes stays good for whoever once saw it",
    mend="Add an AWS::SecretsManager::RotationSchedule for it, with AutomaticallyAfterDays of at most 90",
    controls=("SecretsManager.1", "SecretsManager.4"),
)
def secrets_rotate(template: Template) -> Iterator[Fault]:
    schedules = template.of_type(ROTATION)
    unknown = any(schedule.value("SecretId") is UNKNOWN for schedule in schedules)
    for secret in template.of_type(SECRET):
        found = [
            schedule
            for schedule in schedules
            if secret in template.targets(_id_of(template, schedule.value("SecretId")))
        ]
        if not found and not unknown:
            yield Fault(secret, "nothing rotates it")
    for schedule in schedules:
        days = schedule.value("RotationRules", "AutomaticallyAfterDays")
        rate = RATE.fullmatch(text(schedule.value("RotationRules", "ScheduleExpression")) or "")
        period = (
            number(days) if days is not None else (int(rate[1]) / (24 if rate[2] == "hour" else 1)) if rate else None
        )
        if period is not None and period > LONGEST_ROTATION_DAYS:
            yield Fault(schedule, f"it rotates every {period:.0f} days")
        if not schedule.has("RotationRules"):
            yield Fault(schedule, "RotationRules is not set")


def _id_of(template: Template, value: object) -> object:
    """A secret may be named through its attachment to a database."""
    attachment = template.target(value, "AWS::SecretsManager::SecretTargetAttachment")
    return attachment.value("SecretId") if attachment else value


@rule(
    id="DATA-61",
    title="Secrets do not stand in the template",
    why="Templates are kept in repositories, pipelines and the console, for everyone who may describe the stack",
    mend="Let GenerateSecretString make the secret, or set its value outside, and no password in a plain parameter",
)
def secrets_are_not_written_down(template: Template) -> Iterator[Fault]:
    for secret in template.of_type(SECRET):
        for value in secret.values("SecretString"):
            if is_known(value) and value:
                yield Fault(secret, "SecretString is written in the template")
    for parameter in template.of_type("AWS::SSM::Parameter"):
        name, value = text(parameter.value("Name")) or parameter.logical_id, parameter.value("Value")
        if SECRET_NAME.search(name) and is_known(value) and not _is_address(value):
            yield Fault(parameter, f"{shown(name)} is a plain {shown(parameter.value('Type'))}")


def _is_address(value: object) -> bool:
    """The value tells where the secret is, not what it is."""
    return (text(value) or "").startswith(("arn:", "/", "https://", "s3://", "{{resolve:"))


@rule(
    id="DATA-62",
    title="Secrets are encrypted with a key of yours where the template has one",
    why="With AWS's key, the secret's policy alone decides who reads it",
    mend="Set KmsKeyId",
)
def secrets_are_encrypted(template: Template) -> Iterator[Fault]:
    if uses_own_keys(template):
        for secret in template.of_type(SECRET):
            yield from (Fault(secret, detail) for detail in failing(Part.of(secret), "KmsKeyId", own_key))
