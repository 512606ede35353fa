"""Reviews for the tests of the features job, and how it is run."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

OPINIONS = {
    1: "broke at once and smells of glue",
    2: "is rather poor for what it costs",
    3: "is fine and no more than that",
    4: "is quite nice on a warm day",
    5: "is simply lovely in every way",
}
THINGS = ("coat", "scarf", "skirt", "blouse", "cardigan", "jumper", "robe")
PLACES = (
    "office",
    "garden",
    "beach",
    "wedding",
    "train",
    "theatre",
    "mountain",
    "kitchen",
    "market",
    "library",
    "lake",
)


def reviews(count: int = 300) -> list[dict[str, Any]]:
    """Distinct reviews of unlike words."""
    return [
        {
            "review_id": f"r{number:04d}",
            "title": f"My {THINGS[number % 7]} {number}" if number % 3 else None,
            "text": f"The {THINGS[number % 7]} for the {PLACES[number % 11]} {OPINIONS[number % 5 + 1]}, {number}",
            "rating": number % 5 + 1,
            "product_id": f"p{number % 7}",
            "category": "Dresses" if number % 2 else None,
            "channel": "web",
            "created_at": "2026-01-02T03:04:05Z",
            "customer_age": (17, 18, 30, 64, 65, None)[number % 6],
        }
        for number in range(count)
    ]


def long_text(number: int) -> str:
    return f"review {number} " + " ".join(f"word{number}x{place}" for place in range(50))


def write_csv(
    path: Path, rows: list[dict[str, Any]], *, delimiter: str = ",", names: dict[str, str] | None = None
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    opener: Any = gzip.open if path.suffix == ".gz" else open
    renamed = [{(names or {}).get(name, name): value for name, value in row.items()} for row in rows]
    with opener(path, "wt", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(renamed[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(renamed)


def write_lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    opener: Any = gzip.open if path.suffix == ".gz" else open
    with opener(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)


def read_all(target: Path) -> dict[str, dict[str, Any]]:
    """text_id -> row with its split."""
    return {
        row["text_id"]: row | {"split": split}
        for split in ("train", "validation", "test")
        for row in pq.read_table(target / split / "part-0.parquet").to_pylist()
    }
