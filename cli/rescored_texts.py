"""The texts of a rescoring and its answers: objects in the lake, and what differs between before and after.

Responsible for which rows of the lake hold, for the job's input objects, and for matching answers to texts: every id
once and in order. It does not know the job that is between the two.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby, islice
from typing import Any

from cli.connection import Connection
from cli.errors import Problem
from feedback.sentiment import UNSURE

FEEDBACK_PREFIX = "feedback/"
PREFIX = "rescore/"
LINES_PER_PART = 1000
"""A part is an object of the job, and what is held in memory at once; texts have at most 10,000 characters."""

Row = dict[str, Any]


@dataclass(kw_only=True)
class Before:
    """What is rescored: the decided labels by input object, in the order of its lines."""

    parts: list[list[str]] = field(default_factory=list)

    @property
    def texts(self) -> int:
        return sum(map(len, self.parts))


@dataclass(kw_only=True)
class Comparison:
    """Labels before and after."""

    texts: int = 0
    refused: int = 0
    unsure_before: int = 0
    unsure_after: int = 0
    changes: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def changed(self) -> int:
        return self.changes.total()


def written(
    connection: Connection, name: str, *, since: date | None, limit: int | None, note: Callable[[str], None]
) -> Before:
    """Write the job's input objects, newest feedback first."""
    bucket = connection.output("data-lake", "LakeBucket")
    client = connection.client("s3")
    before = Before()
    rows = islice(_classified(connection, since), limit)
    while part := list(islice(rows, LINES_PER_PART)):
        lines = [json.dumps({"id": row["feedback_id"], "text": row["text"]}) + "\n" for row in part]
        client.put_object(Bucket=bucket, Key=_input_key(name, len(before.parts)), Body="".join(lines).encode("ascii"))
        before.parts.append([sys.intern(row["label"]) for row in part])
        note(f"{before.texts} texts")
    return before


def compared(connection: Connection, name: str, before: Before) -> Comparison:
    """Every answer beside what was decided; a Problem where the answers are not those to the texts."""
    comparison = Comparison()
    for number, labels in enumerate(before.parts):
        asked = _lines(connection, _input_key(name, number))
        answers = _lines(connection, _output_key(name, number))
        if [line["id"] for line in asked] != [answer.get("id") for answer in answers]:
            raise Problem(f"The answers in {_output_key(name, number)} are not those to the texts that were asked.")
        for label, answer in zip(labels, answers, strict=True):
            comparison.texts += 1
            comparison.unsure_before += label == UNSURE
            if "error" in answer:
                comparison.refused += 1
                continue
            comparison.unsure_after += answer["label"] == UNSURE
            if answer["label"] != label:
                comparison.changes[label, answer["label"]] += 1
    return comparison


def _classified(connection: Connection, since: date | None) -> Iterator[Row]:
    """The rows that hold, newest first: of several for one feedback, the one that was decided last.

    All rows of one feedback lie under the day on which it was received, so one day at a time is enough to know.
    """
    for _, keys in groupby(_days(connection, since), key=_day_of):
        held: dict[str, Row] = {}
        for key in keys:
            for row in _lines(connection, key):
                known = held.get(row["feedback_id"])
                if known is None or row["decided_at"] >= known["decided_at"]:
                    held[row["feedback_id"]] = row
        newest = sorted(held.values(), key=lambda row: (row["received_at"], row["feedback_id"]), reverse=True)
        yield from (row for row in newest if row["label"] is not None)


def _days(connection: Connection, since: date | None) -> list[str]:
    """Keys of the feedback in the lake, newest day first."""
    bucket = connection.output("data-lake", "LakeBucket")
    pages = connection.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=FEEDBACK_PREFIX)
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", []) if entry["Key"].endswith(".jsonl")]
    first = since.isoformat() if since else ""
    return sorted((key for key in keys if _day_of(key) >= first), reverse=True)


def _day_of(key: str) -> str:
    """The day in `feedback/dt=DAY/...`."""
    return key.removeprefix(FEEDBACK_PREFIX).partition("/")[0].removeprefix("dt=")


def _lines(connection: Connection, key: str) -> list[Row]:
    """The JSON lines of an object in the lake."""
    client = connection.client("s3")
    try:
        body = client.get_object(Bucket=connection.output("data-lake", "LakeBucket"), Key=key)["Body"].read()
    except client.exceptions.NoSuchKey:
        raise Problem(f"There is no object {key} in the lake any more.") from None
    try:
        return [json.loads(line) for line in body.splitlines() if line.strip()]
    except ValueError:
        raise Problem(f"The object {key} in the lake does not hold JSON lines.") from None


def _input_key(name: str, number: int) -> str:
    return f"{PREFIX}{name}/input/part-{number:04d}.jsonl"


def _output_key(name: str, number: int) -> str:
    return f"{PREFIX}{name}/output/part-{number:04d}.jsonl.out"
