"""The graph that is served: a trained classifier in OpenVINO's form, `model.xml` and `model.bin`.

In int8, with scales from real rows, where that gives the same answers; what is measured here is what is served, since
the logits come from the classify container's own code. Fixed scales make an answer independent of the other rows in its
batch, which scales taken from each batch do not. Knows nothing of training or calibration of confidence.
"""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from training_code.calibration import softmax
from training_code.containers.classify.runtime import load_forward
from training_code.containers.classify.silent_openvino import openvino
from training_code.containers.micro_batches import Logits, MicroBatches
from training_code.containers.ragged import Ragged
from training_code.examples import Examples
from training_code.onnx_export import export_onnx

GRAPH = "model.xml"
LEAST_AGREEMENT = 0.99
LARGEST_DIFFERENCE = 0.05
COMPARED_ROWS = 1000
CALIBRATION_ROWS = 200


@dataclass(frozen=True, kw_only=True)
class Exported:
    """The weights in the file, how the best of int8 compared with fp32, and the validation logits as served.

    `int8_agreement` is the share of rows with the same answer, `int8_difference` how far a probability was off in the
    worst of a hundred rows; None where int8 was not tried.
    """

    weights: str
    int8_agreement: float | None
    int8_difference: float | None
    logits: Logits


@dataclass(frozen=True, kw_only=True)
class _Compared:
    agreement: float
    difference: float

    @property
    def is_equal(self) -> bool:
        return self.agreement >= LEAST_AGREEMENT and self.difference <= LARGEST_DIFFERENCE


def export(
    model: Any, *, calibration: Examples, validation: Examples, directory: Path, scratch: Path, quantize: bool
) -> Exported:
    """Write the graph into `directory`: the first of the recipes whose answers to `validation` are those of fp32.

    Tried in order: all layers in int8, then all but those whose inputs spread the most. Nothing of `validation` is used
    to find a scale; `calibration` are rows of training.
    """
    onnx = scratch / "fp32.onnx"
    export_onnx(model, onnx)
    full = openvino.Core().read_model(onnx)
    openvino.save_model(full, scratch / GRAPH, compress_to_fp16=False)
    best: _Compared | None = None
    if quantize:
        compared = validation.limited(COMPARED_ROWS)
        expected = served_logits(scratch / GRAPH, compared)
        for name, excluded in {"int8": _heads(full), "int8-mixed": _heads(full) + _contractions(full)}.items():
            small = scratch / f"{name}.xml"
            _quantize(onnx, small, calibration.limited(CALIBRATION_ROWS), excluded)
            found = _compare(served_logits(small, compared), expected)
            best = max(best or found, found, key=lambda compared: compared.agreement)
            if found.is_equal:
                return _written(small, directory, validation, name, found)
    return _written(scratch / GRAPH, directory, validation, "fp32", best)


def served_logits(graph: Path, examples: Examples) -> Logits:
    """float32 [rows, classes] as the classify container computes them."""
    batches = MicroBatches(load_forward(graph), pad_id=examples.pad_id)
    return batches.logits(Ragged.of(examples.ids).rows())


def _written(graph: Path, directory: Path, validation: Examples, weights: str, compared: _Compared | None) -> Exported:
    for suffix in (".xml", ".bin"):
        (directory / GRAPH).with_suffix(suffix).write_bytes(graph.with_suffix(suffix).read_bytes())
    return Exported(
        weights=weights,
        int8_agreement=compared.agreement if compared else None,
        int8_difference=compared.difference if compared else None,
        logits=served_logits(directory / GRAPH, validation),
    )


def _compare(found: Logits, expected: Logits) -> _Compared:
    differences = np.abs(softmax(found) - softmax(expected)).max(axis=1)
    return _Compared(
        agreement=float((found.argmax(axis=1) == expected.argmax(axis=1)).mean()),
        difference=float(np.quantile(differences, 0.99)),
    )


def _quantize(source: Path, target: Path, calibration: Examples, excluded: list[str]) -> None:
    import nncf  # takes seconds, and only who quantises needs it

    def feed(ids: list[int]) -> dict[str, npt.NDArray[np.int64]]:
        row = np.array([ids], dtype=np.int64)
        return {"input_ids": row, "attention_mask": np.ones_like(row)}

    # Progress bars and advice for NNCF's own developers do not belong in a job's log.
    nncf.set_log_level(logging.ERROR)
    with contextlib.redirect_stdout(io.StringIO()):
        small = nncf.quantize(
            openvino.Core().read_model(source),
            nncf.Dataset(calibration.ids, feed),
            model_type=nncf.ModelType.TRANSFORMER,
            subset_size=len(calibration),
            ignored_scope=nncf.IgnoredScope(names=excluded),
        )
    openvino.save_model(small, target, compress_to_fp16=False)


def _products(model: openvino.Model) -> Iterator[tuple[str, openvino.PartialShape, openvino.PartialShape]]:
    """Name, weights' shape and result's shape of every product with weights."""
    for node in model.get_ordered_ops():
        if node.get_type_name() == "MatMul" and node.input_value(1).get_partial_shape().rank.get_length() == 2:
            yield node.get_friendly_name(), node.input_value(1).get_partial_shape(), node.get_output_partial_shape(0)


def _heads(model: openvino.Model) -> list[str]:
    """The products after the encoder, on one vector per text: next to no work, and nothing comes after to forgive."""
    return [name for name, _, result in _products(model) if result.rank.get_length() == 2]


def _contractions(model: openvino.Model) -> list[str]:
    """The products that lead from a wide inner layer back to a narrower one. Their inputs have the largest outliers."""
    return [
        name
        for name, weights, result in _products(model)
        if result.rank.get_length() == 3 and weights[0].get_length() > weights[1].get_length()
    ]
