from __future__ import annotations

import json
import tokenize
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from tests.unit.training_code.model_kit import HANDLERS, ROOT, VERSION, save_graph, write_json, write_served
from training_code.containers.content_types import JSON, JSON_LINES, TENSORS
from training_code.containers.errors import RequestError
from training_code.containers.tensors import Message

Chain = dict[str, tuple[Any, Any]]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    return load(write_served(tmp_path_factory.mktemp("served")))


def load(folders: dict[str, Path]) -> Chain:
    return {name: (handler, handler.model_fn(str(folders[name]))) for name, handler in HANDLERS.items()}


def ask(chain: Chain, body: bytes | str, content_type: str = JSON_LINES, accept: str = "*/*") -> list[dict[str, Any]]:
    """What the endpoint does: each container's answer and its type are the next one's request."""
    answer: bytes | str = body
    for handler, model in chain.values():
        prediction = handler.predict_fn(handler.input_fn(answer, content_type), model)
        result = handler.output_fn(prediction, accept)
        answer, content_type = result if isinstance(result, tuple) else (result, accept)
    assert content_type == JSON_LINES
    assert isinstance(answer, bytes)
    return [json.loads(line) for line in answer.decode().splitlines()]


def lines(*entries: object) -> bytes:
    return "\n".join(json.dumps(entry) for entry in entries).encode()


def test_every_line_is_answered_in_order_with_its_own_id(served: Chain) -> None:
    texts = ["good", "bad bad bad", "okay", "good " * 9, "bad", "fine good", "okay okay", "good", "bad", "bad good bad"]
    answers = ask(served, lines(*({"id": f"n{place}", "text": text} for place, text in enumerate(texts))))
    assert [answer["id"] for answer in answers] == [f"n{place}" for place in range(len(texts))]
    expected = ["positive", "negative", "neutral", "positive", "negative", "positive", "neutral", "positive"]
    assert [answer["label"] for answer in answers] == [*expected, "negative", "negative"]


def test_an_answer_states_sentiment_probabilities_confidence_and_version(served: Chain) -> None:
    (answer,) = ask(served, lines({"text": "good"}))
    assert set(answer) == {"sentiment", "label", "probabilities", "confidence", "model_version"}
    assert answer["sentiment"] == 1
    assert answer["model_version"] == VERSION
    assert (
        answer["confidence"]
        == answer["probabilities"]["positive"]
        == pytest.approx(np.exp(2) / (np.exp(2) + 2), abs=1e-6)
    )
    assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-5)


def test_the_title_is_read_too(served: Chain) -> None:
    (answer,) = ask(served, lines({"title": "bad", "text": "Tuesday"}))
    assert answer["label"] == "negative"


@pytest.mark.parametrize(
    ("bad_line", "code"),
    [
        (b"{", "invalid_json"),
        (b"", "invalid_json"),
        (b"[1]", "invalid_json"),
        (b"[" * 20_000, "invalid_json"),
        (b'{"text": ' + b"9" * 6_000 + b"}", "invalid_json"),
        (b'{"text": "\xff"}', "invalid_encoding"),
        (b'{"text": 5}', "invalid_text"),
        (b'{"title": "good"}', "invalid_text"),
        (b'{"text": "good", "title": []}', "invalid_title"),
        (b'{"text": "good", "id": 5}', "invalid_id"),
        (b'{"text": " \\n "}', "empty_text"),
        (b'{"text": "<br>&nbsp;"}', "empty_text"),
    ],
)
def test_a_bad_line_fails_alone_and_in_its_place(served: Chain, bad_line: bytes, code: str) -> None:
    body = lines({"id": "first", "text": "good"}) + b"\n" + bad_line + b"\n" + lines({"id": "last", "text": "bad"})
    first, middle, last = ask(served, body)
    assert (first["label"], last["label"]) == ("positive", "negative")
    assert set(middle) == {"error"}
    assert middle["error"]["code"] == code


def test_a_bad_line_keeps_its_id(served: Chain) -> None:
    (answer,) = ask(served, lines({"id": "é1", "text": ""}))
    assert answer == {"id": "é1", "error": {"code": "empty_text", "message": "The text is empty."}}


