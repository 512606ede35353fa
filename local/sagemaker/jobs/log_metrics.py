"""Metrics in a job's log: what the expressions of its MetricDefinitions find. Knows text; nothing of jobs."""

import math
import re


def values(expression: str, text: str) -> list[float]:
    """The numbers that an expression finds, in their order: its first group where it has one, else the whole match."""
    found = re.findall(expression, text, re.MULTILINE)
    numbers = [_number(match[0] if isinstance(match, tuple) else match) for match in found]
    return [number for number in numbers if number is not None]


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
