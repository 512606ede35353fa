"""What is counted of the rows for the report. Knows expressions and numbers; knows no layout.

Every figure is made of counts, in Python, so that it does not depend on an engine's idea of a quantile.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import ibis
import ibis.expr.types as ir

from feedback.sentiment import CLASSES, STARS
from training_code.features.selection import SPLITS

Rows = Callable[[ir.Table], list[dict[str, Any]]]
LARGEST_PRODUCTS = 15
UNKNOWN = "unknown"


def per_split(kept: ir.Table, rows: Rows) -> dict[str, dict[str, int]]:
    counts = rows(kept.group_by(["split", "sentiment"]).aggregate(rows=ibis._.count()))
    found = {(row["split"], row["sentiment"]): int(row["rows"]) for row in counts}
    return {split: {s.label: found.get((split, int(s)), 0) for s in CLASSES} for split in SPLITS}


def conflicting(usable: ir.Table, repeated_ids: ir.Table, rows: Rows) -> int:
    """How many texts have copies of unlike sentiment."""
    several = usable.semi_join(repeated_ids, "text_id")
    sentiments = several.group_by("text_id").aggregate(sentiments=ibis._.sentiment.nunique())
    return int(rows(sentiments.filter(ibis._.sentiments > 1).aggregate(rows=ibis._.count()))[0]["rows"])


def values(kept: ir.Table, column: str, rows: Rows) -> dict[str, int]:
    """Rows for each value of a column, most first."""
    counted = rows(kept.group_by(column).aggregate(rows=ibis._.count()))
    found = Counter({(UNKNOWN if row[column] is None else str(row[column])): int(row["rows"]) for row in counted})
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def lengths(counts: Mapping[str, int]) -> dict[str, int]:
    """Median, 95th percentile and maximum of numbers that were counted by value."""
    ordered = sorted((int(value), rows) for value, rows in counts.items())
    total = sum(rows for _, rows in ordered)

    def at(share: float) -> int:
        seen = 0
        for value, rows in ordered:
            seen += rows
            if seen >= share * total:
                return value
        return 0

    return {"median": at(0.5), "p95": at(0.95), "longest": at(1.0)}


def products(kept: ir.Table, rows: Rows) -> dict[str, Any]:
    """How many products there are, and the most reviewed ones with their mean stars. No input of a model."""
    by_product = kept.filter(kept.product_id.notnull()).group_by("product_id")
    counted = by_product.aggregate(
        rows=ibis._.count(), stars=ibis._.stars.sum(), negative=(ibis._.sentiment == -1).cast("int64").sum()
    )
    total = int(rows(counted.aggregate(products=ibis._.count()))[0]["products"])
    most = rows(counted.order_by([ibis.desc("rows"), "product_id"]).limit(LARGEST_PRODUCTS))
    return {
        "distinct": total,
        "most_reviewed": [
            {
                "product_id": row["product_id"],
                "rows": int(row["rows"]),
                "mean_stars": round(int(row["stars"]) / int(row["rows"]), 2),
                "negative_share": round(int(row["negative"]) / int(row["rows"]), 3),
            }
            for row in most
        ],
    }


def stars(kept: ir.Table, rows: Rows) -> dict[str, int]:
    found = values(kept, "stars", rows)
    return {str(number): found.get(str(number), 0) for number in STARS}


def class_weights(train: Mapping[str, int]) -> dict[str, float]:
    """By which each class counts as much as any other: rows / (classes * rows of the class)."""
    total = sum(train.values())
    return {label: round(total / (len(train) * rows), 6) for label, rows in train.items()}
