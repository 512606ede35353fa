from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.training_code.model_kit import HANDLERS, ROOT, VERSION, list_files, save_graph, write_json, write_served
from training_code.containers import serve_all
from training_code.containers.content_types import CSV, JSON, JSON_LINES, TENSORS
from training_code.containers.errors import RequestError
from training_code.containers.lines import Line
from training_code.containers.tensors import Message, pack

Chain = dict[str, tuple[Any, Any]]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    return load(write_served(tmp_path_factory.mktemp("served")))


def load(folders: dict[str, Path]) -> Chain:
    return {name: (handler, handler.model_fn(str(folders[name]))) for name, handler in HANDLERS.items()}


def exchange(
    chain: Chain, body: bytes | str, content_type: str = JSON_LINES, accept: str = "*/*", between: str = "*/*"
) -> tuple[bytes, str]:
    """What the endpoint does: each container's answer and its type are the next one's request."""
    answer: bytes | str = body
    for name, (handler, model) in chain.items():
        prediction = handler.predict_fn(handler.input_fn(answer, content_type), model)
        wanted = accept if name == "label" else between
        result = handler.output_fn(prediction, wanted)
        answer, content_type = result if isinstance(result, tuple) else (result, wanted)
    assert isinstance(answer, bytes)
    return answer, content_type


def ask(chain: Chain, body: bytes | str, content_type: str = JSON_LINES, between: str = "*/*") -> list[dict[str, Any]]:
    answer, answered_type = exchange(chain, body, content_type, between=between)
    assert answered_type == JSON_LINES
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
        (b'{"text": "good", "explain": "yes"}', "invalid_explain"),
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


@pytest.mark.parametrize(
    ("body", "content_type"),
    [(b"", JSON_LINES), (b"", CSV), (b"[]", JSON), ("", JSON_LINES)],
)
def test_a_request_without_any_line_is_refused(body: bytes | str, content_type: str) -> None:
    with pytest.raises(RequestError, match=r"^The request holds no line\.$") as caught:
        HANDLERS["transform"].input_fn(body, content_type)
    assert caught.value.status_code == 400


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


def test_json_is_answered_in_the_form_that_it_was_asked_in(served: Chain) -> None:
    one, kind = exchange(served, b'{"id": "a", "text": "bad"}', JSON, JSON)
    assert (kind, json.loads(one)["id"]) == (JSON, "a")
    for body in (b'[{"text": "bad"}]', b'[{"text": "bad"}, {"text": 5}]'):
        many, _ = exchange(served, body, JSON, "application/json; charset=utf-8, */*")
        assert [answer.get("label") for answer in json.loads(many)] == ["negative", None][: len(json.loads(body))]
    assert isinstance(json.loads(exchange(served, b'{"text": "bad"}', JSON_LINES, JSON)[0]), list)


def test_an_answer_in_another_type_is_refused_with_406(served: Chain) -> None:
    with pytest.raises(RequestError) as caught:
        exchange(served, b'{"text": "bad"}', accept="application/x-npy")
    assert caught.value.status_code == 406


def test_records_of_comma_separated_values_are_texts_without_a_header(served: Chain) -> None:
    body = b'good\r\n"bad, ""bad"" and\nbad"\n"good" bad\nokay, good\nba"d\n\xff\n\nokay\n"never closed\ngood\n'
    answers = ask(served, b"\xef\xbb\xbf" + body, CSV)
    assert [answer.get("label") or answer["error"]["code"] for answer in answers] == [
        *("positive", "negative", "invalid_csv", "invalid_csv", "invalid_csv"),
        *("invalid_encoding", "empty_text", "neutral", "invalid_csv"),
    ]


def test_a_toolkit_may_decode_the_body_and_add_a_charset(served: Chain) -> None:
    assert ask(served, '{"text": "good"}', "Application/JSONLines; charset=utf-8")[0]["label"] == "positive"


def test_a_toolkit_that_labels_every_answer_with_the_accepted_text_type_is_served(served: Chain) -> None:
    body = lines({"id": "a", "text": "good"}, {"id": "b"}, {"text": "bad"})
    plain, as_json = ask(served, body), ask(served, body, between=JSON)
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
        HANDLERS[container].input_fn(b"text,good", "application/x-image")
    assert caught.value.status_code == 415


