"""A small features folder, as the features job lays it out."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

WORDS = {-1: ("bad", "awful", "poor"), 0: ("okay", "fine", "average"), 1: ("good", "lovely", "great")}
FILLING = ("dress", "fabric", "order", "sleeve", "colour", "button", "zip")
COUNTS = {"train": 240, "validation": 60, "test": 45}
SCHEMA = pa.schema(
    [
        ("text_id", pa.string()),
        ("text", pa.string()),
        ("stars", pa.int64()),
        ("sentiment", pa.int64()),
        *((name, pa.string()) for name in ("product_id", "category", "channel", "created_at", "language")),
        ("words", pa.int64()),
        ("age_band", pa.string()),
    ]
)


def rows(split: str, count: int | None = None) -> list[dict[str, object]]:
    """A third of each class; the words of a class tell it, and every tenth row says its opposite."""
    made = []
    for number in range(COUNTS[split] if count is None else count):
        sentiment = number % 3 - 1
        told = -sentiment if number % 10 == 9 else sentiment
        word = WORDS[told][number // 3 % 3]
        text = f"The {FILLING[number % 7]} is {word}, {FILLING[number * 3 % 7]} number {number}!"
        made.append(
            {
                "text_id": f"{split}-{number:04d}",
                "text": text,
                "stars": sentiment * 2 + 3,
                "sentiment": sentiment,
                "product_id": f"p{number % 5}",
                "category": ("Dresses", "Tops", None)[number % 3 if number % 4 else 0],
                "channel": ("web", "app")[number // 3 % 2],
                "created_at": "2026-01-02T03:04:05Z",
                "language": "en",
                "words": len(text.split()),
                "age_band": ("25-34", "45-54")[number % 2],
            }
        )
    return made


def write_split(folder: Path, split_rows: list[dict[str, object]], *, name: str = "part-0.parquet") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    table = pa.Table.from_pylist(split_rows, schema=SCHEMA.with_metadata({"fingerprint": "f00d"}))
    pq.write_table(table, folder / name)


def write_features(folder: Path) -> Path:
    for split in COUNTS:
        write_split(folder / split, rows(split))
    return folder
