"""The optimiser of a tuning job as a subprocess of the training interpreter, which has Optuna.

Knows the conversation (see :mod:`local.sagemaker.builtin.optimiser`); nothing of jobs.
"""

import json
import os
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.sagemaker import builtin
from local.sagemaker.jobs.folder import NOT_INHERITED

MODULE = "local.sagemaker.builtin.optimiser"
END_SECONDS = 5.0


class OptimiserError(Exception):
    """The optimiser ended or answered nonsense; the message is fit for a FailureReason."""


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """One trial: its number, and the values to try, as text."""

    trial: int
    values: Mapping[str, str]


class Optimiser:
    """A conversation, between ``with`` and its end. ``log`` takes what the program has to say beside its answers."""

    def __init__(self, python: Path, plan: Mapping[str, Any], *, log: Path) -> None:
        self._log = log
        inherited = {name: value for name, value in os.environ.items() if not NOT_INHERITED.fullmatch(name)}
        environment = {**inherited, "PYTHONPATH": str(builtin.ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
        with log.open("ab") as sink:
            # It ends with its input, so also where this process is killed.
            self._process = subprocess.Popen(
                [str(python), "-m", MODULE],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=sink,
                env=environment,
                cwd=log.parent,
                text=True,
                encoding="utf-8",
            )
        try:
            self._say(plan)
        except OptimiserError:
            self.__exit__()
            raise

    def __enter__(self) -> "Optimiser":
        return self

    def __exit__(self, *_: object) -> None:
        """End the program."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def ask(self) -> Suggestion:
        """What to try next."""
        answer = self._say({"ask": True})
        values = {name: _text(value) for name, value in answer["values"].items()}
        return Suggestion(trial=answer["trial"], values=values)

    def tell(self, trial: int, value: float | None) -> None:
        """What came of a trial; None where it has no value."""
        self._say({"tell": trial, "value": value})

    def _say(self, said: Mapping[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(said) + "\n")
            self._process.stdin.flush()
            answer = json.loads(self._process.stdout.readline())
        except (OSError, ValueError) as error:
            raise OptimiserError(f"the optimiser ended: {self._last_line()}") from error
        if not isinstance(answer, dict):
            raise OptimiserError(f"the optimiser answered {answer!r}")
        return answer

    def _last_line(self) -> str:
        lines = self._log.read_text("utf-8", "replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "without a word")


def _text(value: object) -> str:
    return value if isinstance(value, str) else repr(value)
