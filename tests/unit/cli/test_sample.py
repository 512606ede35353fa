"""The generated sample: the same bytes for the same seed, and hard enough to be worth learning from."""

import csv
import hashlib
import re
from collections import Counter
from pathlib import Path

import pytest

from cli.reviews import read_reviews
from cli.sample import COLUMNS, write_sample

SHA256_OF_THE_DEFAULT_SAMPLE = "89577687bbd3634b4446cb55867a64acc5b0fad8839b1581da522f9112fd68ff"


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sample") / "reviews.csv"
    write_sample(path)
    return path


@pytest.fixture(scope="module")
def rows(sample: Path) -> list[dict[str, str]]:
    with sample.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_default_sample_never_changes_unnoticed(sample: Path) -> None:
    assert hashlib.sha256(sample.read_bytes()).hexdigest() == SHA256_OF_THE_DEFAULT_SAMPLE


def test_another_seed_gives_other_reviews_and_a_longer_sample_begins_the_same(tmp_path: Path) -> None:
    for name, rows, seed in (("a", 50, 7), ("b", 50, 8), ("c", 60, 7)):
        write_sample(tmp_path / name, rows=rows, seed=seed)
    first, other, longer = ((tmp_path / name).read_text(encoding="utf-8").splitlines() for name in "abc")
    assert first != other
    texts = [[line.split(",", 6)[6].rsplit(",", 1)[0] for line in lines[1:51]] for lines in (first, longer)]
    assert texts[0] == texts[1]


def test_it_has_the_columns_of_a_shop_export(rows: list[dict[str, str]]) -> None:
    assert len(rows) == 4000
    assert tuple(rows[0]) == COLUMNS
    assert len({row["review_id"] for row in rows}) == len(rows)


def test_every_row_of_the_sample_can_be_ingested(sample: Path) -> None:
    read = read_reviews(sample)
    assert len(read.reviews) == 4000
    assert read.skipped == ()
    assert read.unread_dates == 0
    assert set(read.columns) == {
        "text", "rating", "title", "product_id", "category", "created_at", "channel", "review_id", "customer_age",
    }  # fmt: skip


def test_the_mix_of_stars_is_that_of_a_shop(rows: list[dict[str, str]]) -> None:
    stars = Counter(int(row["rating"]) for row in rows)
    share = {name: sum(stars[star] for star in which) / len(rows) for name, which in
             (("negative", (1, 2)), ("neutral", (3,)), ("positive", (4, 5)))}  # fmt: skip
    assert 0.58 < share["positive"] < 0.70
    assert 0.12 < share["neutral"] < 0.18
    assert 0.16 < share["negative"] < 0.25


def test_products_differ_in_how_they_are_received(rows: list[dict[str, str]]) -> None:
    negative = Counter(row["product_id"] for row in rows if int(row["rating"]) <= 2)
    all_of = Counter(row["product_id"] for row in rows)
    shares = sorted(negative[product] / count for product, count in all_of.items() if count >= 30)
    assert shares[-1] > 2 * shares[0]


def test_cleaning_has_something_to_do(rows: list[dict[str, str]]) -> None:
    texts = Counter(re.sub(r"\s+", " ", row["review_text"]).strip().lower() for row in rows)
    repeated = sum(count - 1 for text, count in texts.items() if count > 1)
    assert 30 < repeated < 200
    assert sum(not re.search(r"[a-z]{2}", text) for text in texts.elements()) > 5
    assert all(row["review_text"].strip() for row in rows)


def test_it_cannot_be_learned_by_heart(rows: list[dict[str, str]]) -> None:
    """A bag-of-words model fitted on one half is clearly better than chance on the other, and clearly not perfect."""
    half = len(rows) // 2
    votes: dict[str, Counter[str]] = {}
    totals: Counter[str] = Counter()
    for row in rows[:half]:
        label = _label(row)
        totals[label] += 1
        for word in set(row["review_text"].lower().split()):
            votes.setdefault(word, Counter())[label] += 1
    right: Counter[str] = Counter()
    support: Counter[str] = Counter()
    for row in rows[half:]:
        scores = dict.fromkeys(totals, 1.0)
        for word in set(row["review_text"].lower().split()) & votes.keys():
            for label in totals:
                scores[label] *= (votes[word][label] + 1) / (totals[label] + 2)
            top = max(scores.values())
            scores = {label: score / top for label, score in scores.items()}
        answer = max(scores, key=lambda label: scores[label] * totals[label])
        support[_label(row)] += 1
        right[_label(row)] += answer == _label(row)
    recall = [right[label] / support[label] for label in totals]
    assert 0.6 < sum(recall) / 3 < 0.93


def _label(row: dict[str, str]) -> str:
    stars = int(row["rating"])
    return "negative" if stars <= 2 else "neutral" if stars == 3 else "positive"
