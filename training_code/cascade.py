"""Distils a trained model into the gate that answers the easy rows before it (`training_code.containers.cascade`).

The gate learns the model's own probabilities on all training rows, also those that the model has not seen. On
validation rows it is then allowed, class by class, as many rows as it can answer without losing what was promised.
Knows nothing of how the model was trained or is served.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import safetensors.numpy
import torch

from feedback.sentiment import LABELS, Sentiment
from training_code.calibration import fit_temperature, softmax
from training_code.containers.cascade import NEVER, SETTINGS, WEIGHTS, Cascade, pair_buckets
from training_code.containers.decision import KEY, Weights, decided, equal_weights, weights_by_label
from training_code.containers.ragged import Ragged
from training_code.examples import Examples
from training_code.metrics import Classes, class_scores, confusion, macro_f1

# Half of what a gate may cost on rows that nobody has seen: 0.5 points of macro-F1. Validation rows are a sample.
LARGEST_MACRO_F1_LOSS = 0.0025
LEAST_ROWS_OF_A_CLASS = 50
LEAST_SHARE = 0.2
PAIR_BUCKETS = 1 << 16
EPOCHS = 8
BATCH = 256
LEARNING_RATE = 0.02
PENALTY = 1e-5

Logits = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Taught:
    """Rows, and what the model says to them."""

    examples: Examples
    logits: Logits


@dataclass(frozen=True, kw_only=True)
class Gate:
    """A gate, and the share of the validation rows that it answers."""

    cascade: Cascade
    share: float


def distil(
    train: Taught,
    validation: Taught,
    *,
    vocabulary: int,
    temperature: float,
    seed: int,
    decision_weights: Weights | None = None,
) -> Gate | None:
    """None when the gate would answer less than LEAST_SHARE of the rows: it is then not worth its place.

    `temperature` and the weights of its decisions are the model's own, fitted on the same validation rows.
    """
    weights = equal_weights() if decision_weights is None else decision_weights
    targets = softmax(train.logits, temperature=temperature)
    learned = _learn(Ragged.of(train.examples.ids), targets, vocabulary=vocabulary, seed=seed)
    rows = Ragged.of(validation.examples.ids)
    own = fit_temperature(learned.logits(rows), validation.examples.classes)
    scale = np.float32(temperature / own)
    cascade = Cascade(
        tokens=learned.tokens * scale,
        pairs=learned.pairs * scale,
        bias=learned.bias * scale,
        temperature=temperature,
        confident_above=learned.confident_above,
        decision_weights=weights,
    )
    answers, confidence = cascade.decide(cascade.logits(rows))
    thresholds = choose_thresholds(
        answers=answers,
        confidence=confidence,
        model_answers=decided(softmax(validation.logits, temperature=temperature), weights),
        truth=validation.examples.classes,
    )
    cascade = replace(cascade, confident_above=thresholds)
    _, undecided = cascade.split(rows)
    share = 1 - len(undecided) / len(rows)
    return Gate(cascade=cascade, share=share) if share >= LEAST_SHARE else None


def choose_thresholds(
    *, answers: Classes, confidence: npt.NDArray[np.float64], model_answers: Classes, truth: Classes
) -> npt.NDArray[np.float64]:
    """Per class the lowest confidence above which the gate may answer, NEVER where it may not.

    The classes take their turn by how often the gate answers them, each with the rows of the highest confidence first,
    until macro-F1 would fall by more than LARGEST_MACRO_F1_LOSS, or the recall of negative feedback at all, below what
    the model alone reaches.
    """
    thresholds = np.full(len(LABELS), NEVER)
    table = confusion(truth, model_answers)
    least_macro_f1 = macro_f1(table) - LARGEST_MACRO_F1_LOSS
    least_recall = class_scores(table)[Sentiment.NEGATIVE.label].recall
    for answer in np.argsort(-np.bincount(answers, minlength=len(LABELS)), kind="stable"):
        places = np.flatnonzero(answers == answer)
        places = places[np.argsort(-confidence[places], kind="stable")]
        allowed, trial = 0, table.copy()
        for place in places:
            trial[truth[place], model_answers[place]] -= 1
            trial[truth[place], answer] += 1
            if macro_f1(trial) < least_macro_f1:
                break
            if class_scores(trial)[Sentiment.NEGATIVE.label].recall < least_recall:
                break
            allowed += 1
        if allowed < LEAST_ROWS_OF_A_CLASS:
            continue
        thresholds[answer] = _rounded_up(confidence[places[allowed - 1]])
        for place in places[confidence[places] >= thresholds[answer]]:
            table[truth[place], model_answers[place]] -= 1
            table[truth[place], answer] += 1
    return thresholds


def write(cascade: Cascade, folder: Path) -> None:
    """The two files that `Cascade.load` reads."""
    confident_above = {
        label: None if threshold == NEVER else float(threshold)
        for label, threshold in zip(LABELS, cascade.confident_above, strict=True)
    }
    settings = {
        "temperature": float(cascade.temperature),
        "confident_above": confident_above,
        "hash_rows": cascade.pairs.shape[1],
        KEY: weights_by_label(cascade.decision_weights),
    }
    (folder / SETTINGS).write_text(json.dumps(settings, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    weights = {"tokens": cascade.tokens, "pairs": cascade.pairs, "bias": cascade.bias}
    safetensors.numpy.save_file(weights, folder / WEIGHTS)


def _learn(rows: Ragged, targets: npt.NDArray[np.float64], *, vocabulary: int, seed: int) -> Cascade:
    """Weights with the least cross entropy to the model's probabilities, by Adam over shuffled batches."""
    torch.manual_seed(seed)
    generator = np.random.default_rng(seed)
    features = [torch.from_numpy(_features(ids, vocabulary)) for ids in rows.rows()]
    wanted = torch.from_numpy(targets.astype(np.float32))
    scale = torch.from_numpy((1 / np.sqrt(rows.lengths)).astype(np.float32))[:, None]
    weights = torch.nn.EmbeddingBag(vocabulary + PAIR_BUCKETS, len(LABELS), mode="sum")
    torch.nn.init.zeros_(weights.weight)
    bias = torch.zeros(len(LABELS), requires_grad=True)
    optimizer = torch.optim.Adam([weights.weight, bias], lr=LEARNING_RATE)
    steps = EPOCHS * -(-len(features) // BATCH)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / steps)
    for _ in range(EPOCHS):
        order = generator.permutation(len(features))
        for start in range(0, len(order), BATCH):
            places = order[start : start + BATCH]
            batch = [features[place] for place in places]
            columns = torch.cat(batch)
            offsets = torch.tensor([0, *(len(one) for one in batch[:-1])]).cumsum(0)
            logits = weights(columns, offsets) * scale[places] + bias
            loss = -(wanted[places] * torch.log_softmax(logits, dim=1)).sum(dim=1).mean()
            loss = loss + PENALTY * (weights.weight[columns] ** 2).sum() / len(batch)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
    learned = weights.weight.detach().numpy().T
    return Cascade(
        tokens=np.ascontiguousarray(learned[:, :vocabulary]),
        pairs=np.ascontiguousarray(learned[:, vocabulary:]),
        bias=bias.detach().numpy(),
        temperature=1.0,
        confident_above=np.full(len(LABELS), NEVER),
    )


def _features(ids: npt.NDArray[np.int32], vocabulary: int) -> npt.NDArray[np.int64]:
    """The columns of a row's tokens and of its pairs, which lie behind the vocabulary."""
    wide = ids.astype(np.int64)
    return np.concatenate([wide, vocabulary + pair_buckets(wide, PAIR_BUCKETS)])


def _rounded_up(confidence: float) -> float:
    """Six digits, never below the confidence itself."""
    return min(1.0, float(np.ceil(confidence * 1e6) / 1e6))
