"""The lock of stateful resources: what every stage has, in `stateful.lock.json`, and what a change of it would lose.

    python -m tests.upgrades lock --reason "why this is wanted"

Knows the file and the comparison. Does not know how templates are made.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.upgrades.stateful import Stateful

LOCK = Path(__file__).with_name("stateful.lock.json")

Stacks = Mapping[str, Mapping[str, Stateful]]
"""Stateful resources by stack and logical id."""

_KEEPING = {"Retain", "RetainExceptOnCreate", "Snapshot"}


def losses(before: Stacks, now: Stacks) -> list[str]:
    """What would be lost or left behind, one sentence each: what it is, and why."""
    return [
        sentence
        for stack, resources in before.items()
        for logical_id, old in resources.items()
        for sentence in _losses_of(f"{stack}/{logical_id} ({old.type})", old, now.get(stack, {}).get(logical_id))
    ]


def unlocked(before: Stacks, now: Stacks) -> list[str]:
    """Resources that hold state and are not in the lock yet."""
    return [
        f"{stack}/{logical_id} ({resource.type})"
        for stack, resources in now.items()
        for logical_id, resource in resources.items()
        if logical_id not in before.get(stack, {})
    ]


def _losses_of(name: str, old: Stateful, new: Stateful | None) -> Iterator[str]:
    if new is None:
        end = "is left behind without an owner" if old.deletion_policy in _KEEPING else "is deleted with what it holds"
        yield f"{name} is gone from the template: it {end}"
        return
    if new.type != old.type:
        yield f"{name} becomes an {new.type}: CloudFormation refuses that"
    for path in sorted({*old.create_only, *new.create_only}):
        if old.create_only.get(path) != new.create_only.get(path):
            yield (
                f"{name} is replaced by an empty one: {path} can only be set at creation, "
                f"and goes from {_short(old.create_only.get(path))} to {_short(new.create_only.get(path))}"
            )
    policies = {
        "DeletionPolicy": (old.deletion_policy, new.deletion_policy),
        "UpdateReplacePolicy": (old.update_replace_policy, new.update_replace_policy),
    }
    for policy, (was, is_) in policies.items():
        if was in _KEEPING and is_ not in _KEEPING:
            yield f"{name} is no longer kept: {policy} goes from {was} to {is_}"


def _short(value: Any) -> str:
    return "a name that CloudFormation chooses" if value is None else json.dumps(value, sort_keys=True)


def read() -> dict[str, dict[str, dict[str, Stateful]]]:
    """The locked resources by stage, stack and logical id."""
    return {
        stage: {
            stack: {logical_id: Stateful(**resource) for logical_id, resource in resources.items()}
            for stack, resources in stacks.items()
        }
        for stage, stacks in json.loads(LOCK.read_text(encoding="utf-8"))["stages"].items()
    }


def write(stages: Mapping[str, Stacks], *, day: str, reason: str) -> list[str]:
    """Lock what is there now; what that gives up is written down beside the reason, and returned."""
    document: dict[str, Any] = json.loads(LOCK.read_text(encoding="utf-8")) if LOCK.exists() else {"changes": []}
    before = read() if LOCK.exists() else {}
    given_up = [f"{stage}/{loss}" for stage, stacks in before.items() for loss in losses(stacks, stages[stage])]
    document["changes"].append({"date": day, "reason": reason, "gives_up": given_up})
    document["stages"] = {
        stage: {
            stack: {logical_id: resource.as_json() for logical_id, resource in resources.items()}
            for stack, resources in stacks.items()
        }
        for stage, stacks in stages.items()
    }
    LOCK.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return given_up
