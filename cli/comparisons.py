"""A run's comparison of candidates: found in the lake, and as tables.

Responsible for `reports/RUN/comparison/comparison.json`, as the comparison job writes it. It judges nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from cli.connection import Connection
from cli.render import print_table, say, seconds

Comparison = dict[str, Any]


def comparison_of(connection: Connection, run: str) -> Comparison | None:
    """What the run compared; None for a run that compared nothing, or whose report is gone."""
    client = connection.client("s3")
    key = f"reports/{run}/comparison/comparison.json"
    try:
        body = client.get_object(Bucket=connection.output("data-lake", "LakeBucket"), Key=key)["Body"].read()
    except client.exceptions.NoSuchKey:
        return None
    found: Comparison = json.loads(body)
    return found


def scores_only(comparison: Comparison) -> Comparison:
    """Without what customers wrote, which stays in the lake."""
    return {name: value for name, value in comparison.items() if name not in ("worst_mistakes", "conflicts")}


def comparison_tables(comparison: Mapping[str, Any]) -> None:
    """All candidates on the same test rows, best first, and what the champion is against the model before it."""
    champion = comparison.get("champion")
    say(f"Candidates on the same {comparison.get('test_rows')} test rows; the champion is {champion}:")
    candidates = sorted(comparison.get("candidates", []), key=_macro_f1, reverse=True)
    print_table(
        (
            *("candidate", "macro-F1", "95 % interval", "accuracy", "negative recall"),
            *("calibration error", "trained in", "$ to train", "$ per million"),
        ),
        [_row(candidate, champion) for candidate in candidates if candidate.get("status") == "scored"],
    )
    for candidate in candidates:
        if candidate.get("status") != "scored":
            say(f"{candidate['name']} was not scored: {candidate.get('reason', 'no reason was given')}")
    against = comparison.get("against_current")
    if against:
        say(_against_current(against))


def _macro_f1(candidate: Mapping[str, Any]) -> float:
    return float(candidate.get("metrics", {}).get("macro_f1", -1.0))


def _row(candidate: Mapping[str, Any], champion: str | None) -> tuple[object, ...]:
    metrics, cost = candidate["metrics"], candidate.get("cost", {})
    interval = metrics.get("macro_f1_interval")
    took = cost.get("training_seconds")
    return (
        f"{candidate['name']} *" if candidate["name"] == champion else candidate["name"],
        metrics.get("macro_f1"),
        f"{interval[0]:.3f} to {interval[1]:.3f}" if interval else None,
        metrics.get("accuracy"),
        metrics.get("negative_recall"),
        metrics.get("calibration_error"),
        seconds(took) if took is not None else None,
        _dollars(cost.get("training_dollars")),
        _dollars(cost.get("dollars_per_million")),
    )


def _dollars(amount: float | None) -> str | None:
    return None if amount is None else f"{amount:.4f}" if amount < 0.1 else f"{amount:.2f}"


def _against_current(against: Mapping[str, Any]) -> str:
    if against.get("note"):
        return f"Against the approved model: {against['note']}"
    found = against["macro_f1"]
    return (
        f"Against the approved model {against['model_version']} on {against['rows']} rows that both know: macro-F1 "
        f"{found['difference']:+.3f} (95 % interval {found['low']:+.3f} to {found['high']:+.3f})."
    )
