"""Hyperparameter ranges: checked as AWS checks them, and put as the optimiser takes them. Knows no jobs."""

import math
from collections.abc import Iterator
from typing import Any

from local.sagemaker.errors import validation
from local.sagemaker.shapes import Fields

# Where Auto takes the logarithm: a range over so many powers of ten is one of magnitudes.
MAGNITUDE = 100.0


def plan(ranges: Fields) -> list[dict[str, Any]]:
    """The ranges as the optimiser takes them; ValidationException for one that AWS refuses."""
    found = [*_numeric(ranges, "Integer"), *_numeric(ranges, "Continuous"), *_categorical(ranges)]
    names = [each["name"] for each in found]
    for name in names:
        if names.count(name) > 1:
            raise validation(f"Hyperparameter {name} is in more than one of the parameter ranges.")
    if not found:
        raise validation("At least one hyperparameter range is needed.")
    return found


def combinations(planned: list[dict[str, Any]]) -> int:
    """How many different choices categorical ranges make; ValidationException where there are others."""
    others = [each["name"] for each in planned if each["kind"] != "categorical"]
    if others:
        raise validation(f"Strategy Grid takes categorical parameters only, and {others[0]} is none.")
    return math.prod(len(each["values"]) for each in planned)


def _numeric(ranges: Fields, kind: str) -> Iterator[dict[str, Any]]:
    read: Any = int if kind == "Integer" else float
    for given in ranges.get(f"{kind}ParameterRanges", []):
        name = given["Name"]
        try:
            low, high = read(given["MinValue"]), read(given["MaxValue"])
        except ValueError as error:
            raise validation(f"{kind} parameter {name}: MinValue and MaxValue must be numbers ({error}).") from error
        if not (math.isfinite(low) and math.isfinite(high) and low <= high):
            raise validation(f"{kind} parameter {name}: MinValue {low} must not be above MaxValue {high}.")
        scale = _scale(given.get("ScalingType", "Auto"), kind, name, low, high)
        yield {"name": name, "kind": kind.lower(), "low": low, "high": high, "scale": scale}


def _scale(asked: str, kind: str, name: str, low: float, high: float) -> str:
    if asked == "Auto":
        return "Logarithmic" if low > 0 and high / low >= MAGNITUDE else "Linear"
    if asked == "Logarithmic" and low <= 0:
        raise validation(f"Parameter {name}: logarithmic scaling needs values above 0, and MinValue is {low}.")
    if asked == "ReverseLogarithmic":
        if kind == "Integer":
            raise validation(f"Parameter {name}: reverse logarithmic scaling is for continuous parameters only.")
        if not 0 <= low <= high < 1:
            raise validation(f"Parameter {name}: reverse logarithmic scaling needs values from 0 to below 1.")
    return asked


def _categorical(ranges: Fields) -> Iterator[dict[str, Any]]:
    for given in ranges.get("CategoricalParameterRanges", []):
        values = given["Values"]
        if len(set(values)) != len(values):
            raise validation(f"Categorical parameter {given['Name']} has a value twice.")
        yield {"name": given["Name"], "kind": "categorical", "values": values}
