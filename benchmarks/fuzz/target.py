"""What is fuzzed: a parser behind one function of bytes, with good examples to begin from. Knows no parser."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum


class Outcome(Enum):
    """How a parser may end. Whatever it raises instead is a crash."""

    ANSWERED = "answered"
    REFUSED = "refused"


class BrokenPromiseError(Exception):
    """A parser ended as it may, but with something that no client should be sent."""


def promise(holds: bool, broken: str) -> None:
    """Raise BrokenPromiseError unless it holds."""
    if not holds:
        raise BrokenPromiseError(broken)


@dataclass(frozen=True, kw_only=True)
class Target:
    """`run` takes the bytes to their end. It raises BrokenPromiseError where what comes out is not as promised."""

    name: str
    seeds: tuple[bytes, ...]
    run: Callable[[bytes], Outcome]
    share: int = 20
    """Of all executions, beside the shares of other targets: one that starts a container each time has a small one."""
