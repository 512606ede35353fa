from __future__ import annotations

import json
import struct

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st

from training_code.containers.content_types import JSON, TENSORS
from training_code.containers.errors import RequestError
from training_code.containers.lines import Line, LineError
from training_code.containers.tensors import Expected, Message, pack, pack_text, unpack

IDS = {"ids": Expected("I32", counts_rows=False), "lengths": Expected("I32")}
LOGITS = {"logits": Expected("F32", columns=3)}


def ids_message() -> Message:
    lines = [
        Line(id="a", row=0, error=None),
        Line(id=None, row=None, error=LineError(code="empty_text", message="The text is empty.")),
        Line(id="\u2028ü", row=1, error=None, words=("wörd",)),
    ]
    ids, lengths = np.array([5, 6, 7, 8, 9, 10], dtype=np.int32), np.array([3, 2, 1], dtype=np.int32)
    return Message(tensors={"ids": ids, "lengths": lengths}, lines=lines, is_single=True)


def logits_message() -> Message:
    logits = np.array([[0.1, -2.5, np.float32(1) / 3]], dtype=np.float32)
    return Message(tensors={"logits": logits}, lines=[Line(id=None, row=0, error=None)])


@pytest.mark.parametrize(("message", "expected"), [(ids_message(), IDS), (logits_message(), LOGITS)])
def test_both_forms_come_back_as_they_were_sent(message: Message, expected: dict[str, Expected]) -> None:
    for body, content_type in ((pack(message), TENSORS), (pack_text(message), JSON)):
        received = unpack(body, content_type, expected)
        assert received.lines == message.lines
        assert received.is_single == message.is_single
        for name, array in message.tensors.items():
            np.testing.assert_array_equal(received.tensors[name], array)
            assert received.tensors[name].dtype == array.dtype


def test_the_bytes_are_safetensors_as_its_own_library_reads_and_writes_them() -> None:
    message = ids_message()
    for name, array in safetensors.numpy.load(pack(message)).items():
        np.testing.assert_array_equal(array, message.tensors[name])
    lines = '[{"id":"a","row":0,"error":null},{"id":"b","row":1,"error":null,"words":["w"]}]'
    theirs = safetensors.numpy.save(dict(message.tensors), metadata={"form": "many", "lines": lines})
    np.testing.assert_array_equal(unpack(theirs, TENSORS, IDS).tensors["ids"], message.tensors["ids"])


def test_no_rows_are_a_message_too() -> None:
    message = Message(tensors={name: np.zeros(0, dtype=np.int32) for name in IDS}, lines=[])
    assert unpack(pack(message), TENSORS, IDS).rows == 0


def with_header(change: dict[str, object]) -> bytes:
    """The message with entries of its header replaced, or taken out where the new value is None."""
    raw = pack(logits_message())
    (length,) = struct.unpack_from("<Q", raw)
    header = json.loads(raw[8 : 8 + length]) | change
    head = json.dumps({name: value for name, value in header.items() if value is not None}).encode()
    return struct.pack("<Q", len(head)) + head + raw[8 + length :]


def with_lines(lines: str) -> bytes:
    return with_header({"__metadata__": {"form": "many", "lines": lines}})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x80\x04K\x01.",
        struct.pack("<Q", 2**62) + b"{}",
        pack(logits_message())[:-1],
        pack(logits_message()) + b"\0",
        pack(ids_message()),
        with_header({"__metadata__": None}),
        with_header({"__metadata__": []}),
        with_header({"logits": {"dtype": "F32", "shape": [1, 3], "data_offsets": []}}),
        with_header({"__metadata__": {"lines": '[{"id":null,"row":0,"error":null}]'}}),
        with_lines("[]"),
        with_lines('[{"id":null,"row":0,"error":null},{"id":null,"row":0,"error":null}]'),
        with_lines('[{"id":7,"row":0,"error":null}]'),
        with_lines('[{"id":null,"row":0,"error":null,"words":["more"]}]'),
        with_lines('[{"id":null,"row":0,"error":null,"words":"more"}]'),
        with_lines('[{"id":null,"row":true,"error":null}]'),
        with_lines("[" * 100_000),
        with_header({"logits": {"dtype": "F32", "shape": [1, 4], "data_offsets": [0, 12]}}),
        with_header({"logits": {"dtype": "F32", "shape": [3, 1], "data_offsets": [0, 12]}}),
        with_header({"logits": {"dtype": "F32", "shape": [-1, -3], "data_offsets": [0, 12]}}),
        with_header({"logits": {"dtype": "F32", "shape": [1.0, 3.0], "data_offsets": [0, 12]}}),
        with_header({"logits": {"dtype": "O", "shape": [1, 3], "data_offsets": [0, 12]}}),
        with_header({"logits": {"dtype": "F32", "shape": [1, 2], "data_offsets": [4, 12]}}),
        with_header({"more": {"dtype": "F32", "shape": [0], "data_offsets": [12, 12]}}),
    ],
)
def test_malformed_tensors_are_a_bad_request(body: bytes) -> None:
    with pytest.raises(RequestError) as caught:
        unpack(body, TENSORS, LOGITS)
    assert caught.value.status_code == 400


@settings(max_examples=200, deadline=None)
@given(place=st.integers(0, len(pack(logits_message())) - 1), value=st.integers(0, 255))
def test_any_changed_byte_is_read_or_refused_but_never_crashes(place: int, value: int) -> None:
    body = bytearray(pack(logits_message()))
    body[place] = value
    try:
        message = unpack(bytes(body), TENSORS, LOGITS)
    except RequestError:
        return
    assert message.tensors["logits"].shape == (1, 3)
