"""ONNX: a graph of known operations with its weights inside, read as Protocol Buffers without building any object.

Every field must be one that the format has (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto), so that nothing
rides along. Refused are weights in other files, functions that a model brings along, and operations of an unknown
domain, for which somebody's library would be loaded. Holds one name at a time in memory, never a weight.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

from model_artifact.content import Content
from model_artifact.errors import refuse

FIELDS = 10_000_000
DEPTH = 64
_NAME_BYTES = 512
_VARINT, _BYTES = 0, 2
_FIXED_BYTES = {1: 8, 5: 4}
_STANDARD_DOMAINS = {"", "ai.onnx", "ai.onnx.ml"}
_RUNTIME_DOMAIN = "com.microsoft"
# ONNX Runtime's own operations that a text classifier is made of when it is fused or quantised. Others in its domain
# read files (EPContext) or call Python (PythonOp, PyOp).
_RUNTIME_OPERATIONS = {
    "Attention",
    "BiasGelu",
    "BiasSoftmax",
    "BiasSplitGelu",
    "DequantizeLinear",
    "DynamicQuantizeLSTM",
    "DynamicQuantizeMatMul",
    "EmbedLayerNormalization",
    "FastGelu",
    "FusedGemm",
    "FusedMatMul",
    "GatherBlockQuantized",
    "Gelu",
    "GroupQueryAttention",
    "LayerNormalization",
    "MatMulBnb4",
    "MatMulInteger16",
    "MatMulIntegerToFloat",
    "MatMulNBits",
    "MultiHeadAttention",
    "PackedAttention",
    "PackedMultiHeadAttention",
    "QAttention",
    "QEmbedLayerNormalization",
    "QGemm",
    "QLinearAdd",
    "QLinearConcat",
    "QLinearLeakyRelu",
    "QLinearMul",
    "QLinearReduceMean",
    "QLinearSigmoid",
    "QLinearSoftmax",
    "QLinearWhere",
    "QOrderedAttention",
    "QuantizeLinear",
    "QuickGelu",
    "RemovePadding",
    "RestorePadding",
    "RotaryEmbedding",
    "SimplifiedLayerNormalization",
    "SkipLayerNormalization",
    "SkipSimplifiedLayerNormalization",
    "TransposeMatMul",
}


@dataclass(frozen=True)
class _Message:
    """What a kind of message may hold: plain fields, and fields that are messages again, by number."""

    plain: frozenset[int]
    nested: dict[int, str]


def _message(plain: set[int], **nested: int | tuple[int, ...]) -> _Message:
    places = {
        number: kind
        for kind, numbers in nested.items()
        for number in (numbers if isinstance(numbers, tuple) else (numbers,))
    }
    return _Message(plain=frozenset(plain), nested=places)


_MESSAGES = {
    "Model": _message({1, 2, 3, 4, 5, 6}, Graph=7, Leaf=(8, 14)),
    "Graph": _message({2, 10}, Node=1, Tensor=5, ValueInfo=(11, 12, 13), Annotation=14, SparseTensor=15, Leaf=16),
    "Node": _message({1, 2, 3, 4, 6, 7, 8}, Attribute=5, Leaf=9),
    "Attribute": _message(
        {1, 2, 3, 4, 7, 8, 9, 13, 20, 21}, Tensor=(5, 10), Graph=(6, 11), Type=(14, 15), SparseTensor=(22, 23)
    ),
    "Tensor": _message({1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14}, Leaf=(3, 16)),
    "SparseTensor": _message({3}, Tensor=(1, 2)),
    "Annotation": _message({1}, Leaf=2),
    "ValueInfo": _message({1, 3}, Type=2, Leaf=4),
    "Type": _message({6}, TensorType=(1, 8), ElementType=(4, 9), MapType=5),
    "TensorType": _message({1}, Shape=2),
    "ElementType": _message(set(), Type=1),
    "MapType": _message({1}, Type=2),
    "Shape": _message(set(), Dimension=1),
    "Dimension": _message({1, 2, 3}),
    "Leaf": _message({1, 2}),  # a pair of texts, an operation set, a segment
}
_FUNCTIONS = ("Model", 25)
_TRAINING = ("Model", 20)
_EXTERNAL = ("Tensor", 13)
_DATA_LOCATION = ("Tensor", 14)
_OPERATION = ("Node", 4)
_DOMAIN = ("Node", 7)
_GRAPH = ("Model", 7)


def check_onnx(content: Content) -> None:
    """A refusal for what is no ONNX model, or for one that needs more than its own bytes and the runtime."""
    _Walker(content).walk("Model", content.remaining, 0)


class _Walker:
    def __init__(self, content: Content) -> None:
        self._content = content
        self._fields = 0

    def walk(self, kind: str, size: int, depth: int) -> None:
        """Read one message of `size` bytes."""
        if depth > DEPTH:
            self._refuse("is nested deeper than any model")
        message = _MESSAGES[kind]
        end = self._content.remaining - size
        operation, domain, has_graph = "", "", False
        while self._content.remaining > end:
            number, wire = divmod(self._varint(), 8)
            place = kind, number
            length = self._length(wire, end)
            if place == _OPERATION:
                operation = self._name(wire, length)
            elif place == _DOMAIN:
                domain = self._name(wire, length)
            elif number in message.nested and wire == _BYTES:
                has_graph = has_graph or place == _GRAPH
                self.walk(message.nested[number], length, depth + 1)
            elif number in message.plain:
                self._plain(place, wire, length)
            else:
                self._refuse_unknown(place)
        if self._content.remaining < end:
            self._refuse("is broken")
        if kind == "Node":
            self._check_operation(domain, operation)
        if kind == "Model" and not has_graph:
            self._refuse("holds no graph")

    def _plain(self, place: tuple[str, int], wire: int, length: int) -> None:
        if place == _DATA_LOCATION:
            if wire != _VARINT or self._varint() != 0:
                refuse("external-data", self._content.name, "keeps its weights in another file")
        elif wire == _VARINT:
            self._varint()
        else:
            self._content.skip(length)

    def _refuse_unknown(self, place: tuple[str, int]) -> None:
        if place == _EXTERNAL:
            refuse("external-data", self._content.name, "keeps its weights in another file")
        if place == _FUNCTIONS:
            refuse("custom-operation", self._content.name, "brings functions of its own along")
        if place == _TRAINING:
            refuse("custom-operation", self._content.name, "brings training steps along")
        self._refuse("has a field that the format does not have")

    def _check_operation(self, domain: str, operation: str) -> None:
        is_known = domain in _STANDARD_DOMAINS or (domain == _RUNTIME_DOMAIN and operation in _RUNTIME_OPERATIONS)
        if not is_known or not operation.isidentifier():
            what = f"{domain}.{operation}" if domain else operation
            refuse(
                "custom-operation", self._content.name, f"needs the operation {ascii(what)[:80]}, which is not known"
            )

    def _length(self, wire: int, end: int) -> int:
        """How many bytes a field's value takes; 0 for a varint, which ends by itself."""
        self._fields += 1
        if self._fields > FIELDS:
            self._refuse("has more fields than any model")
        if wire == _VARINT:
            return 0
        length = self._varint() if wire == _BYTES else _FIXED_BYTES.get(wire, -1)
        if length < 0 or self._content.remaining - length < end:
            self._refuse("is broken")
        return length

    def _name(self, wire: int, length: int) -> str:
        if wire != _BYTES or length > _NAME_BYTES:
            self._refuse("has an operation without a usable name")
        return self._content.read(length).decode("utf-8", "replace")

    def _varint(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self._content.read(1) or self._refuse("is broken")
            value |= (byte[0] & 0x7F) << shift
            if byte[0] < 0x80:
                break
        else:
            self._refuse("is broken")
        return value

    def _refuse(self, what: str) -> NoReturn:
        refuse("not-onnx", self._content.name, f"is no usable ONNX model: it {what}")
