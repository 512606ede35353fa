"""The features job: reviews from the lake to training, validation and test rows, and a report of what was dropped.

    python3 -m training_code.features --input DIR --output DIR [--balance undersample] [--max-rows N] [--seed N]

Runs the expressions of `selection` on DuckDB, which works on disk where memory ends. The same input gives the same
rows, the same files and the same fingerprint. Knows nothing of models.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb
import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.parquet as pq
from ibis.backends.duckdb import Backend

from feedback.sentiment import CLASSES, Sentiment
from training_code import review_files, selection
from training_code.failures import JobError, run_job

BALANCES = ("none", "undersample")
LEAST_ROWS_PER_CLASS = 10
ROWS_PER_GROUP = 65_536
SCHEMA = pa.schema(
    [
        pa.field("text_id", pa.string(), nullable=False),
        pa.field("text", pa.string(), nullable=False),
        pa.field("stars", pa.int64(), nullable=False),
        pa.field("sentiment", pa.int64(), nullable=False),
        *(pa.field(name, pa.string()) for name in ("product_id", "category", "channel", "created_at")),
    ]
)
FINGERPRINT_KEY = "fingerprint"


@dataclass(frozen=True, kw_only=True)
class Settings:
    balance: str = "none"
    max_rows: int | None = None
    seed: int = 7


@dataclass(frozen=True, kw_only=True)
class Report:
    """What `features.json` says."""

    files: int
    rows_read: int
    dropped: dict[str, int]
    rows: int
    classes: dict[str, int]
    splits: dict[str, dict[str, int]]
    texts_with_conflicting_stars: int
    characters: dict[str, int]
    fingerprint: str
    columns: dict[str, str]
    settings: Settings


def build_features(source: Path, target: Path, settings: Settings) -> Report:
    """Write the three splits and `features.json` under `target`; JobError when there is nothing to train on."""
    with tempfile.TemporaryDirectory(prefix="earshot-features-") as scratch:
        connection = ibis.duckdb.connect(Path(scratch) / "features.duckdb", temp_directory=scratch)
        try:
            return _build(connection, source, target, settings)
        except duckdb.Error as error:
            first_line = str(error).strip().partition("\n")[0][:300]
            raise JobError(f"The reviews under {source} cannot be read to the end: {first_line}") from error
        finally:
            connection.disconnect()


def _build(connection: Backend, source: Path, target: Path, settings: Settings) -> Report:
    reviews, files = review_files.read(connection, source)
    prepared = connection.create_table("prepared", selection.prepared(reviews))
    usable = prepared.filter(prepared.dropped.isnull()).drop("dropped")
    distinct = connection.create_table("distinct_rows", selection.deduplicated(usable))
    chosen = selection.split(_limited(distinct, settings))
    if settings.balance == "undersample":
        chosen = selection.undersampled(chosen, seed=settings.seed)
    kept = connection.create_table("kept", chosen)

    rows_read, usable_rows, distinct_rows = (int(table.count().execute()) for table in (prepared, usable, distinct))
    limited_rows = min(distinct_rows, settings.max_rows or distinct_rows)
    rows = int(kept.count().execute())
    splits = _counts_per_split(kept)
    _check_classes(usable_rows, splits)
    fingerprint = _fingerprint(connection, kept)
    for split in selection.SPLITS:
        _write_split(connection, kept, split, target / split / "part-0.parquet", fingerprint)
    lengths = kept.text.length()
    median, high, longest = lengths.quantile(0.5), lengths.quantile(0.95), lengths.max()
    characters = kept.aggregate(median=median, p95=high, longest=longest).to_pyarrow().to_pylist()[0]
    report = Report(
        files=files,
        rows_read=rows_read,
        dropped=_dropped(prepared)
        | {
            "duplicate_text": usable_rows - distinct_rows,
            "over_max_rows": distinct_rows - limited_rows,
            "balancing": limited_rows - rows,
        },
        rows=rows,
        classes={s.label: sum(counts[s.label] for counts in splits.values()) for s in CLASSES},
        splits=splits,
        texts_with_conflicting_stars=_conflicting(usable),
        characters={name: int(value) for name, value in characters.items()},
        fingerprint=fingerprint,
        columns={field.name: str(field.type) for field in SCHEMA},
        settings=settings,
    )
    document = json.dumps(asdict(report), indent=2) + "\n"
    (target / "features.json").write_text(document, encoding="utf-8")
    return report


def _limited(rows: ir.Table, settings: Settings) -> ir.Table:
    if settings.max_rows is None:
        return rows
    return selection.sampled(rows, maximum=settings.max_rows, seed=settings.seed)


def _dropped(prepared: ir.Table) -> dict[str, int]:
    counts = prepared.filter(prepared.dropped.notnull()).group_by("dropped").aggregate(rows=ibis._.count())
    found = {row["dropped"]: int(row["rows"]) for row in counts.to_pyarrow().to_pylist()}
    return {reason: found.get(reason, 0) for reason in ("no_rating", "empty_text")}


def _conflicting(usable: ir.Table) -> int:
    sentiments = usable.group_by("text_id").aggregate(sentiments=ibis._.sentiment.nunique())
    return int(sentiments.filter(sentiments.sentiments > 1).count().execute())


def _counts_per_split(kept: ir.Table) -> dict[str, dict[str, int]]:
    counts = kept.group_by(["split", "sentiment"]).aggregate(rows=ibis._.count()).to_pyarrow().to_pylist()
    found = {(row["split"], row["sentiment"]): int(row["rows"]) for row in counts}
    return {split: {s.label: found.get((split, int(s)), 0) for s in CLASSES} for split in selection.SPLITS}


def _check_classes(usable_rows: int, splits: dict[str, dict[str, int]]) -> None:
    if usable_rows == 0:
        raise JobError("No review has both a rating of 1 to 5 stars and a text.")
    stars = {Sentiment.NEGATIVE: "1 or 2 stars", Sentiment.NEUTRAL: "3 stars", Sentiment.POSITIVE: "4 or 5 stars"}
    for sentiment in CLASSES:
        label = sentiment.label
        total = sum(counts[label] for counts in splits.values())
        if total < LEAST_ROWS_PER_CLASS:
            raise JobError(
                f"The class '{label}' ({stars[sentiment]}) has {total} usable reviews, and training needs at least "
                f"{LEAST_ROWS_PER_CLASS} of each class."
            )
        empty = next((split for split, counts in splits.items() if counts[label] == 0), None)
        if empty:
            raise JobError(f"The class '{label}' has {total} reviews, so few that none fell into the {empty} rows.")


def _fingerprint(connection: Backend, kept: ir.Table) -> str:
    """sha256 over text_id and sentiment of all rows, sorted by text_id: equal exactly when the labelled rows are."""
    digest = hashlib.sha256()
    for batch in _batches(connection, kept.order_by("text_id").select("text_id", "sentiment")):
        for text_id, sentiment in zip(batch["text_id"].to_pylist(), batch["sentiment"].to_pylist(), strict=True):
            digest.update(f"{text_id} {sentiment}\n".encode())
    return digest.hexdigest()


def _write_split(connection: Backend, kept: ir.Table, split: str, path: Path, fingerprint: str) -> None:
    """The rows of one split, ordered by text_id; the fingerprint of all splits travels in the file's metadata."""
    rows = kept.filter(kept.split == split).order_by("text_id").select(*SCHEMA.names)
    path.parent.mkdir(parents=True, exist_ok=True)
    schema = SCHEMA.with_metadata({FINGERPRINT_KEY: fingerprint})
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for batch in _batches(connection, rows):
            writer.write_table(pa.Table.from_batches([batch]).cast(schema), row_group_size=ROWS_PER_GROUP)


