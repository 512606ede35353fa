"""Measuring a model on a labelled file, and choosing texts for the demo."""

import json

import pytest

from cli.demo_texts import WRITTEN, choose_texts
from cli.errors import Problem
from cli.evaluate import measured
from cli.reviews import Review
from feedback.sentiment import LABELS, Sentiment


def review(text: str, rating: int) -> Review:
    return Review(
        review_id=text,
        text=text,
        rating=rating,
        title=None,
        product_id="p",
        category=None,
        channel=None,
        created_at=None,
        customer_age=None,
    )


def line(label: str, confidence: float = 0.9, *, unsure: bool = False) -> dict[str, object]:
    rest = (1 - confidence) / 2
    return {
        "label": "unsure" if unsure else label,
        "probabilities": {name: confidence if name == label else rest for name in LABELS},
        "model_version": "m1",
    }


def answering(answers: dict[str, dict[str, object]]) -> object:
    def invoke(body: bytes) -> bytes:
        texts = [json.loads(entry)["text"] for entry in body.splitlines()]
        return b"".join(json.dumps(answers.get(text, {"error": {"code": "x"}})).encode() + b"\n" for text in texts)

    return invoke


def test_the_scores_are_those_of_the_answers_and_unsure_is_counted_beside_them() -> None:
    invoke = answering({"bad": line("negative"), "meh": line("positive", unsure=True), "good": line("positive")})
    reviews = [review("bad", 1), review("meh", 3), review("good", 5), review("refused", 5)]
    report = measured(reviews, invoke, lambda _: None)  # type: ignore[arg-type]
    assert report["rows"] == 3
    assert report["refused"] == 1
    assert report["accuracy"] == pytest.approx(2 / 3)
    assert report["unsure_share"] == pytest.approx(1 / 3)
    assert report["confusion"] == [[1, 0, 0], [0, 0, 1], [0, 0, 1]]
    assert report["model_version"] == "m1"


def test_the_answer_is_what_the_endpoint_decided_and_not_its_most_probable_class() -> None:
    decided_for_the_rare_class = line("positive", 0.5) | {"label": "negative"}
    invoke = answering({"bad": decided_for_the_rare_class, "good": line("positive")})
    report = measured([review("bad", 1), review("good", 5)], invoke, lambda _: None)  # type: ignore[arg-type]
    assert report["accuracy"] == 1
    assert report["confusion"] == [[1, 0, 0], [0, 0, 0], [0, 0, 1]]


def test_many_reviews_are_asked_in_batches() -> None:
    sizes: list[int] = []

    def invoke(body: bytes) -> bytes:
        lines = body.splitlines()
        sizes.append(len(lines))
        return b"\n".join(json.dumps(line("positive")).encode() for _ in lines)

    measured([review(str(number), 5) for number in range(250)], invoke, lambda _: None)
    assert sizes == [100, 100, 50]


def test_a_lost_line_is_an_error_and_not_a_shifted_answer() -> None:
    with pytest.raises(Problem, match="answered 1 lines to 2 texts"):
        measured([review("a", 1), review("b", 2)], lambda _: json.dumps(line("negative")).encode(), lambda _: None)


def test_a_model_that_refuses_everything_has_no_score() -> None:
    with pytest.raises(Problem, match="refused every row"):
        measured([review("a", 1)], answering({}), lambda _: None)  # type: ignore[arg-type]


def test_written_texts_are_preferred_for_the_demo() -> None:
    answers = {text: line(sentiment.label) for sentiment, texts in WRITTEN.items() for text in texts}
    chosen = choose_texts([review("own", 1)], answering(answers), alert_threshold=0.8)  # type: ignore[arg-type]
    assert [choice.sentiment for choice in chosen] == list(Sentiment)
    assert all(choice.written for choice in chosen)
    assert chosen[0].product_id == "p"


def test_texts_of_the_reviews_stand_in_where_the_model_says_something_else() -> None:
    answers = {text: line("positive") for texts in WRITTEN.values() for text in texts}
    answers |= {"vague": line("negative", 0.6), "bad": line("negative"), "so-so": line("neutral", 0.5)}
    reviews = [review("vague", 1), review("bad", 2), review("so-so", 3)]
    chosen = choose_texts(reviews, answering(answers), alert_threshold=0.8)  # type: ignore[arg-type]
    assert [choice.text for choice in chosen[:2]] == ["bad", "so-so"]
    assert chosen[2].written


def test_a_model_that_never_answers_negative_cannot_be_shown() -> None:
    answers = {text: line("positive") for texts in WRITTEN.values() for text in texts}
    with pytest.raises(Problem, match="as negative with at least 81%"):
        choose_texts([], answering(answers), alert_threshold=0.8)  # type: ignore[arg-type]