def test_pickled_bytes_are_never_read() -> None:
    for container in HANDLERS:
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


def test_a_model_that_gives_no_number_is_an_error_of_the_server_not_a_guess(tmp_path: Path) -> None:
    folders = write_served(tmp_path)
    for value in (np.nan, np.inf):
        save_graph(folders["classify"] / "model.onnx", np.full((5, 3), value, dtype=np.float32))
        list_files(folders["classify"], "classify")
        with pytest.raises(RequestError, match="no finite numbers") as caught:
            ask(load(folders), lines({"text": "bad"}, {"text": "okay"}))
        assert caught.value.status_code == 500


def test_numbers_that_are_none_between_containers_are_refused(served: Chain) -> None:
    handler, model = served["label"]
    tensors = {"logits": np.array([[0, np.nan, 0]], dtype=np.float32)}
    body = pack(Message(tensors=tensors, lines=[Line(id=None, row=0, error=None)]))
    with pytest.raises(RequestError) as caught:
        handler.predict_fn(handler.input_fn(body, TENSORS), model)
    assert caught.value.status_code == 400


@pytest.mark.parametrize(
    ("ids", "lengths"), [([2, 3], [1]), ([2], [0, 1]), ([2], [2]), ([5], [1]), ([-1], [1]), ([2] * 17, [17])]
)
def test_tokens_that_the_model_cannot_read_are_refused(served: Chain, ids: list[int], lengths: list[int]) -> None:
    handler, model = served["classify"]
    rows = [Line(id=None, row=row, error=None) for row in range(len(lengths))]
    tensors = {"ids": np.array(ids, dtype=np.int32), "lengths": np.array(lengths, dtype=np.int32)}
    asked = handler.input_fn(pack(Message(tensors=tensors, lines=rows)), TENSORS)
    with pytest.raises(RequestError) as caught:
        handler.predict_fn(asked, model)
    assert caught.value.status_code == 400


def test_an_explained_line_names_the_words_that_carried_it_and_its_neighbours_are_as_before(served: Chain) -> None:
    body = lines(
        {"text": "okay"}, {"id": "why", "text": "Such a BAD, good bad thing!", "explain": True}, {"text": "good"}
    )
    before, explained, after = ask(served, body)
    plain = ask(served, body.replace(b"true", b"false"))
    assert (before, after) == (plain[0], plain[2])
    explanation = explained.pop("explanation")
    assert explained == plain[1]
    assert [entry["word"] for entry in explanation] == ["BAD"]
    assert 0 < explanation[0]["weight"] < 1


def test_one_process_gives_the_same_bytes_as_three_containers(served: Chain, tmp_path: Path) -> None:
    write_served(tmp_path)
    model = serve_all.model_fn(str(tmp_path))
    requests = [
        (lines({"id": "a", "text": "good bad"}, {"text": 5}, {"text": "bad okay", "explain": True}), JSON_LINES, "*/*"),
        (b'{"text": "good"}', JSON, JSON),
        (b"good\nbad\n", CSV, JSON_LINES),
    ]
    for body, content_type, accept in requests:
        prediction = serve_all.predict_fn(serve_all.input_fn(body, content_type), model)
        assert serve_all.output_fn(prediction, accept) == exchange(served, body, content_type, accept)


@pytest.mark.parametrize(("raised", "status"), [(MemoryError(), 507), (KeyError("what the customer wrote"), 500)])
def test_a_failure_of_our_own_is_one_sentence_and_says_nothing_of_the_request(
    served: Chain, capsys: pytest.CaptureFixture[str], raised: Exception, status: int
) -> None:
    class Broken:
        def encode(self, texts: list[str]) -> list[list[int]]:
            raise raised

    handler, model = served["transform"]
    asked = handler.input_fn(lines({"text": "good"}), JSON_LINES)
    with pytest.raises(RequestError) as caught:
        handler.predict_fn(asked, Broken())
    assert caught.value.status_code == status
    assert "customer" not in str(caught.value) + capsys.readouterr().err
    assert caught.value.__cause__ is None
    assert handler.predict_fn(asked, model).rows == 1, "the next request is answered"


