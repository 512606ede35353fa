"""Properties that ministack's CloudFormation drops, put in place through its own services after create and update.

A file per service; each has a test that reads every property back. This module knows how a repair is hung onto a
type, not what it repairs.
"""

from collections.abc import Callable

from local.aws import seams
from local.aws.seams import Created, Properties, ResourceType

Repair = Callable[[str, Properties, Properties], None]
Guard = Callable[[str, Properties], None]
Rewrite = Callable[[Properties], Properties]


class Repaired:
    """ministack's own type with something done after each create and update, and before each delete."""

    def __init__(self, native: ResourceType, repair: Repair, before_delete: Guard | None = None) -> None:
        self._native = native
        self._repair = repair
        self._before_delete = before_delete

    def create(self, logical_id: str, properties: Properties, stack: str) -> Created:
        """As ministack does, then the repair; a resource that cannot be repaired does not stay."""
        physical_id, attributes = self._native.create(logical_id, properties, stack)
        try:
            self._repair(physical_id, {}, properties)
        except Exception:
            self._native.delete(physical_id, properties)
            raise
        return physical_id, attributes

    def update(self, physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str) -> Created:
        """As ministack does, then the repair of the properties that it dropped again."""
        new_id, attributes = self._native.update(physical_id, old, new, stack, logical_id)
        self._repair(new_id, old if new_id == physical_id else {}, new)
        return new_id, attributes

    def delete(self, physical_id: str, properties: Properties) -> None:
        """As ministack does, unless AWS would refuse."""
        if self._before_delete:
            self._before_delete(physical_id, properties)
        self._native.delete(physical_id, properties)


class Rewritten:
    """ministack's own type, told the properties in the words that it stores."""

    def __init__(self, native: ResourceType, rewrite: Rewrite) -> None:
        self._native = native
        self._rewrite = rewrite

    def create(self, logical_id: str, properties: Properties, stack: str) -> Created:
        """As ministack does."""
        return self._native.create(logical_id, self._rewrite(properties), stack)

    def update(self, physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str) -> Created:
        """As ministack does."""
        return self._native.update(physical_id, self._rewrite(old), self._rewrite(new), stack, logical_id)

    def delete(self, physical_id: str, properties: Properties) -> None:
        """As ministack does."""
        self._native.delete(physical_id, properties)


def repair(resource_type: str, how: Repair, before_delete: Guard | None = None) -> str:
    """Hang a repair onto a type; returns the type, which from now on must run on a worker thread."""
    seams.register_resource(resource_type, Repaired(seams.resource(resource_type), how, before_delete))
    return resource_type
