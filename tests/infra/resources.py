"""Finding what a test looks at in a template's resources."""

from collections.abc import Mapping
from typing import Any


def of_type(resources: Mapping[str, Any], type_: str, holding: str = "") -> dict[str, Any]:
    """The only resource of that type whose logical id holds the word; its properties."""
    (found,) = (each for id_, each in resources.items() if each["Type"] == type_ and holding in id_)
    properties: dict[str, Any] = found["Properties"]
    return properties
