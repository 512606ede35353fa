"""A model that learns with less work in each step: the same logits and gradients, dropout aside, which is drawn anew.

The head of BERT and its kin reads nothing but the first token, so their last layer computes nothing but that. On a CPU,
attention is computed step by step, whose gradient is quicker there than that of the one fused step, and dropout takes a
byte for each value: the usual one draws a number at a time, a fifth of a step. The counterpart of `fused_encoder`,
which is for export. Models of other kinds keep their last layer as it is. Knows nothing of the loop.
"""

from __future__ import annotations

import types
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch

from training_code.fused_encoder import reads_the_first_token

_OF = 256


@contextmanager
def lean_encoder(model: Any, device: torch.device) -> Iterator[None]:
    """For as long as the block lasts; the weights and their names stay as they are."""
    with ExitStack() as restored:
        if device.type == "cpu":
            restored.callback(model.set_attn_implementation, model.config._attn_implementation)
            model.set_attn_implementation("eager")
            for module in list(model.modules()):
                for name, child in list(module.named_children()):
                    if type(child) is torch.nn.Dropout:
                        setattr(module, name, FastDropout(child.p).train(child.training))
                        restored.callback(setattr, module, name, child)
        # Others than these two hand masks of another shape to a layer.
        if reads_the_first_token(model) and model.config._attn_implementation in ("eager", "sdpa"):
            layer = model.base_model.encoder.layer[-1]
            layer.forward = types.MethodType(_of_first_token, layer)
            restored.callback(delattr, layer, "forward")
        yield


def _of_first_token(
    layer: Any, hidden_states: torch.Tensor, attention_mask: torch.Tensor | None = None, *_: object, **__: object
) -> torch.Tensor:
    """[rows, 1, size]: every token is attended to, only the first attends."""
    attention, first = layer.attention.self, hidden_states[:, :1]
    query, key, value = (
        part.view(*part.shape[:2], -1, attention.attention_head_size).transpose(1, 2)
        for part in (attention.query(first), attention.key(hidden_states), attention.value(hidden_states))
    )
    mixed = torch.nn.functional.scaled_dot_product_attention(
        query,
        key,
        value,
        attn_mask=None if attention_mask is None else attention_mask[:, :, :1],
        dropout_p=attention.dropout.p if attention.training else 0.0,
    )
    attended = layer.attention.output(mixed.transpose(1, 2).reshape(first.shape), first)
    result: torch.Tensor = layer.feed_forward_chunk(attended)
    return result


class FastDropout(torch.nn.Module):  # type: ignore[misc]
    """torch.nn.Dropout, but that the share is rounded to a multiple of 1/256; draws from torch's own generator."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p
        self.dropped = round(p * _OF)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        if not self.training or self.dropped == 0:
            return values
        kept: torch.Tensor = _Drop.apply(values, self.dropped)
        return kept


class _Drop(torch.autograd.Function):  # type: ignore[misc]
    """Keeps a byte for each value until the gradient comes, not a factor as wide as the value."""

    @staticmethod
    def forward(ctx: Any, values: torch.Tensor, dropped: int) -> torch.Tensor:
        eights = torch.empty(-(-values.numel() // 8), dtype=torch.int64).random_(-(2**63), None)
        keep = eights.view(torch.uint8)[: values.numel()].view(values.shape) >= dropped
        ctx.save_for_backward(keep)
        ctx.scale = _OF / (_OF - dropped)
        return values * keep * ctx.scale

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        (keep,) = ctx.saved_tensors
        return gradient * keep * ctx.scale, None