def test_a_request_of_bad_lines_alone_is_answered(served: Chain) -> None:
    assert [answer["error"]["code"] for answer in ask(served, b"x\ny\n")] == ["invalid_json"] * 2


def test_an_empty_request_has_an_empty_answer(served: Chain) -> None:
    assert ask(served, b"") == []


@pytest.mark.parametrize(
    "text",
    ["good \u2028 line separator", "good \U0001f600", "good \ud800", "\x00good", "good" + "\u0301", "مرحبا good"],
)
def test_any_text_is_one_line(served: Chain, text: str) -> None:
    answers = ask(served, lines({"id": "\u2028", "text": text}))
    assert len(answers) == 1
    assert answers[0]["id"] == "\u2028"
    assert "error" not in answers[0]


def test_a_text_of_a_hundred_thousand_characters_is_cut_not_refused(served: Chain) -> None:
    (answer,) = ask(served, lines({"text": "good " * 20_000}))
    assert answer["label"] == "positive"


def test_one_object_or_a_list_may_come_as_json(served: Chain) -> None:
    assert ask(served, b'{"id": "a", "text": "bad"}', JSON)[0]["label"] == "negative"
    assert [a["label"] for a in ask(served, b'[{"text": "bad"}, {"text": "good"}]', JSON)] == ["negative", "positive"]


def test_a_toolkit_may_decode_the_body_and_add_a_charset(served: Chain) -> None:
    assert ask(served, '{"text": "good"}', "Application/JSONLines; charset=utf-8")[0]["label"] == "positive"


def test_a_toolkit_that_labels_every_answer_with_the_accepted_text_type_is_served(served: Chain) -> None:
    body = lines({"id": "a", "text": "good"}, {"id": "b"}, {"text": "bad"})
    plain, as_json = ask(served, body), ask(served, body, accept=JSON)
    assert plain == as_json
    assert [answer.get("label") for answer in plain] == ["positive", None, "negative"]


def test_broken_json_as_a_whole_is_a_bad_request(served: Chain) -> None:
    with pytest.raises(RequestError) as caught:
        ask(served, b"{", JSON)
    assert caught.value.status_code == 400
    assert str(caught.value) == "The body is not a JSON document."


@pytest.mark.parametrize("container", list(HANDLERS))
def test_another_content_type_is_refused_with_415(container: str) -> None:
    with pytest.raises(RequestError) as caught:
        HANDLERS[container].input_fn(b"text,good", "text/csv")
    assert caught.value.status_code == 415


def test_pickled_bytes_are_never_read() -> None:
    for container in ("classify", "label"):
        for content_type in ("application/x-npy", "application/python-pickle"):
            with pytest.raises(RequestError):
                HANDLERS[container].input_fn(b"\x80\x04.", content_type)


def test_below_the_threshold_the_answer_is_unsure_and_has_no_sentiment(tmp_path: Path) -> None:
    chain = load(write_served(tmp_path, abstain_below=0.5))
    (answer,) = ask(chain, lines({"text": "good bad okay"}))
    assert (answer["label"], answer["sentiment"]) == ("unsure", None)
    assert answer["confidence"] == pytest.approx(1 / 3, abs=1e-6)


def test_the_temperature_lowers_confidence_and_changes_no_answer(tmp_path: Path) -> None:
    hot = ask(load(write_served(tmp_path / "hot", temperature=4.0)), lines({"text": "good"}))[0]
    cold = ask(load(write_served(tmp_path / "cold")), lines({"text": "good"}))[0]
    assert hot["label"] == cold["label"]
    assert hot["confidence"] < cold["confidence"]


def test_a_model_that_gives_no_number_answers_with_an_error_not_with_a_guess(tmp_path: Path) -> None:
    folders = write_served(tmp_path)
    weights = np.zeros((5, 3), dtype=np.float32)
    weights[2] = np.nan
    weights[4] = [0, 0, np.inf]
    save_graph(folders["classify"] / "model.onnx", weights)
    answers = ask(load(folders), lines({"text": "bad"}, {"text": "okay"}, {"text": "good"}))
    assert [answer.get("error", {}).get("code") for answer in answers] == ["no_prediction", None, "no_prediction"]