def _batches(connection: Backend, rows: ir.Table) -> Iterator[pa.RecordBatch]:
    """The rows batch by batch. Not by `to_pyarrow_batches`: Ibis 12 calls a method for it that DuckDB 2 has not."""
    yield from connection.con.sql(connection.compile(rows)).to_arrow_reader(ROWS_PER_GROUP)


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="training_code.features", description=__doc__.partition("\n")[0])
    parser.add_argument("--input", type=Path, required=True, help="folder with reviews as parquet, csv or jsonl")
    parser.add_argument(
        "--output", type=Path, required=True, help="folder for train/, validation/, test/, features.json"
    )
    parser.add_argument("--balance", choices=BALANCES, default="none", help="cut the training classes to the smallest")
    parser.add_argument("--max-rows", type=int, default=0, help="keep at most so many reviews; 0 keeps all")
    parser.add_argument("--seed", type=int, default=7, help="which rows a limit or a balance keeps")
    parser.add_argument("--message", type=Path, help="file that becomes the job's exit message on failure")
    return parser.parse_args(argv)


def main(argv: list[str]) -> int:
    arguments = _arguments(argv)

    def job() -> None:
        settings = Settings(balance=arguments.balance, max_rows=arguments.max_rows or None, seed=arguments.seed)
        if settings.max_rows is not None and settings.max_rows < 0:
            raise JobError(f"--max-rows is a number of rows, not {settings.max_rows}.")
        report = build_features(arguments.input, arguments.output, settings)
        print(f"read {report.rows_read} reviews from {report.files} files, kept {report.rows}", flush=True)
        for reason, count in report.dropped.items():
            print(f"dropped {count} for {reason}", flush=True)
        for split, counts in report.splits.items():
            print(f"{split}: " + ", ".join(f"{count} {label}" for label, count in counts.items()), flush=True)
        print(f"fingerprint {report.fingerprint}", flush=True)

    return run_job(job, failure_file=arguments.message)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
