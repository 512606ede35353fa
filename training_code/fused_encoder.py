"""The encoder of BERT and its kin with less work: the same logits, in fewer and wider steps.

Query, key and value are one product instead of three, written so that OpenVINO recognises attention as one step, in
int8 where it is quantised. And the head reads nothing but the first token, so the last layer computes nothing but that.
Used while a model is exported, never in training. Models of other kinds are left as they are. Knows nothing of files.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

_READ_THE_FIRST_TOKEN = tuple(
    f"{kind}ForSequenceClassification" for kind in ("Bert", "Roberta", "XLMRoberta", "Electra")
)
PADDING_BIAS = -10_000.0
"""Added to the score of a padded token: its share is exactly zero, and no infinity gets into the arithmetic."""


def reads_the_first_token(model: Any) -> bool:
    """Whether the head reads nothing else of the last layer of `model.base_model.encoder`."""
    return (
        type(model).__name__ in _READ_THE_FIRST_TOKEN
        and hasattr(model.base_model, "encoder")
        and not model.config.is_decoder
    )


class PaddingBias:
    """What is added to the scores of one batch, float32 [rows, 1, 1, width]; set before the model is called."""

    def __init__(self) -> None:
        self.value: torch.Tensor | None = None

    def set_from(self, attention_mask: torch.Tensor) -> None:
        self.value = (1.0 - attention_mask.float())[:, None, None, :] * PADDING_BIAS


class _FusedSelfAttention(torch.nn.Module):  # type: ignore[misc]
    def __init__(self, original: Any, bias: PaddingBias) -> None:
        super().__init__()
        self.heads = original.num_attention_heads
        self.bias = bias
        self.qkv = _joined(_scaled_query(original), original.key, original.value)

    def forward(self, hidden_states: torch.Tensor, *_: object, **__: object) -> tuple[torch.Tensor, None]:
        query, key, value = _heads(self.qkv(hidden_states), parts=3, heads=self.heads)
        return _attention(query, key, value, self.bias), None


class _FirstTokenLayer(torch.nn.Module):  # type: ignore[misc]
    """The last layer, for the first token alone: every token is attended to, only one attends."""

    def __init__(self, original: Any, bias: PaddingBias) -> None:
        super().__init__()
        attention = original.attention.self
        self.heads = attention.num_attention_heads
        self.bias = bias
        self.query = _scaled_query(attention)
        self.key_value = _joined(attention.key, attention.value)
        self.original = original

    def forward(self, hidden_states: torch.Tensor, *_: object, **__: object) -> torch.Tensor:
        first = hidden_states[:, :1]
        (query,) = _heads(self.query(first), parts=1, heads=self.heads)
        key, value = _heads(self.key_value(hidden_states), parts=2, heads=self.heads)
        attended = self.original.attention.output(_attention(query, key, value, self.bias), first)
        result: torch.Tensor = self.original.feed_forward_chunk(attended)
        return result


def _scaled_query(attention: Any) -> torch.nn.Linear:
    """The query with the root of the size taken out already."""
    query = torch.nn.Linear(attention.query.in_features, attention.query.out_features)
    with torch.no_grad():
        query.weight.copy_(attention.query.weight * attention.attention_head_size**-0.5)
        query.bias.copy_(attention.query.bias * attention.attention_head_size**-0.5)
    return query


def _joined(*parts: torch.nn.Linear) -> torch.nn.Linear:
    joined = torch.nn.Linear(parts[0].in_features, sum(part.out_features for part in parts))
    with torch.no_grad():
        joined.weight.copy_(torch.cat([part.weight for part in parts]))
        joined.bias.copy_(torch.cat([part.bias for part in parts]))
    return joined


def _heads(joined: torch.Tensor, *, parts: int, heads: int) -> list[torch.Tensor]:
    """Each part as [rows, heads, tokens, size of a head]."""
    rows, tokens, _size = joined.shape
    split = joined.view(rows, tokens, parts * heads, -1).permute(0, 2, 1, 3)
    return [split[:, part * heads : (part + 1) * heads] for part in range(parts)]


def _attention(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, bias: PaddingBias) -> torch.Tensor:
    shares = torch.softmax(query @ key.transpose(-1, -2) + bias.value, dim=-1)
    mixed: torch.Tensor = (shares @ value).permute(0, 2, 1, 3)
    return mixed.reshape(mixed.shape[0], mixed.shape[1], -1)


@contextmanager
def fused_encoder(model: Any) -> Iterator[PaddingBias]:
    """For as long as the block lasts the model computes its logits so; the bias has to be set before each call."""
    bias = PaddingBias()
    replaced: list[tuple[Any, str, Any]] = []

    def replace(parent: Any, name: str, made: torch.nn.Module) -> None:
        replaced.append((parent, name, getattr(parent, name)))
        setattr(parent, name, made.eval())

    if reads_the_first_token(model):
        encoder = model.base_model.encoder
        last = len(encoder.layer) - 1
        replace(encoder.layer, str(last), _FirstTokenLayer(encoder.layer[last], bias))
        for layer in encoder.layer[:last]:
            replace(layer.attention, "self", _FusedSelfAttention(layer.attention.self, bias))
    try:
        yield bias
    finally:
        for parent, name, original in reversed(replaced):
            setattr(parent, name, original)
