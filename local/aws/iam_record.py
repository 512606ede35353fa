"""The record of IAM decisions: who asked for what, and whether it was allowed. One JSON object in each line.

A decision that was recorded before is left out, and of the resources that one role asks for with one action only the
first few are kept. Does not know how it was decided.
"""

import json
import threading
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

# An object in S3 is a resource, so there is no end of them.
_RESOURCES_KEPT = 20


@dataclass(frozen=True, kw_only=True)
class Decision:
    """One call: the role's name, the IAM action, the resource's ARN, and whether it was allowed."""

    role: str
    action: str
    resource: str
    allowed: bool


class Record:
    """The file of decisions; it is continued where it is there."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._known = set(read(path))
        self._kept = Counter(_kind(decision) for decision in self._known)

    def note(self, decision: Decision) -> None:
        """Write it down unless it is known; a refusal is also printed, since something will not work now."""
        with self._lock:
            if decision in self._known or self._kept[_kind(decision)] >= _RESOURCES_KEPT:
                return
            self._known.add(decision)
            self._kept[_kind(decision)] += 1
            with self._path.open("a") as file:
                file.write(json.dumps(asdict(decision)) + "\n")
        if not decision.allowed:
            print(f"local AWS: access denied: {decision.role} may not {decision.action} on {decision.resource}")


def read(path: Path) -> list[Decision]:
    """All decisions of a file; a line that was cut off by a kill is left out."""
    if not path.exists():
        return []
    decisions = []
    for line in path.read_text().splitlines():
        try:
            decisions.append(Decision(**json.loads(line)))
        except (ValueError, TypeError):
            continue
    return decisions


def _kind(decision: Decision) -> tuple[str, str, bool]:
    return decision.role, decision.action, decision.allowed
