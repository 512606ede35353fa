"""A sample of shop reviews, made by seed: the input of a first run, of the starter model and of tests.

Responsible for rows that are as awkward as real ones: mixed feelings, hedges, faint praise, irony, typing errors,
repeated and near-empty texts, and stars that do not always fit the words. The same `rows` and `seed` give the same
bytes on every Python. It does not know how reviews are stored, cleaned or learned from.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from cli import sample_phrases as phrases

COLUMNS = (
    "review_id",
    "created_at",
    "product_id",
    "department",
    "channel",
    "title",
    "review_text",
    "rating",
    "age",
)
FIRST_DAY = datetime(2025, 1, 1, tzinfo=UTC)
DAYS = 540

# Share of each number of stars; about 65 % positive (4-5), 15 % neutral (3), 20 % negative (1-2), as shops see it.
STARS = ((5, 0.44), (4, 0.21), (3, 0.15), (2, 0.10), (1, 0.10))
# How likely a clause is (good, bad, lukewarm) when the writer gives so many stars.
TONES = {
    5: (0.92, 0.03, 0.05),
    4: (0.72, 0.14, 0.14),
    3: (0.34, 0.36, 0.30),
    2: (0.16, 0.70, 0.14),
    1: (0.05, 0.89, 0.06),
}
SLIPPED_STARS = 0.04  # the writer is a star off
REVERSED_STARS = 0.015  # the writer took one star for the best mark
REPEATED_TEXT = 0.015
NEARLY_EMPTY_TEXT = 0.004
TYPING_ERRORS = 0.22

T = TypeVar("T")


class Dice:
    """Draws built on `random.Random.random` alone, whose sequence Python promises to keep for an integer seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - a sample, not a secret

    def chance(self, probability: float) -> bool:
        return self._random.random() < probability

    def below(self, limit: int) -> int:
        return int(self._random.random() * limit)

    def pick(self, options: Sequence[T]) -> T:
        return options[self.below(len(options))]

    def weighted(self, options: Sequence[tuple[T, float]]) -> T:
        point = self._random.random() * sum(weight for _, weight in options)
        for value, weight in options:
            point -= weight
            if point < 0:
                return value
        return options[-1][0]

    def several(self, options: Sequence[T], count: int) -> list[T]:
        """`count` different options in random order."""
        left = list(options)
        return [left.pop(self.below(len(left))) for _ in range(min(count, len(left)))]


@dataclass(frozen=True, kw_only=True)
class Product:
    product_id: str
    department: str
    noun: str
    parts: tuple[str, ...]
    quality: float  # how much better (or worse) than the shop's average this product is received, -1..1


@dataclass(frozen=True, kw_only=True)
class Review:
    product: Product
    title: str
    text: str
    stars: int


