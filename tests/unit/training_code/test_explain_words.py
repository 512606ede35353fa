from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training_code.explanations.attributions import Attribution, within
from training_code.explanations.importance import importance
from training_code.explanations.sample import MOST_WORDS, drawn
from training_code.explanations.words import NOTHING, TakenAway, halves, plain, words_of
from training_code.failures import JobError


def attribution(words: str, *values: float, truth: int = 0) -> Attribution:
    """One class's values for words; the other two classes get the opposite, by halves."""
    column = np.array(values)
    base = np.full(3, 1 / 3)
    table = np.stack([column, -column / 2, -column / 2], axis=1)
    return Attribution(
        text_id=words,
        truth=truth,
        words=words_of(words),
        values=table,
        base=base,
        probabilities=base + table.sum(axis=0),
    )


@given(st.integers(2, 200))
def test_the_tree_over_words_joins_neighbours_until_all_are_one(size: int) -> None:
    tree = halves(size)
    spans = {word: (word, word + 1) for word in range(size)}

    for place, (left, right, distance, leaves) in enumerate(tree):
        (start, middle), (also_middle, end) = spans.pop(int(left)), spans.pop(int(right))
        assert middle == also_middle
        assert leaves == end - start
        assert 0 < distance <= 1
        spans[size + place] = (start, end)

    assert list(spans.values()) == [(0, size)]


def test_words_that_are_taken_away_leave_the_others_in_their_order() -> None:
    words = words_of("not  good,\nat all")

    (left,) = TakenAway()(np.array([True, False, False, True]), words)

    assert left.tolist() == ["not all"]
    assert TakenAway().shape(words) == (1, 4)


def test_no_words_are_asked_as_a_text_that_is_not_empty() -> None:
    (left,) = TakenAway()(np.array([False]), ("good",))

    assert left.tolist() == [NOTHING]


@pytest.mark.parametrize(
    ("word", "counted"),
    [("Good!!", "good"), ("“fine”", "fine"), ("didn't", "didn't"), ("...", ""), ("STRASSE", "strasse")],
)
def test_a_word_is_counted_without_case_and_punctuation(word: str, counted: str) -> None:
    assert plain(word) == counted


def test_the_weight_of_a_word_is_how_far_it_moves_answers_and_how_often_it_stands() -> None:
    found = [
        attribution("bad the", 0.4, 0.01),
        attribution("Bad, the", 0.2, 0.03),
        attribution("good the ...", -0.1, 0.02, 0.0),
        attribution("good fine", -0.2, 0.3),
    ]

    words = importance(found, class_index=0, most=10)

    assert [(word.word, word.texts) for word in words] == [("bad", 2), ("good", 2), ("the", 3)]
    assert words[0].mean == pytest.approx(0.3)
    assert words[0].weight == pytest.approx(0.15)
    assert words[1].weight == pytest.approx(-0.075)
    assert importance(found, class_index=0, most=1) == words[:1]


def test_a_word_that_stands_twice_in_a_text_counts_once_with_all_it_adds() -> None:
    found = [attribution("bad bad", 0.1, 0.2), attribution("bad", 0.1)]

    (word,) = importance(found, class_index=0, most=10)

    assert word.texts == 2
    assert word.mean == pytest.approx(0.2)


def test_what_base_and_words_miss_of_the_answer_is_the_gap() -> None:
    whole = attribution("bad", 0.3)
    broken = Attribution(
        text_id="t", truth=0, words=whole.words, values=whole.values, base=whole.base, probabilities=whole.base
    )

    assert whole.gap == pytest.approx(0)
    assert broken.gap == pytest.approx(0.3)
    assert whole.answer == 0


def test_texts_are_explained_until_the_time_is_over_but_at_least_one() -> None:
    times = iter([0.0, 3.0, 6.0, 9.0])

    def endless() -> Iterator[Attribution]:
        while True:
            yield attribution("bad", 0.1)

    assert len(list(within(5.0, endless(), clock=lambda: next(times)))) == 2
    assert len(list(within(0.0, endless(), clock=iter([0.0, 1.0]).__next__))) == 1


def write_rows(folder: Path, texts: dict[str, tuple[str, int]]) -> Path:
    rows = [{"text_id": name, "text": text, "sentiment": sentiment} for name, (text, sentiment) in texts.items()]
    folder.mkdir(exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), folder / "part-0.parquet")
    return folder


def test_classes_are_drawn_in_turn_and_long_or_single_words_not_at_all(tmp_path: Path) -> None:
    texts = {f"t{number:03d}": (f"word{number} again", number % 3 - 1) for number in range(90)}
    texts |= {"long": ("word " * (MOST_WORDS + 1), -1), "single": ("word", -1)}

    found = drawn(write_rows(tmp_path, texts), texts=9, seed=1)

    assert [text.truth for text in found] == [0, 1, 2] * 3
    assert not {"long", "single"} & {text.text_id for text in found}
    assert found == drawn(tmp_path, texts=9, seed=1)
    assert found != drawn(tmp_path, texts=9, seed=2)


def test_a_class_with_few_texts_gives_what_it_has(tmp_path: Path) -> None:
    texts = {f"t{number}": ("some words", 1) for number in range(9)} | {"n": ("other words", -1)}

    found = drawn(write_rows(tmp_path, texts), texts=6, seed=1)

    assert [text.truth for text in found] == [0, 2, 2]


def test_no_text_to_explain_ends_the_job_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="no test row"):
        drawn(write_rows(tmp_path, {"single": ("word", 1)}), texts=6, seed=1)


def test_a_corrupt_file_ends_the_job_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "part-0.parquet").write_bytes(b"nothing")

    with pytest.raises(JobError, match=r"part-0\.parquet of the test data"):
        drawn(tmp_path, texts=6, seed=1)
