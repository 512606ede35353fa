"""The counting: canaries found by kind, clean texts that lose something, and the time both take."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from benchmarks.redaction.canaries import MAKERS, Canary, core_of
from benchmarks.redaction.texts import clean_text, text_with
from benchmarks.redaction.way import ORIGINALS, PLACES, Way
from benchmarks.report import Value
from feedback.redaction import redact


@dataclass(kw_only=True)
class Kind:
    """What became of the canaries of one kind; ``missed`` keeps a few to look at."""

    name: str
    structured: bool
    seen: int = 0
    found: int = 0
    missed: list[str] = field(default_factory=list)

    def row(self) -> dict[str, Value]:
        """A line of the table."""
        recall = self.found / self.seen
        return {"kind": self.name, "structured": "yes" if self.structured else "", "seen": self.seen, "recall": recall}


@dataclass(kw_only=True)
class Found:
    """All kinds."""

    kinds: list[Kind]

    @property
    def recall(self) -> float:
        """Of the structured kinds together."""
        structured = [kind for kind in self.kinds if kind.structured]
        return sum(kind.found for kind in structured) / sum(kind.seen for kind in structured)

    @property
    def note(self) -> str:
        """The figure that is promised."""
        return f"structured kinds together: {self.recall:.4%}"


@dataclass(frozen=True, kw_only=True)
class Clean:
    """Texts that hold nothing personal: how many lost something, by the kind it was taken for."""

    name: str
    texts: int
    taken: Counter[str]
    hit: int
    examples: tuple[str, ...]
    milliseconds_per_1000: float

    @property
    def share(self) -> float:
        """Of the texts that lost something."""
        return self.hit / max(1, self.texts)

    def row(self) -> dict[str, Value]:
        """A line of the table."""
        kinds = ", ".join(f"{kind} {count}" for kind, count in self.taken.most_common()) or "nothing"
        return {
            "texts": self.name,
            "read": self.texts,
            "false %": 100 * self.share,
            "taken": kinds,
            "ms per 1,000 characters": self.milliseconds_per_1000,
        }


@dataclass(kw_only=True)
class Place:
    """How many canaries can be read in one place on the way of a feedback."""

    name: str
    seen: int = 0
    canaries: int = 0

    @property
    def must_be_clean(self) -> bool:
        """Everywhere but where the originals are kept."""
        return self.name != ORIGINALS

    def row(self) -> dict[str, Value]:
        """A line of the table."""
        return {"place": self.name, "texts seen": self.seen, "canaries": self.canaries}


def records(count: int, *, seed: int) -> Iterable[tuple[Canary, str]]:
    """Canaries of all kinds in turn, each in a text."""
    chance = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
    for number in range(count):
        canary = MAKERS[number % len(MAKERS)](chance)
        yield canary, text_with(chance, canary)


def measure_found(count: int, *, seed: int) -> Found:
    """Redact the records and look for their canaries."""
    kinds: dict[str, Kind] = {}
    for canary, text in records(count, seed=seed):
        kind = kinds.setdefault(canary.kind, Kind(name=canary.kind, structured=canary.structured))
        kind.seen += 1
        if can_be_read(canary, redact(text).text):
            kind.missed = [*kind.missed, canary.value][-20:]
        else:
            kind.found += 1
    return Found(kinds=list(kinds.values()))


def can_be_read(canary: Canary, text: str) -> bool:
    """Whether the canary's core stands in the text, however it is spaced."""
    return core_of(canary.core) in core_of(text)


def measure_clean(name: str, count: int, *, seed: int = 1, texts: Iterable[str] | None = None) -> Clean:
    """Redact clean texts, generated ones where none are given."""
    chance = random.Random(seed)  # noqa: S311
    taken: Counter[str] = Counter()
    examples: list[str] = []
    seen = hit = characters = 0
    seconds = 0.0
    for text in texts if texts is not None else (clean_text(chance) for _ in range(count)):
        started = time.process_time()
        redaction = redact(text)
        seconds += time.process_time() - started
        seen += 1
        characters += len(text)
        if redaction.found:
            hit += 1
            taken.update(redaction.found)
            examples.append(redaction.text)
    return Clean(
        name=name,
        texts=seen,
        taken=taken,
        hit=hit,
        examples=tuple(examples[:20]),
        milliseconds_per_1000=1e6 * seconds / max(1, characters),
    )


def measure_leaks(count: int, *, seed: int) -> list[Place]:
    """Put the records through the product, and look for each one's canary in all that the places were given."""
    places = {name: Place(name=name) for name in PLACES}
    way = Way()
    for number, (canary, text) in enumerate(records(count, seed=seed)):
        core = core_of(canary.core)
        for name, seen in way.walk(number, text).items():
            places[name].seen += len(seen)
            places[name].canaries += any(core in core_of(each) for each in seen)
    return list(places.values())
