"""What a single-fault mutation does to a template, in the ways that people break them.

An operator changes one place of one resource and answers whether it changed anything. It does not know which places
matter: that is the table's.
"""

from collections.abc import Callable
from typing import Any

from benchmarks.mutation.places import Place

Template = dict[str, Any]
Operator = Callable[[Place], bool]

GONE = object()


def remove(place: Place) -> bool:
    """The property is left out."""
    place.remove()
    return True


def flip(place: Place) -> bool:
    """True becomes false, false becomes true."""
    if not isinstance(place.value, bool):
        return False
    place.put(not place.value)
    return True


def empty(place: Place) -> bool:
    """A list or mapping loses what it holds."""
    if not place.value:
        return False
    place.put(type(place.value)())
    return True


def put(value: object) -> Operator:
    """Another value is written."""

    def operator(place: Place) -> bool:
        if place.value == value:
            return False
        place.put(value)
        return True

    return operator


def without(*names: str) -> Operator:
    """A mapping loses all of these, which stand in for one another."""

    def operator(place: Place) -> bool:
        return put({name: value for name, value in place.value.items() if name not in names})(place)

    return operator


def opened(principal: str, *conditions: str) -> Operator:
    """A permission is given to another principal, and no longer under these conditions."""

    def operator(place: Place) -> bool:
        kept = {name: value for name, value in place.value.items() if name not in conditions}
        return put(kept | {"Principal": principal})(place)

    return operator


def replace(old: str, new: str) -> Operator:
    """A part of a text is exchanged, inside of intrinsic functions too."""

    def operator(place: Place) -> bool:
        changed = _replaced(place.value, old, new)
        if changed == place.value:
            return False
        place.put(changed)
        return True

    return operator


def _replaced(value: Any, old: str, new: str) -> Any:
    if isinstance(value, str):
        return value.replace(old, new)
    if isinstance(value, list):
        return [_replaced(item, old, new) for item in value]
    if isinstance(value, dict):
        return {name: _replaced(item, old, new) for name, item in value.items()}
    return value


def retag(tag: str) -> Operator:
    """A container image is asked for by another tag, or by none where the tag is empty."""

    def operator(place: Place) -> bool:
        if not isinstance(place.value, str) or "/" not in place.value:
            return False
        repository = place.value.split("@")[0].rsplit(":", 1)[0]
        return put(f"{repository}:{tag}" if tag else repository)(place)

    return operator


def keep_only(name: str, value: object) -> Operator:
    """A list of mappings keeps only the elements that hold this value."""

    def operator(place: Place) -> bool:
        return put([item for item in place.value if item.get(name) == value])(place)

    return operator


def delete_resource(template: Template, logical_id: str) -> bool:
    """The resource goes, and with it what refers to it, as far as the template can do without: it stays deployable."""
    for section in ("Resources", "Outputs"):
        entries = template.get(section, {})
        entries.pop(logical_id, None)
        for name in list(entries):
            pruned = _pruned(entries[name], logical_id)
            if pruned is GONE:
                del entries[name]
            else:
                entries[name] = pruned
    return True


def _refers(value: dict[str, Any], logical_id: str) -> bool:
    if value.get("Ref") == logical_id:
        return True
    attribute = value.get("Fn::GetAtt")
    if (
        attribute is not None
        and (attribute if isinstance(attribute, str) else attribute[0]).split(".")[0] == logical_id
    ):
        return True
    return any(name in value and mentions(value[name], logical_id) for name in ("Fn::Join", "Fn::Sub", "Fn::Select"))


def mentions(value: Any, logical_id: str) -> bool:
    """The value refers to the resource, anywhere inside of it."""
    if isinstance(value, str):
        return f"${{{logical_id}}}" in value or f"${{{logical_id}." in value
    if isinstance(value, list):
        return any(mentions(item, logical_id) for item in value)
    if not isinstance(value, dict):
        return False
    return _refers(value, logical_id) or any(mentions(item, logical_id) for item in value.values())


def _pruned(value: Any, logical_id: str) -> Any:
    """The value without what refers to the resource; what is left empty by that goes too."""
    if isinstance(value, dict):
        if _refers(value, logical_id):
            return GONE
        kept = {name: _pruned(item, logical_id) for name, item in value.items() if name != "DependsOn"}
        kept |= {"DependsOn": _others(value["DependsOn"], logical_id)} if "DependsOn" in value else {}
        kept = {name: item for name, item in kept.items() if item is not GONE}
        return GONE if value and not kept else kept
    if isinstance(value, list):
        items = [item for item in (_pruned(item, logical_id) for item in value) if item is not GONE]
        return GONE if value and not items else items
    return value


def _others(depends_on: str | list[str], logical_id: str) -> list[str]:
    names = [depends_on] if isinstance(depends_on, str) else depends_on
    return [name for name in names if name != logical_id]
