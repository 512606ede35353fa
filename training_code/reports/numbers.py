"""Numbers as a report writes them."""

from __future__ import annotations

from collections.abc import Sequence


def share(value: float) -> str:
    """0.123 as 12.3 %."""
    return f"{100 * value:.1f}%"


def score(value: float) -> str:
    """Three digits: a test set of some thousand rows tells no more."""
    return f"{value:.3f}"


def scored(value: float, interval: Sequence[float]) -> str:
    """A score with its interval."""
    low, high = interval
    return f"{value:.3f} ({low:.3f} to {high:.3f})"


def seconds(value: float) -> str:
    """As a person would say it."""
    if value < 90:
        return f"{value:.1f} s"
    if value < 5400:
        return f"{value / 60:.0f} min"
    return f"{value / 3600:.1f} h"


def dollars(value: float) -> str:
    """Cents, and below a cent two digits that say something."""
    return f"${value:,.2f}" if value >= 0.01 or value == 0 else f"${value:.2g}"


def size(value: float) -> str:
    """Bytes."""
    return f"{value / 1e6:.1f} MB" if value >= 1e5 else f"{value / 1e3:.1f} kB"
