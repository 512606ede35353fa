"""Rules for KMS keys: they rotate, cannot vanish quickly, and are in use. Who may use them is a matter of `access`."""

from __future__ import annotations

from collections.abc import Iterator

from policy.parts import Part, at_least, at_most_if_set, failing, on
from policy.rule import Fault, rule
from policy.template import Resource, Template
from policy.values import is_false, text

KEY = "AWS::KMS::Key"
LONGEST_ROTATION_DAYS = 365
WAITING_DAYS = 30


def _rotates(key: Resource) -> bool:
    """KMS rotates symmetric keys whose material it made."""
    return (
        text(key.value("KeySpec")) in (None, "SYMMETRIC_DEFAULT")
        and text(key.value("KeyUsage")) in (None, "ENCRYPT_DECRYPT")
        and text(key.value("Origin")) in (None, "AWS_KMS")
    )


@rule(
    id="DATA-30",
    title="Keys rotate every year",
    why="The longer one key encrypts, the more is lost with it",
    mend="Set EnableKeyRotation to true (and RotationPeriodInDays to at most 365)",
    controls=("KMS.4",),
)
def keys_rotate(template: Template) -> Iterator[Fault]:
    for key in template.of_type(KEY):
        if _rotates(key):
            yield from (Fault(key, detail) for detail in failing(Part.of(key), "EnableKeyRotation", on))
            rotation = failing(Part.of(key), "RotationPeriodInDays", at_most_if_set(LONGEST_ROTATION_DAYS))
            yield from (Fault(key, detail) for detail in rotation)


@rule(
    id="DATA-31",
    title="Keys wait thirty days before they are gone",
    why="With the key goes everything that it encrypted; the waiting time is the only way back",
    mend="Set PendingWindowInDays to 30, or leave it out",
    controls=("KMS.3",),
)
def keys_wait_before_they_go(template: Template) -> Iterator[Fault]:
    for key in template.of_type(KEY, "AWS::KMS::ReplicaKey"):
        for detail in failing(
            Part.of(key), "PendingWindowInDays", lambda value: value is None or at_least(WAITING_DAYS)(value)
        ):
            yield Fault(key, detail)


@rule(
    id="DATA-32",
    title="Keys are enabled",
    why="A key that is switched off stops everything that reads or writes with it",
    mend="Leave Enabled out, or set it to true",
)
def keys_are_enabled(template: Template) -> Iterator[Fault]:
    for key in template.of_type(KEY):
        if any(is_false(value) for value in key.values("Enabled")):
            yield Fault(key, "Enabled is false")
