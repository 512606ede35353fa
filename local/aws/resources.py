"""What the CloudFormation resource types of this adapter share: names, replacement, comparison. Knows no type."""

from collections.abc import Iterable
from typing import Any
from uuid import uuid4

from local.aws import seams
from local.aws.seams import Properties


def changed(old: Properties, new: Properties) -> set[str]:
    """The properties that differ between two versions of a resource."""
    return {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}


def refuse_custom_name_replacement(name: Any, old: Properties, new: Properties, property_name: str) -> None:
    """CloudFormation creates before it deletes, so a resource with a fixed name cannot be replaced under that name."""
    if new.get(property_name) and old.get(property_name) == new.get(property_name):
        raise ValueError(
            "CloudFormation cannot update a stack when a custom-named resource requires replacing. "
            f"Rename {name} and update the stack again."
        )


def begin_replacement() -> None:
    """Generated names differ from here on, so that old and new can stand beside each other."""
    seams.draw_new_physical_name(uuid4().hex[:8])


def tags_of(properties: Properties) -> dict[str, str]:
    """A template's tags by key."""
    tags: Iterable[dict[str, str]] = properties.get("Tags") or ()
    return {tag["Key"]: str(tag["Value"]) for tag in tags}
