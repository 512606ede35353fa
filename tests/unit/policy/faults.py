"""Single faults for good templates: one value changed or taken out, and the rule that has to notice."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Final

from policy import Finding, Template, check
from policy.reading import read_file

TEMPLATES = Path(__file__).parent / "templates"


class _Gone(Enum):
    GONE = "gone"


GONE: Final = _Gone.GONE


@dataclass(frozen=True)
class Fault:
    """`path` is written `Resource/Key/0/Key` from the properties on; a logical id alone is the whole resource."""

    rule: str
    path: str
    value: Any = GONE
    at: str | None = None

    def __str__(self) -> str:
        return f"{self.rule}: {self.path} {'gone' if self.value is GONE else self.value}"[:90]


def read(name: str) -> dict[str, Any]:
    return read_file(TEMPLATES / name)


def findings(template: dict[str, Any], *, strict: bool = False) -> list[Finding]:
    return check(Template(template, source="test"), strict=strict)


def ids(template: dict[str, Any], *, strict: bool = False) -> set[tuple[str, str]]:
    return {(finding.rule_id, finding.logical_id) for finding in findings(template, strict=strict)}


def broken(good: dict[str, Any], fault: Fault) -> dict[str, Any]:
    """The template with the fault in it."""
    template = copy.deepcopy(good)
    logical_id, *steps = fault.path.split("/")
    if not steps:
        if fault.value is GONE:
            del template["Resources"][logical_id]
        else:
            template["Resources"][logical_id] = fault.value
        return template
    place: Any = template["Resources"][logical_id].setdefault("Properties", {})
    for step in steps[:-1]:
        place = place[int(step)] if isinstance(place, list) else place[step.replace("|", "/")]
    last: Any = int(steps[-1]) if isinstance(place, list) else steps[-1].replace("|", "/")
    if fault.value is GONE:
        del place[last]
    else:
        place[last] = fault.value
    return template


def is_caught(good: dict[str, Any], fault: Fault, *, strict: bool = False) -> bool:
    found = ids(broken(good, fault), strict=strict)
    return any(rule == fault.rule and fault.at in (None, logical_id) for rule, logical_id in found)
