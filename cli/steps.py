"""Numbered steps with their times, for everything that takes long.

Responsible for showing that something goes on: a spinner with the latest line in a terminal, plain lines elsewhere. It
does not know what the steps do.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cli.render import printable, seconds

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status


class Step:
    """A step that is being done."""

    def __init__(self, console: Console, status: Status | None) -> None:
        self._console = console
        self._status = status
        self.result = ""

    def now(self, text: str) -> None:
        """What happens at the moment: replaces the line before in a terminal, is not shown elsewhere."""
        if self._status is not None:
            from rich.text import Text

            self._status.update(Text(printable(text)[: max(20, self._console.width - 8)], style="dim"))

    def say(self, text: str) -> None:
        """A line that stays."""
        self._console.print(f"    {printable(text)}", style="dim", markup=False)


class Steps:
    """A run of steps; `total` shows how many there will be."""

    def __init__(self, console: Console, *, total: int | None = None) -> None:
        self._console = console
        self._total = total
        self._started = time.monotonic()
        self.times: list[tuple[str, float]] = []

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Shows the title, then what was done and how long it took; an error leaves the step marked as failed."""
        number = f"{len(self.times) + 1}/{self._total}" if self._total else f"{len(self.times) + 1}."
        self._console.print(f"[bold cyan]{number}[/] [bold]{title}[/]")
        started = time.monotonic()
        status = self._console.status("", spinner="dots") if self._console.is_terminal else None
        step = Step(self._console, status)
        try:
            if status is not None:
                with status:
                    yield step
            else:
                yield step
        except BaseException:
            self._console.print(f"    [red]failed[/] after {seconds(time.monotonic() - started)}")
            raise
        took = time.monotonic() - started
        self.times.append((title, took))
        result = f"{printable(step.result)}  " if step.result else ""
        self._console.print(f"    {result}({seconds(took)})", markup=False, style="green")

    @property
    def total_seconds(self) -> float:
        return time.monotonic() - self._started
