"""A trained classifier as an ONNX file: token ids and mask, both int64 [batch, sequence], to a logit per sentiment.

Knows nothing of training, quantisation or of what serves the file.
"""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from training_code.fused_encoder import PaddingBias, fused_encoder
from training_code.targets import logits_of

OPSET = 17


class _Forward(torch.nn.Module):  # type: ignore[misc]
    def __init__(self, model: Any, bias: PaddingBias) -> None:
        super().__init__()
        self.model = model
        self.bias = bias

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        self.bias.set_from(attention_mask)
        return logits_of(self.model, input_ids, attention_mask)


def export_onnx(model: Any, target: Path) -> None:
    """Write `target` in float32."""
    ids = torch.ones((2, 8), dtype=torch.int64)
    axes = {0: "batch", 1: "sequence"}
    with fused_encoder(model.cpu().eval()) as bias, _quiet(), torch.inference_mode():
        torch.onnx.export(
            _Forward(model, bias).eval(),
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
    """The exporter's own warnings speak to its developers."""
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)
