"""A randomly initialised BERT of two thin layers with its tokenizer, written without torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import safetensors.numpy
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from tests.unit.training_code.model_kit import write_json

WORDS = ("good", "lovely", "great", "bad", "awful", "poor", "okay", "fine", "average", "the", "is", "order", "number")
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", ".", *WORDS, *"0123456789", *(f"##{digit}" for digit in range(10))]
HIDDEN, INNER, LAYERS, POSITIONS = 32, 64, 2, 64


def write_tiny_base(folder: Path) -> None:
    folder.mkdir(parents=True)
    tokenizer = Tokenizer(models.WordPiece({word: index for index, word in enumerate(VOCABULARY)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    special = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast"} | special)
    write_json(
        folder / "config.json",
        {
            "model_type": "bert",
            "architectures": ["BertModel"],
            "vocab_size": len(VOCABULARY),
            "hidden_size": HIDDEN,
            "num_hidden_layers": LAYERS,
            "num_attention_heads": 2,
            "intermediate_size": INNER,
            "max_position_embeddings": POSITIONS,
        },
    )
    safetensors.numpy.save_file(_weights(), folder / "model.safetensors", metadata={"format": "pt"})


def _weights() -> dict[str, np.ndarray]:
    shapes = {
        "embeddings.word_embeddings": (len(VOCABULARY), HIDDEN),
        "embeddings.position_embeddings": (POSITIONS, HIDDEN),
        "embeddings.token_type_embeddings": (2, HIDDEN),
        "pooler.dense": (HIDDEN, HIDDEN),
    }
    norms = ["embeddings.LayerNorm"]
    for layer in range(LAYERS):
        place = f"encoder.layer.{layer}"
        for part in ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"):
            shapes[f"{place}.{part}"] = (HIDDEN, HIDDEN)
        shapes[f"{place}.intermediate.dense"] = (INNER, HIDDEN)
        shapes[f"{place}.output.dense"] = (HIDDEN, INNER)
        norms += [f"{place}.attention.output.LayerNorm", f"{place}.output.LayerNorm"]
    generator = np.random.default_rng(0)
    weights = {}
    for name, shape in shapes.items():
        weights[f"{name}.weight"] = generator.normal(scale=0.1, size=shape).astype(np.float32)
        if not name.startswith("embeddings"):
            weights[f"{name}.bias"] = np.zeros(shape[0], dtype=np.float32)
    for name in norms:
        weights |= {f"{name}.weight": np.ones(HIDDEN, np.float32), f"{name}.bias": np.zeros(HIDDEN, np.float32)}
    return weights
