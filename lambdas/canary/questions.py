"""The texts that both models are asked: the new model's probes, and the newest feedback of the lake.

They are read anew from the same objects at every call, so that no text has to be kept between calls. It does not know
the endpoint.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import zip_longest
from typing import Any, Final

from feedback.sentiment import LABELS, UNSURE, Sentiment
from feedback.strict_json import BrokenJsonError, parse
from feedback.text import compose
from lambdas.aws.lake import Lake, NoSuchObjectError, TooLargeError
from lambdas.canary.answers import Question

PROBES_FILE: Final = "probes.jsonl"

_FEEDBACK: Final = "feedback/"
_OBJECT_LIMIT_BYTES: Final = 4 * 1024 * 1024
_MOST_PROBES: Final = 200
_MOST_OBJECTS: Final = 100
_DAYS: Final = 7
_LONGEST_TEXT: Final = 2000


def read_probes(release: str, *, lake: Lake) -> list[Question]:
    """The labelled texts beside the new model's artifacts; none where it was packed without."""
    try:
        lines = _lines(f"{release}{PROBES_FILE}", lake=lake)
        return [question for line in lines if (question := _probe(line)) is not None][:_MOST_PROBES]
    except (NoSuchObjectError, TooLargeError):
        return []


def read_version(release: str, *, lake: Lake) -> str | None:
    """The version that the new model was packed as; None where its manifest does not say."""
    try:
        body = lake.read(f"{release}manifest.json", limit_bytes=_OBJECT_LIMIT_BYTES)
    except (NoSuchObjectError, TooLargeError):
        return None
    version = (_object(body.decode("utf-8", errors="replace")) or {}).get("model_version")
    return version if isinstance(version, str) else None


def newest_feedback(bucket: str, *, today: date, limit: int, lake: Lake) -> list[str]:
    """Addresses of the newest objects that hold ``limit`` texts together, as far as there are so many this week."""
    chosen: list[str] = []
    texts = 0
    for day in range(_DAYS):
        for uri in lake.newest(f"s3://{bucket}/{_FEEDBACK}dt={(today - timedelta(days=day)).isoformat()}/"):
            if texts >= limit or len(chosen) >= _MOST_OBJECTS:
                return chosen
            chosen.append(uri)
            texts += len(read_feedback([uri], limit=limit, lake=lake))
    return chosen


def read_feedback(uris: Sequence[str], *, limit: int, lake: Lake) -> list[Question]:
    """The texts in these objects, in order; an object that is gone or too large counts as empty."""
    found: list[Question] = []
    for uri in uris:
        try:
            found += [Question(text=line["text"]) for line in _lines(uri, lake=lake) if _has_text(line)]
        except (NoSuchObjectError, TooLargeError):
            continue
    return found[:limit]


def mixed(first: Sequence[Question], second: Sequence[Question]) -> list[Question]:
    """All of both, in turn, so that the beginning stands for the whole where there is no time to ask everything."""
    pairs = zip_longest(first, second)
    return [question for pair in pairs for question in pair if question is not None]


def _lines(uri: str, *, lake: Lake) -> Iterator[dict[str, Any]]:
    for line in lake.read(uri, limit_bytes=_OBJECT_LIMIT_BYTES).decode("utf-8", errors="replace").split("\n"):
        if (document := _object(line)) is not None:
            yield document


def _object(text: str) -> dict[str, Any] | None:
    try:
        document = parse(text)
    except BrokenJsonError:
        return None
    return document if isinstance(document, dict) else None


def _has_text(line: dict[str, Any]) -> bool:
    text = line.get("text")
    return isinstance(text, str) and bool(text.strip()) and len(text) <= _LONGEST_TEXT


def _probe(line: dict[str, Any]) -> Question | None:
    if not _has_text(line):
        return None
    title, expected = line.get("title"), line.get("expected")
    try:
        truth = Sentiment(line["sentiment"]).label
    except (KeyError, ValueError):
        return None
    return Question(
        text=compose(title, line["text"]) if isinstance(title, str) else line["text"],
        truth=truth,
        expected=expected if expected in (*LABELS, UNSURE) else None,
    )