def write_sample(path: Path, *, rows: int = 4000, seed: int = 7) -> None:
    """Writes `rows` reviews to `path` as UTF-8 CSV with a header; the bytes depend on `rows` and `seed` alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(sample_rows(rows=rows, seed=seed))


def sample_rows(*, rows: int, seed: int) -> list[list[str]]:
    """The rows of the sample, in the order of `COLUMNS`."""
    dice = Dice(seed)
    products = _catalogue(dice)
    reviews: list[Review] = []
    for _ in range(rows):
        if reviews and dice.chance(REPEATED_TEXT):
            reviews.append(_repeated(dice, dice.pick(reviews)))
        else:
            reviews.append(_review(dice, dice.pick(products)))
    return [_row(dice, number, review) for number, review in enumerate(reviews, start=1)]


def _row(dice: Dice, number: int, review: Review) -> list[str]:
    moment = FIRST_DAY + timedelta(days=dice.below(DAYS), minutes=dice.below(24 * 60))
    return [
        f"r-{number:06d}",
        moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        review.product.product_id,
        review.product.department,
        dice.weighted((("web", 0.55), ("app", 0.25), ("email", 0.12), ("partner", 0.08))),
        review.title,
        review.text,
        str(review.stars),
        str(18 + dice.below(30) + dice.below(30)),
    ]


def _repeated(dice: Dice, earlier: Review) -> Review:
    if dice.chance(0.6):
        return earlier
    return replace(earlier, text=dice.pick((earlier.text.upper(), f"  {earlier.text}", f"{earlier.text}  ")))


def _catalogue(dice: Dice) -> list[Product]:
    products: list[Product] = []
    for department, nouns in phrases.DEPARTMENTS.items():
        for noun, parts in nouns.items():
            for _ in range(3):
                products.append(
                    Product(
                        product_id=f"{department[:2].upper()}-{len(products) + 101}",
                        department=department,
                        noun=noun,
                        parts=parts,
                        quality=dice.weighted(((-0.4, 0.08), (-0.1, 0.12), (0.0, 0.4), (0.2, 0.4))),
                    )
                )
    return products


def _stars(dice: Dice, product: Product) -> int:
    stars = dice.weighted(STARS)
    if product.quality < 0 and stars >= 4 and dice.chance(-product.quality):
        return dice.weighted(((1, 0.35), (2, 0.4), (3, 0.25)))
    if product.quality > 0 and stars <= 3 and dice.chance(product.quality * 1.6):
        return dice.weighted(((4, 0.4), (5, 0.6)))
    return stars


def _given_stars(dice: Dice, felt: int) -> int:
    if dice.chance(REVERSED_STARS):
        return 6 - felt
    if dice.chance(SLIPPED_STARS):
        return min(5, max(1, felt + dice.pick((-1, 1))))
    return felt


def _review(dice: Dice, product: Product) -> Review:
    felt = _stars(dice, product)
    title, text = _words(dice, product, felt)
    if dice.chance(NEARLY_EMPTY_TEXT):
        title, text = "", dice.pick(("-", ".", "...", "n/a", "?"))
    return Review(product=product, title=title, text=text, stars=_given_stars(dice, felt))


def _words(dice: Dice, product: Product, stars: int) -> tuple[str, str]:
    sentences: list[str] = []
    if dice.chance(0.45):
        sentences.append(dice.pick(phrases.SETTINGS))
    count = dice.weighted(((1, 0.2), (2, 0.35), (3, 0.3), (4, 0.15)))
    aspects = dice.several(_aspects(product), count)
    clauses = [(tone := _tone(dice, stars), dice.pick(phrases.ASPECTS[aspect][tone])) for aspect in aspects]
    sentences.extend(_joined(dice, clauses))
    if stars <= 2 and dice.chance(0.04):
        sentences.insert(0, dice.pick(phrases.IRONY))
    if dice.chance(0.25):
        sentences.append(dice.pick(phrases.FACTS))
    if dice.chance(0.55):
        sentences.append(dice.pick(phrases.CLOSERS[_closing_tone(dice, stars)]))
    if dice.chance(0.06):  # a text that does not say what the writer thinks
        sentences = [dice.pick(phrases.SETTINGS), dice.pick(phrases.FACTS)]
        if dice.chance(0.7):
            sentences.append(dice.pick(phrases.CLOSERS["mixed"]))
    text = " ".join(_filled(dice, sentence, product) for sentence in sentences)
    title = ""
    if dice.chance(0.7):
        title = _filled(dice, dice.pick(phrases.TITLES[_closing_tone(dice, stars)]), product)
    if dice.chance(TYPING_ERRORS):
        text = _mistyped(dice, text)
    return title, text


def _aspects(product: Product) -> list[str]:
    worn = product.department not in phrases.NOT_WORN
    return [aspect for aspect in phrases.ASPECTS if worn or aspect not in phrases.WORN]


def _tone(dice: Dice, stars: int) -> str:
    good, bad, lukewarm = TONES[stars]
    return dice.weighted((("good", good), ("bad", bad), ("mixed", lukewarm)))


def _closing_tone(dice: Dice, stars: int) -> str:
    tone = "good" if stars >= 4 else "bad" if stars <= 2 else "mixed"
    return dice.weighted(((tone, 0.84), ("mixed", 0.12), (_tone(dice, 3), 0.04)))


def _joined(dice: Dice, clauses: list[tuple[str, str]]) -> list[str]:
    """Clauses as sentences; two of different tone are often joined by a contrast, in either order."""
    sentences: list[str] = []
    position = 0
    while position < len(clauses):
        tone, clause = clauses[position]
        following = clauses[position + 1] if position + 1 < len(clauses) else None
        if following is not None and following[0] != tone and dice.chance(0.75):
            link = dice.pick((", but", ", although", ". Still,", ", even though", ". That said,", ", yet", " - but"))
            sentences.append(_sentence(f"{clause}{link} {following[1]}"))
            position += 2
        elif following is not None and dice.chance(0.3):
            sentences.append(_sentence(f"{clause}{dice.pick((' and', ', and', ', plus', ';'))} {following[1]}"))
            position += 2
        else:
            lead = dice.pick(phrases.HEDGES) if dice.chance(0.18) else ""
            sentences.append(_sentence(f"{lead}{clause}"))
            position += 1
    return sentences


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + "."


def _filled(dice: Dice, template: str, product: Product) -> str:
    """Puts product, part and other words in; every slot may occur several times and gets one word per text."""
    for slot, words in phrases.SLOTS.items():
        if f"{{{slot}}}" in template:
            template = template.replace(f"{{{slot}}}", dice.pick(words))
    text = template.replace("{item}", product.noun).replace("{part}", dice.pick(product.parts))
    return text[0].upper() + text[1:]


def _mistyped(dice: Dice, text: str) -> str:
    kind = dice.below(7)
    if kind == 0:
        return text.lower()
    if kind == 1:
        return text.replace("'", "")
    if kind == 2:
        return text.rstrip(".") + dice.pick(("!!", "!!!", "...", " :)", " :(", ""))
    if kind == 3:
        return text.replace(" and ", " & ").replace(" because ", " bc ").replace(" with ", " w/ ")
    characters = list(text)
    for _ in range(1 + len(text) // 120):
        place = 1 + dice.below(max(1, len(characters) - 2))
        if not characters[place].isalpha():
            continue
        if kind == 4:
            characters[place] = characters[place] * 2
        elif kind == 5:
            characters[place] = ""
        else:
            characters[place - 1], characters[place] = characters[place], characters[place - 1]
    return "".join(characters)
