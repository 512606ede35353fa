"""Self-attention of BERT's kind with one product instead of three: the same numbers, in fewer and wider steps.

Written so that OpenVINO recognises the pattern and computes attention as one step, in int8 where it is quantised. Used
while a model is exported, never in training. Models of other kinds are left as they are. Knows nothing of files.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

FUSED = ("BertSelfAttention", "RobertaSelfAttention", "XLMRobertaSelfAttention", "ElectraSelfAttention")
PADDING_BIAS = -10_000.0
"""Added to the score of a padded token: its share is exactly zero, and no infinity gets into the arithmetic."""


class PaddingBias:
    """What is added to the scores of one batch, float32 [rows, 1, 1, width]; set before the model is called."""

    def __init__(self) -> None:
        self.value: torch.Tensor | None = None

    def set_from(self, attention_mask: torch.Tensor) -> None:
        self.value = (1.0 - attention_mask.float())[:, None, None, :] * PADDING_BIAS


class _FusedSelfAttention(torch.nn.Module):  # type: ignore[misc]
    def __init__(self, original: Any, bias: PaddingBias) -> None:
        super().__init__()
        parts = (original.query, original.key, original.value)
        self.heads = original.num_attention_heads
        self.bias = bias
        self.qkv = torch.nn.Linear(parts[0].in_features, sum(part.out_features for part in parts))
        scale = original.attention_head_size**-0.5
        with torch.no_grad():
            factors = (scale, 1.0, 1.0)
            self.qkv.weight.copy_(torch.cat([part.weight * f for part, f in zip(parts, factors, strict=True)]))
            self.qkv.bias.copy_(torch.cat([part.bias * f for part, f in zip(parts, factors, strict=True)]))

    def forward(self, hidden_states: torch.Tensor, *_: object, **__: object) -> tuple[torch.Tensor, None]:
        rows, width, _size = hidden_states.shape
        split = self.qkv(hidden_states).view(rows, width, 3 * self.heads, -1).permute(0, 2, 1, 3)
        query, key, value = (split[:, part * self.heads : (part + 1) * self.heads] for part in range(3))
        shares = torch.softmax(query @ key.transpose(-1, -2) + self.bias.value, dim=-1)
        return (shares @ value).permute(0, 2, 1, 3).reshape(rows, width, -1), None


@contextmanager
def fused_attention(model: Any) -> Iterator[PaddingBias]:
    """For as long as the block lasts the model's attention is fused; the bias has to be set before each call."""
    bias = PaddingBias()
    replaced = []
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if type(child).__name__ in FUSED and not getattr(child, "is_decoder", False):
                replaced.append((parent, name, child))
                setattr(parent, name, _FusedSelfAttention(child, bias).eval())
    try:
        yield bias
    finally:
        for parent, name, child in replaced:
            setattr(parent, name, child)