def test_micro_batches_of_like_length_are_trimmed_and_put_back_in_order(served: Chain) -> None:
    handler, session = served["classify"]
    generator = np.random.default_rng(1)
    lengths = generator.integers(1, 16, size=21)
    ids = generator.integers(2, 5, size=(21, 16))
    mask = (np.arange(16) < lengths[:, None]).astype(np.int64)
    spy = RecordingSession(session)
    asked = Message(tensors={"input_ids": ids * mask, "attention_mask": mask}, lines=[])
    logits = handler.predict_fn(asked, spy).tensors["logits"]
    expected = np.stack(
        [[2 * ((row == token) & (m == 1)).sum() for token in (2, 3, 4)] for row, m in zip(ids, mask, strict=True)]
    )
    np.testing.assert_allclose(logits, expected)
    assert [rows for rows, _ in spy.shapes] == [8, 8, 5]
    assert [width for _, width in spy.shapes] == [np.sort(lengths)[end] for end in (7, 15, 20)]


class RecordingSession:
    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self._session = session
        self.shapes: list[tuple[int, ...]] = []

    def run(self, names: list[str], feed: dict[str, np.ndarray]) -> list[np.ndarray]:
        self.shapes.append(feed["input_ids"].shape)
        return self._session.run(names, feed)


@pytest.mark.parametrize(
    ("container", "name", "content", "reason"),
    [
        ("transform", "tokenization.json", {"max_length": "long"}, "max_length"),
        ("transform", "manifest.json", {"container": "label", "model_version": "v"}, "for 'label'"),
        ("classify", "manifest.json", {"container": "classify"}, "model_version"),
        (
            "label",
            "labels.json",
            {"labels": ["positive", "neutral", "negative"], "sentiments": [1, 0, -1]},
            "class order",
        ),
        ("label", "calibration.json", {"temperature": 0, "abstain_below": 0.4}, "temperature"),
        ("label", "calibration.json", [], "not an object"),
    ],
)
def test_a_wrong_artifact_stops_the_container_with_the_reason(
    tmp_path: Path, container: str, name: str, content: object, reason: str
) -> None:
    folders = write_served(tmp_path)
    write_json(folders[container] / name, content)
    with pytest.raises(RuntimeError, match=reason):
        HANDLERS[container].model_fn(str(folders[container]))


@pytest.mark.parametrize(
    ("container", "name"),
    [("transform", "tokenizer.json"), ("classify", "model.onnx"), ("label", "calibration.json")],
)
def test_a_missing_file_is_named(tmp_path: Path, container: str, name: str) -> None:
    folders = write_served(tmp_path)
    (folders[container] / name).unlink()
    with pytest.raises(RuntimeError, match=f"has no {name}"):
        HANDLERS[container].model_fn(str(folders[container]))


def test_handlers_have_the_exact_signatures_that_the_toolkits_count() -> None:
    from inspect import signature

    for handler in HANDLERS.values():
        counts = [
            len(signature(verb).parameters)
            for verb in (handler.model_fn, handler.input_fn, handler.predict_fn, handler.output_fn)
        ]
        assert counts == [1, 2, 2, 2]


def test_the_containers_import_nothing_but_their_own_and_what_travels_with_them() -> None:
    allowed = {"feedback", "numpy", "onnxruntime", "tokenizers"}
    for path in (ROOT / "training_code" / "containers").rglob("*.py"):
        for name in imported_modules(path):
            is_own = name.startswith("training_code.containers")
            top = name.partition(".")[0]
            assert is_own or top in allowed or top in __import__("sys").stdlib_module_names, f"{path} imports {name}"


def imported_modules(path: Path) -> list[str]:
    names = []
    with tokenize.open(path) as file:
        for line in file:
            words = line.split()
            if words and words[0] in ("import", "from"):
                names.append(words[1])
    return names


def test_the_binary_type_is_what_transform_always_sends(served: Chain) -> None:
    handler, model = served["transform"]
    body, content_type = handler.output_fn(
        handler.predict_fn(handler.input_fn(lines({"text": "good"}), JSON_LINES), model), JSON
    )
    assert content_type == TENSORS
    assert isinstance(body, bytes)
