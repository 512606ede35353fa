"""Runs the selection on an engine and writes rows and `features.json`. Knows no command line and no layout."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, get_args

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from feedback.sentiment import CLASSES, Sentiment
from training_code.failures import JobError
from training_code.features import facts, files, near_duplicates, rows, selection
from training_code.features.files import Group
from training_code.features.selection import EmptyRule
from training_code.features.texts import LONGEST_TEXT

Balance = Literal["none", "undersample", "weights"]
BALANCES: tuple[str, ...] = get_args(Balance)
EngineName = Literal["duckdb", "spark"]
ENGINES: tuple[str, ...] = get_args(EngineName)
NearDuplicates = Literal["drop", "keep"]
NEAR_DUPLICATES: tuple[str, ...] = get_args(NearDuplicates)
LEAST_ROWS_PER_CLASS = 10


@dataclass(frozen=True, kw_only=True)
class Settings:
    balance: Balance = "none"
    max_rows: int | None = None
    seed: int = 7
    empty: EmptyRule = "drop"
    near_duplicates: NearDuplicates = "drop"
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Report:
    """What `features.json` says."""

    files: int
    rows_read: int
    dropped: dict[str, int]
    rows: int
    classes: dict[str, int]
    class_weights: dict[str, float] | None
    splits: dict[str, dict[str, int]]
    texts_with_conflicting_stars: int
    texts_cut: dict[str, int]
    stars: dict[str, int]
    characters: dict[str, int]
    words: dict[str, int]
    languages: dict[str, int]
    categories: dict[str, int]
    channels: dict[str, int]
    age_bands: dict[str, int]
    products: dict[str, Any]
    fingerprint: str
    columns: dict[str, str]
    settings: Settings
    words_counted: dict[str, int]
    """How many texts have how many words, for the figure."""


class Engine(Protocol):
    """What runs expressions: reads files, keeps tables, hands out rows."""

    name: str

    def read(self, group: Group) -> ir.Table: ...
    def store(self, name: str, rows: ir.Table) -> ir.Table: ...
    def forget(self, name: str) -> None: ...
    def batches(self, rows: ir.Table) -> Iterator[pa.RecordBatch]: ...
    def failure(self, error: Exception) -> JobError | None: ...
    def close(self) -> None: ...


def build_features(source: Path, target: Path, settings: Settings, *, engine: EngineName = "duckdb") -> Report:
    """Write the three splits and `features.json` under `target`; JobError when there is nothing to train on."""
    with tempfile.TemporaryDirectory(prefix="earshot-features-", ignore_cleanup_errors=True) as scratch:
        groups = files.groups(source, named=settings.columns, scratch=Path(scratch))
        with _running(engine, Path(scratch), source) as running:
            report = _build(running, groups, target, settings)
    (target / "features.json").write_text(json.dumps(asdict(report), indent=2) + "\n", encoding="utf-8")
    return report


@contextmanager
def _running(name: EngineName, scratch: Path, source: Path) -> Iterator[Engine]:
    engine = _engine(name, scratch)
    try:
        yield engine
    except JobError:
        raise
    except Exception as error:
        failure = engine.failure(error)
        if failure is None:
            raise
        raise JobError(f"The reviews under {source} cannot be read to the end: {failure}") from error
    finally:
        engine.close()


def _engine(name: EngineName, scratch: Path) -> Engine:
    # Either engine's libraries may be missing where the other runs.
    if name == "spark":
        from training_code.features.spark import SparkEngine

        return SparkEngine(scratch)
    from training_code.features.duck import DuckEngine

    return DuckEngine(scratch)


def _build(engine: Engine, groups: list[Group], target: Path, settings: Settings) -> Report:
    def found(table: ir.Table) -> list[dict[str, Any]]:
        return [row for batch in engine.batches(table) for row in batch.to_pylist()]

    def count(table: ir.Table) -> int:
        return int(found(table.aggregate(rows=ibis._.count()))[0]["rows"])

    prepared = engine.store("prepared", selection.prepared(_reviews(engine, groups), empty=settings.empty))
    reasons = facts.values(prepared.select(dropped=prepared.dropped.fill_null("")), "dropped", found)
    usable = prepared.filter(prepared.dropped.isnull()).drop("dropped")
    usable_rows = reasons.pop("", 0)
    repeated = engine.store("repeated", selection.repeated(usable))
    alone = selection.alone(usable, repeated)
    chosen = engine.store("chosen", selection.chosen(usable, repeated))
    distinct = ibis.union(alone, chosen)
    distinct_rows = count(distinct)
    _check_texts(usable_rows, distinct_rows)
    different = distinct
    if settings.near_duplicates == "drop":
        superfluous = engine.store("superfluous", near_duplicates.superfluous(distinct, engine.store))
        different = distinct.anti_join(superfluous, "text_id")
    different_rows = count(different)

    limited = different
    if settings.max_rows is not None:
        limited = selection.sampled(different, maximum=settings.max_rows, seed=settings.seed)
    limited_rows = min(different_rows, settings.max_rows or different_rows)
    balanced = selection.split(limited)
    if settings.balance == "undersample":
        balanced = selection.undersampled(balanced, seed=settings.seed)
    kept = engine.store("kept", selection.described(balanced))

    conflicts = facts.conflicting(usable, repeated, found)
    splits = facts.per_split(kept, found)
    _check_classes(usable_rows, splits)
    total = sum(sum(counts.values()) for counts in splits.values())
    fingerprint = rows.fingerprint(engine.batches(kept.select("text_id", "sentiment").order_by("text_id")))
    for split in selection.SPLITS:
        of_split = kept.filter(kept.split == split).select(*rows.SCHEMA.names).order_by("text_id")
        rows.write(engine.batches(of_split), target / split / "part-0.parquet", fingerprint=fingerprint)
    characters = facts.values(kept.select(characters=kept.text.length()), "characters", found)
    words = facts.values(kept, "words", found)
    return Report(
        files=sum(len(group.paths) for group in groups),
        rows_read=usable_rows + sum(reasons.values()),
        dropped={reason: reasons.get(reason, 0) for reason in ("no_rating", "empty_text")}
        | {
            "duplicate_text": usable_rows - distinct_rows,
            "near_duplicate": distinct_rows - different_rows,
            "over_max_rows": different_rows - limited_rows,
            "balancing": limited_rows - total,
        },
        rows=total,
        classes={s.label: sum(counts[s.label] for counts in splits.values()) for s in CLASSES},
        class_weights=facts.class_weights(splits["train"]) if settings.balance == "weights" else None,
        splits=splits,
        texts_with_conflicting_stars=conflicts,
        texts_cut={
            "at_characters": LONGEST_TEXT,
            "texts": sum(count for size, count in characters.items() if int(size) >= LONGEST_TEXT),
        },
        stars=facts.stars(kept, found),
        characters=facts.lengths(characters),
        words=facts.lengths(words),
        languages=facts.values(kept, "language", found),
        categories=facts.values(kept, "category", found),
        channels=facts.values(kept, "channel", found),
        age_bands=facts.values(kept, "age_band", found),
        products=facts.products(kept, found),
        fingerprint=fingerprint,
        columns={field.name: str(field.type) for field in rows.SCHEMA},
        settings=settings,
        words_counted=dict(sorted(words.items(), key=lambda item: int(item[0]))),
    )


def _reviews(engine: Engine, groups: list[Group]) -> ir.Table:
    """The required columns and the optional ones, null where the files have none; all as strings."""
    tables = []
    for group in groups:
        table = engine.read(group)
        selected = {
            name: table[group.columns[name]].cast("string") if name in group.columns else ibis.null("string")
            for name in (*selection.REQUIRED, *selection.OPTIONAL)
        }
        tables.append(table.select(**selected))
    return ibis.union(*tables) if len(tables) > 1 else tables[0]


def _check_texts(usable_rows: int, distinct_rows: int) -> None:
    if usable_rows == 0:
        raise JobError("No review has both a rating of 1 to 5 stars and a text.")
    if distinct_rows == 1 and usable_rows > 1:
        raise JobError(f"All {usable_rows} usable reviews say the same, so there is nothing to tell apart.")


def _check_classes(usable_rows: int, splits: Mapping[str, Mapping[str, int]]) -> None:
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
