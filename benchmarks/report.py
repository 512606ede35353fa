"""How every benchmark prints: a table for people, and with ``--json`` one JSON object on the last line."""

import argparse
import json
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

Value = str | int | float | bool


def arguments(description: str) -> argparse.ArgumentParser:
    """A parser that already knows ``--json``."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object on the last line")
    return parser


def show(title: str, rows: Sequence[Mapping[str, Value]], *, note: str = "") -> None:
    """Print the rows as a table; all rows have the keys of the first."""
    table = Table(title=title, caption=note or None)
    for name in rows[0]:
        table.add_column(name, justify="left" if isinstance(rows[0][name], str) else "right")
    for row in rows:
        table.add_row(*(f"{value:,.3f}" if isinstance(value, float) else str(value) for value in row.values()))
    Console().print(table)


def finish(as_json: bool, result: Mapping[str, object]) -> None:
    """The last line of a benchmark that was asked for JSON."""
    if as_json:
        print(json.dumps(result))


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile of the values, ``share`` in 0..1."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered)) - 1))]