def test_ten_megabytes_of_lines_and_a_text_of_one_are_answered(served: Chain) -> None:
    text = "good but late " * 10
    answers = ask(served, lines(*({"text": text} for _ in range(2000)), {"text": "bad " * 250_000}))
    assert [answers[0]["label"], answers[-1]["label"], len(answers)] == ["positive", "negative", 2001]


@pytest.mark.parametrize(
    ("container", "name", "content", "reason"),
    [
        ("transform", "tokenization.json", {"max_length": "long"}, "max_length"),
        ("transform", "manifest.json", {"container": "label", "model_version": "v", "files": {"a": "0" * 64}}, "label"),
        ("classify", "manifest.json", {"container": "classify"}, "model_version"),
        ("classify", "tokenization.json", {"max_length": 16, "pad_id": 0}, "vocabulary_size"),
        ("classify", "tokenization.json", {"max_length": 16, "pad_id": 2**63, "vocabulary_size": 5}, "pad_id"),
        ("transform", "tokenization.json", {"max_length": 2**64, "pad_id": 0}, "max_length"),
        (
            "label",
            "labels.json",
            {"labels": ["negative", "negative", "positive"], "sentiments": [-1, -1, 1]},
            "class order",
        ),
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
    if name != "manifest.json":
        list_files(folders[container], container)
    with pytest.raises(RuntimeError, match=reason):
        HANDLERS[container].model_fn(str(folders[container]))


@pytest.mark.parametrize(
    ("container", "name"),
    [("transform", "tokenizer.json"), ("classify", "model.onnx"), ("label", "calibration.json")],
)
def test_a_missing_file_is_named_and_a_changed_one_too(tmp_path: Path, container: str, name: str) -> None:
    folders = write_served(tmp_path)
    (folders[container] / name).write_bytes((folders[container] / name).read_bytes() + b" ")
    with pytest.raises(RuntimeError, match=name):
        HANDLERS[container].model_fn(str(folders[container]))
    (folders[container] / name).unlink()
    with pytest.raises(RuntimeError, match=name):
        HANDLERS[container].model_fn(str(folders[container]))
    list_files(folders[container], container)
    with pytest.raises(RuntimeError, match=rf"has (no|neither) .*{name.rpartition('.')[2]}"):
        HANDLERS[container].model_fn(str(folders[container]))


def test_a_graph_that_is_none_or_another_is_refused_in_a_sentence(tmp_path: Path) -> None:
    folder = write_served(tmp_path)["classify"]
    (folder / "model.onnx").write_bytes(b"no graph")
    list_files(folder, "classify")
    with pytest.raises(RuntimeError, match="cannot be read as a graph"):
        HANDLERS["classify"].model_fn(str(folder))


def test_handlers_have_the_exact_signatures_that_the_toolkits_count() -> None:
    from inspect import signature

    for handler in HANDLERS.values():
        counts = [
            len(signature(verb).parameters)
            for verb in (handler.model_fn, handler.input_fn, handler.predict_fn, handler.output_fn)
        ]
        assert counts == [1, 2, 2, 2]


def test_the_containers_import_nothing_but_their_own_and_what_travels_with_them() -> None:
    allowed = {"feedback", "model_artifact", "numpy", "openvino", "tokenizers"}
    for path in (ROOT / "training_code" / "containers").rglob("*.py"):
        for name in imported_modules(path):
            is_own = name.startswith("training_code.containers")
            top = name.partition(".")[0]
            assert is_own or top in allowed or top in __import__("sys").stdlib_module_names, f"{path} imports {name}"


def imported_modules(path: Path) -> list[str]:
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names.append(node.module or "")
    return names


def test_the_binary_type_is_what_transform_always_sends(served: Chain) -> None:
    handler, model = served["transform"]
    body, content_type = handler.output_fn(
        handler.predict_fn(handler.input_fn(lines({"text": "good"}), JSON_LINES), model), JSON
    )
    assert content_type == TENSORS
    assert isinstance(body, bytes)
