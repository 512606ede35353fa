"""One line of the table: what was measured, on both sides, and whether the goal is reached.

Knows the table's form; knows nothing of how a figure came about.
"""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.report import Value

NOT_COMPARED = "-"


@dataclass(frozen=True, kw_only=True)
class Goal:
    """A bound on the ratio, or on our figure itself where there is nothing to divide by."""

    bound: float
    is_least: bool
    unit: str = ""

    @classmethod
    def times(cls, bound: float) -> Goal:
        """Our side is at least so many times better."""
        return cls(bound=bound, is_least=True, unit="x")

    @classmethod
    def at_least(cls, bound: float, unit: str = "") -> Goal:
        return cls(bound=bound, is_least=True, unit=unit)

    @classmethod
    def at_most(cls, bound: float, unit: str = "") -> Goal:
        return cls(bound=bound, is_least=False, unit=unit)

    def is_reached(self, value: float) -> bool:
        return value >= self.bound if self.is_least else value <= self.bound

    def __str__(self) -> str:
        return f"{'>=' if self.is_least else '<='} {_number(self.bound)}{_spaced(self.unit)}"


@dataclass(frozen=True, kw_only=True)
class Measure:
    """`baseline` and `ours` are in `unit`; `ratio` says how many times better ours is, by wall clock and CPU seconds.

    The goal is about `ratio` where there is one, else about `ours`. No goal: the figure is stated.
    """

    name: str
    ours: float
    unit: str
    baseline: float | None = None
    ratio: float | None = None
    cpu_ratio: float | None = None
    goal: Goal | None = None
    note: str = ""

    @property
    def is_reached(self) -> bool | None:
        if self.goal is None:
            return None
        return self.goal.is_reached(self.ours if self.ratio is None else self.ratio)

    def row(self) -> dict[str, Value]:
        """As the table shows it: texts, so that every line has its own unit and digits."""
        return {
            "measure": self.name,
            "baseline": NOT_COMPARED if self.baseline is None else f"{_number(self.baseline)}{_spaced(self.unit)}",
            "ours": f"{_number(self.ours)}{_spaced(self.unit)}",
            "ratio": NOT_COMPARED if self.ratio is None else f"{self.ratio:.2f}x",
            "by CPU": NOT_COMPARED if self.cpu_ratio is None else f"{self.cpu_ratio:.2f}x",
            "goal": str(self.goal or "stated"),
            "reached": {True: "yes", False: "NO", None: ""}[self.is_reached],
        }

    def document(self) -> dict[str, object]:
        """As JSON says it."""
        return {
            "measure": self.name,
            "unit": self.unit,
            "baseline": self.baseline,
            "ours": self.ours,
            "ratio": self.ratio,
            "cpu_ratio": self.cpu_ratio,
            "goal": str(self.goal) if self.goal else None,
            "reached": self.is_reached,
            "note": self.note,
        }


def _number(value: float) -> str:
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    digits = 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 4
    return f"{value:.{digits}f}"


def _spaced(unit: str) -> str:
    return unit if unit in ("", "x", "%") else f" {unit}"
