"""Whether a template works with keys of its owner: where it does, a store that is left out of that is a slip."""

from __future__ import annotations

import re
from functools import lru_cache

from policy.parts import own_key
from policy.template import Resource, Template
from policy.values import walk

KEY_PROPERTY = re.compile(r"(kms|encryption|master).*key|kmskey", re.IGNORECASE)


@lru_cache(maxsize=8)
def uses_own_keys(template: Template) -> bool:
    """The template holds a KMS key, or encrypts something with one that is not AWS's own."""
    if template.of_type("AWS::KMS::Key", "AWS::KMS::ReplicaKey"):
        return True
    return any(_names_a_key(resource) for resource in template.resources.values())


def _names_a_key(resource: Resource) -> bool:
    for value in walk(resource.properties):
        if isinstance(value, dict):
            for name, inner in value.items():
                if KEY_PROPERTY.search(name) and not isinstance(inner, bool | list) and _is_key(resource, inner):
                    return True
    return False


def _is_key(resource: Resource, raw: object) -> bool:
    return any(own_key(value) and not isinstance(value, dict) for value in resource.template.possibilities(raw))
