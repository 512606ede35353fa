"""A trained classifier as `model.onnx`: input_ids and attention_mask, both int64 [batch, sequence], to logits.

Int8 weights are taken only when they give the same answers. What is measured here is what is served: logits come from
the classify container's own code. Knows nothing of training or calibration.
"""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic

from training_code.containers.classify import inference as classify
from training_code.containers.tensors import Message
from training_code.containers.tokenization import pad
from training_code.examples import Examples

LEAST_AGREEMENT = 0.99
COMPARED_ROWS = 1000
OPSET = 17


@dataclass(frozen=True, kw_only=True)
class Exported:
    """The weights in the file, how often int8 at best answered as fp32 did, and the validation logits as served."""

    weights: str
    int8_agreement: float | None
    logits: npt.NDArray[np.float32]


class _Forward(torch.nn.Module):  # type: ignore[misc]
    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.model(input_ids=input_ids, attention_mask=attention_mask).logits
        return logits


def export(model: Any, examples: Examples, target: Path, *, scratch: Path, quantize: bool) -> Exported:
    """Write `target`, in int8 if the answers to `examples` agree with fp32 in at least LEAST_AGREEMENT of the rows.

    Tried in order: all layers in int8, then all but those whose inputs spread the most.
    """
    full = scratch / "fp32.onnx"
    _export_fp32(model, full)
    compared = examples.limited(COMPARED_ROWS)
    expected = onnx_logits(full, compared).argmax(axis=1) if quantize else None
    best = 0.0
    recipes: dict[str, list[str]] = {"int8": [], "int8-mixed": _contractions(full)} if quantize else {}
    for name, excluded in recipes.items():
        small = scratch / f"{name}.onnx"
        with _quiet():
            quantize_dynamic(
                full,
                small,
                weight_type=QuantType.QInt8,
                per_channel=True,
                # 7 bits: sums of 8-bit products overflow on CPUs without VNNI, and nobody knows which will serve.
                reduce_range=True,
                nodes_to_exclude=excluded,
            )
        agreement = float((onnx_logits(small, compared).argmax(axis=1) == expected).mean())
        best = max(best, agreement)
        if agreement >= LEAST_AGREEMENT:
            target.write_bytes(small.read_bytes())
            return Exported(weights=name, int8_agreement=agreement, logits=onnx_logits(small, examples))
    target.write_bytes(full.read_bytes())
    return Exported(weights="fp32", int8_agreement=best if recipes else None, logits=onnx_logits(full, examples))


def _contractions(path: Path) -> list[str]:
    """The products that lead from a wide inner layer back to a narrower one. Their inputs have the largest outliers."""
    graph = onnx.load(path).graph
    shapes = {weight.name: tuple(weight.dims) for weight in graph.initializer}
    products = [node for node in graph.node if node.op_type == "MatMul"]
    weights = {node.name: next((shapes[name] for name in node.input if name in shapes), ()) for node in products}
    return [name for name, shape in weights.items() if len(shape) == 2 and shape[0] > shape[1]]


def onnx_logits(path: Path, examples: Examples) -> npt.NDArray[np.float32]:
    """float32 [rows, classes] as the classify container computes them."""
    session = classify.open_session(path)
    input_ids, attention_mask = pad(examples.ids, pad_id=examples.pad_id)
    asked = Message(tensors={"input_ids": input_ids, "attention_mask": attention_mask}, lines=[])
    return classify.predict_fn(asked, session).tensors["logits"].astype(np.float32)


def _export_fp32(model: Any, target: Path) -> None:
    forward = _Forward(model.cpu().eval())
    ids = torch.ones((2, 8), dtype=torch.int64)
    axes = {0: "batch", 1: "sequence"}
    with _quiet(), torch.inference_mode():
        torch.onnx.export(
            forward,
            (ids, ids),
            str(target),
            input_names=["input_ids", "attention_mask"],
            output_names=["logits"],
            dynamic_axes={"input_ids": axes, "attention_mask": axes, "logits": {0: "batch"}},
            opset_version=OPSET,
            dynamo=False,
        )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The exporters' own warnings speak to their developers: of tracing, and of files that are no error."""
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)
