"""Writes a classifier of BERT-base's shape that answers as a small one does, in the training environment.

    python widen.py SMALL_FOLDER TARGET_FOLDER

No BERT-base weights can be fetched where there is no model hub, and random weights answer nothing. So the small model
(half as wide, half as deep) is copied into the large shape: every unit stands twice with half its weight, and between
its layers stand layers whose outputs cancel. Every product is computed as in any BERT-base: 12 layers, 768 wide, 12
heads of 64, 3,072 inside, 110 million weights, none of them zero for that. Knows nothing of this project.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import torch
import transformers

HEADS, WIDTH, INSIDE, LAYERS = 12, 768, 3072, 12
LARGEST_DIFFERENCE = 1e-3
Weights = dict[str, torch.Tensor]


def double(weight: torch.Tensor) -> torch.Tensor:
    """A product whose inputs and outputs both stand twice."""
    return torch.cat([torch.cat([weight, weight], dim=1)] * 2, dim=0) / 2


def by_heads(weight: torch.Tensor, scale: float = 1.0) -> torch.Tensor:
    """Rows of queries, keys or values: each head's units twice, head by head; inputs twice."""
    rows = weight.reshape(HEADS, -1, *weight.shape[1:])
    rows = torch.cat([rows, rows], dim=1).reshape(-1, *weight.shape[1:]) * scale
    return torch.cat([rows, rows], dim=1) / 2 if weight.ndim == 2 else rows


def from_heads(weight: torch.Tensor) -> torch.Tensor:
    """The product behind the heads: its inputs twice, head by head; outputs twice."""
    columns = weight.reshape(weight.shape[0], HEADS, -1)
    columns = torch.cat([columns, columns], dim=2).reshape(weight.shape[0], -1) / 2
    return torch.cat([columns, columns], dim=0)


def twice(values: torch.Tensor) -> torch.Tensor:
    return torch.cat([values, values], dim=-1)


def widened(small: Weights, depth: int) -> Weights:
    """The large model's weights by name. `depth` layers become twice as many."""
    large = {}
    for part in ("word", "position", "token_type"):
        large[f"bert.embeddings.{part}_embeddings.weight"] = twice(small[f"bert.embeddings.{part}_embeddings.weight"])
    for kind in ("weight", "bias"):
        large[f"bert.embeddings.LayerNorm.{kind}"] = twice(small[f"bert.embeddings.LayerNorm.{kind}"])
    for layer in range(depth):
        large |= _real_layer(small, f"bert.encoder.layer.{layer}", f"bert.encoder.layer.{2 * layer}")
        large |= _silent_layer(small, f"bert.encoder.layer.{layer}", f"bert.encoder.layer.{2 * layer + 1}")
    large["bert.pooler.dense.weight"] = double(small["bert.pooler.dense.weight"])
    large["bert.pooler.dense.bias"] = twice(small["bert.pooler.dense.bias"])
    large["classifier.weight"] = twice(small["classifier.weight"]) / 2
    large["classifier.bias"] = small["classifier.bias"]
    return large


def _real_layer(small: Weights, source: str, target: str) -> Weights:
    """Does what the small layer does, but leaves its last scale and shift to the silent layer behind it."""
    # A head twice as wide doubles the sums of query times key, and divides them by a larger root.
    scale = 2.0**-0.25
    made = {}
    for name, factor in (("query", scale), ("key", scale), ("value", 1.0)):
        for kind in ("weight", "bias"):
            part = f"attention.self.{name}.{kind}"
            made[f"{target}.{part}"] = by_heads(small[f"{source}.{part}"], factor)
    made[f"{target}.attention.output.dense.weight"] = from_heads(small[f"{source}.attention.output.dense.weight"])
    made[f"{target}.intermediate.dense.weight"] = double(small[f"{source}.intermediate.dense.weight"])
    made[f"{target}.output.dense.weight"] = double(small[f"{source}.output.dense.weight"])
    biases = ("attention.output.dense", "intermediate.dense", "output.dense")
    norms = ("attention.output.LayerNorm",)
    for part in (*(f"{name}.bias" for name in biases), *(f"{n}.{kind}" for n in norms for kind in ("weight", "bias"))):
        made[f"{target}.{part}"] = twice(small[f"{source}.{part}"])
    made[f"{target}.output.LayerNorm.weight"] = torch.ones(WIDTH)
    made[f"{target}.output.LayerNorm.bias"] = torch.zeros(WIDTH)
    return made


def _silent_layer(small: Weights, source: str, target: str) -> Weights:
    """Adds nothing: what stands twice is weighed with both signs. Ends with the real layer's scale and shift."""

    def random(*shape: int) -> torch.Tensor:
        return torch.randn(*shape) * 0.02

    half = WIDTH // 2
    made = {}
    for name in ("query", "key", "value"):
        made[f"{target}.attention.self.{name}.weight"] = by_heads(random(half, half))
        made[f"{target}.attention.self.{name}.bias"] = torch.zeros(WIDTH)
    per_head = random(WIDTH, HEADS, half // HEADS)
    cancelling = torch.cat([per_head, -per_head], dim=2).reshape(WIDTH, WIDTH)
    made[f"{target}.attention.output.dense.weight"] = cancelling
    made[f"{target}.intermediate.dense.weight"] = double(random(INSIDE // 2, half))
    inner = random(WIDTH, INSIDE // 2)
    made[f"{target}.output.dense.weight"] = torch.cat([inner, -inner], dim=1)
    made[f"{target}.attention.output.LayerNorm.weight"] = torch.ones(WIDTH)
    for name, size in (
        ("attention.output.dense", WIDTH),
        ("intermediate.dense", INSIDE),
        ("output.dense", WIDTH),
        ("attention.output.LayerNorm", WIDTH),
    ):
        made[f"{target}.{name}.bias"] = torch.zeros(size)
    for kind in ("weight", "bias"):
        made[f"{target}.output.LayerNorm.{kind}"] = twice(small[f"{source}.output.LayerNorm.{kind}"])
    return made


def main(source: Path, target: Path) -> None:
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    torch.manual_seed(7)
    small = transformers.AutoModelForSequenceClassification.from_pretrained(source, dtype=torch.float32).eval()  # nosec B615
    config = small.config
    if (config.hidden_size, config.num_hidden_layers, config.num_attention_heads) != (WIDTH // 2, LAYERS // 2, HEADS):
        raise SystemExit(f"{source} is not of the one small shape that can be widened.")
    wide = transformers.BertConfig(**{**config.to_dict(), "hidden_size": WIDTH, "num_hidden_layers": LAYERS})
    wide.intermediate_size = INSIDE
    large = transformers.BertForSequenceClassification(wide).eval()
    large.load_state_dict(widened(small.state_dict(), config.num_hidden_layers), strict=False)
    ids = torch.randint(1000, 20_000, (4, 60))
    with torch.inference_mode():
        difference = float((small(ids).logits - large(ids).logits).abs().max())
    if difference > LARGEST_DIFFERENCE:
        raise SystemExit(f"The widened model answers differently: by {difference}.")
    large.save_pretrained(target)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        if (source / name).is_file():
            shutil.copy(source / name, target / name)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
