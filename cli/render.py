"""How results look: one JSON document for scripts, tables and sentences for people.

Responsible for stdout and stderr. It does not know where values come from.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, TextIO

from cli.errors import Problem

WIDTH_WITHOUT_TERMINAL = 140

# What one figure says about a model, in the order of reading.
METRICS = ("rows", "accuracy", "macro_f1", "balanced_accuracy", "negative_recall", "calibration_error", "unsure_share")

if TYPE_CHECKING:
    from rich.console import Console


@cache
def console() -> Console:
    """Results for people, on stdout."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=True, width=_width(sys.stdout))


@cache
def error_console() -> Console:
    """Progress of commands whose stdout belongs to a script, and errors."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True, width=_width(sys.stderr))


def _width(stream: TextIO) -> int | None:
    """The terminal's own width; a pipe or a file has none and gets room for a table."""
    return None if stream.isatty() else WIDTH_WITHOUT_TERMINAL


def print_json(value: object) -> None:
    """One JSON document on stdout."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n")


def print_problem(problem: Problem) -> None:
    """One line on stderr, and below it what the problem lists."""
    sys.stderr.write(f"earshot: {problem.message}\n")
    for line in problem.details:
        sys.stderr.write(f"  {line}\n")


def say(text: str, *, style: str | None = None) -> None:
    """A line for people. The text is taken as it is: it may hold what customers wrote."""
    console().print(printable(text), style=style, markup=False)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str | None = None) -> None:
    """A table for people; cells are taken as they are."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for column in columns:
        table.add_column(Text(column), overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(cell(value))) for value in row))
    target = console()
    target.print(table, soft_wrap=False)


def printable(text: str) -> str:
    """Without the control characters that could steer a terminal."""
    return "".join(character if character.isprintable() or character in "\n\t" else " " for character in text)


def cell(value: object) -> str:
    """A value as a person reads it."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.3f}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def seconds(duration: float) -> str:
    """`0.4 s`, `12 s`, `3 min 20 s`."""
    if duration < 10:
        return f"{duration:.1f} s"
    if duration < 120:
        return f"{duration:.0f} s"
    return f"{int(duration) // 60} min {int(duration) % 60} s"


def size(count: float) -> str:
    """A number of bytes as a person reads it."""
    for unit in ("B", "KB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.2f} GB"


def evaluation_tables(evaluation: dict[str, Any]) -> None:
    """Metrics, per class and confusion of one evaluation, as `training_code.metrics` lays them out."""
    names = (
        "rows",
        "accuracy",
        "macro_f1",
        "balanced_accuracy",
        "negative_recall",
        "calibration_error",
        "unsure_share",
    )
    print_table(
        ("metric", "value"), [(name.replace("_", " "), evaluation[name]) for name in names if name in evaluation]
    )
    per_class: dict[str, dict[str, Any]] = evaluation.get("per_class", {})
    if per_class:
        print_table(
            ("class", "precision", "recall", "F1", "rows"),
            [
                (label, found["precision"], found["recall"], found["f1"], found["support"])
                for label, found in per_class.items()
            ],
        )
    confusion: list[list[int]] = evaluation.get("confusion", [])
    if confusion:
        labels = list(per_class) or [str(position) for position in range(len(confusion))]
        answers = [*labels, "unsure"][: len(confusion[0])]
        print_table(
            ("said by the stars", *(f"answered {label}" for label in answers)),
            [(label, *row) for label, row in zip(labels, confusion, strict=False)],
        )
