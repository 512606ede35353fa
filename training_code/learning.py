"""The training loop: fused AdamW, warm-up and linear decay, class weights, clipping, the best epoch by macro-F1.

A loop of its own, for it costs a fraction of a general trainer's overhead per step and every line of it can be read.
Works on the CPU and on one GPU. Knows nothing of files, hyperparameter names or export.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from feedback.sentiment import CLASSES
from training_code import metrics, progress
from training_code.calibration import softmax
from training_code.examples import Batch, Examples
from training_code.failures import JobError
from training_code.metrics import Classes
from training_code.progress import Progress

EVALUATION_BATCH = 64
CLASS_WEIGHTS = ("none", "sqrt", "balanced")


@dataclass(frozen=True, kw_only=True)
class Plan:
    epochs: int
    batch_size: int
    learning_rate: float
    head_learning_rate: float
    weight_decay: float
    warmup_share: float
    class_weights: str
    label_smoothing: float
    clip_norm: float
    max_steps: int | None
    patience: int
    precision: str
    seed: int


@dataclass(frozen=True, kw_only=True)
class Learned:
    """The model holds the weights of the best epoch; `history` has one entry per evaluation."""

    history: list[dict[str, float]]
    best_epoch: int
    steps: int
    samples_per_second: float
    precision: str


def best_device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def choose_precision(wanted: str, device: torch.device) -> str:
    """bf16 pays only where the hardware multiplies it: a GPU that can, or a CPU with AVX-512 BF16 or AMX."""
    if wanted != "auto":
        return wanted
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported() else "fp32"
    can = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return "bf16" if can else "fp32"


def learn(model: Any, train: Examples, validation: Examples, plan: Plan) -> Learned:
    """Train until the epochs, the steps or the patience are used up."""
    device = best_device()
    precision = choose_precision(plan.precision, device)
    torch.manual_seed(plan.seed)
    generator = np.random.default_rng(plan.seed)
    model.to(device)
    total_steps = train.steps_per_epoch(plan.batch_size) * plan.epochs
    if plan.max_steps is not None:
        total_steps = min(total_steps, plan.max_steps)
    optimizer = _optimizer(model, plan)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, _Schedule(total_steps, plan.warmup_share))
    loss_of = torch.nn.CrossEntropyLoss(
        weight=class_weights(train.classes, plan.class_weights).to(device), label_smoothing=plan.label_smoothing
    )
    followed = Progress(total_steps=total_steps, epochs=plan.epochs)
    history: list[dict[str, float]] = []
    best_score, best_epoch, best_weights, step, epoch = (-1.0, 0.0), 0, {}, 0, 0
    learning = [parameter for parameter in model.parameters() if parameter.requires_grad]
    while step < total_steps and epoch - best_epoch <= plan.patience:
        epoch += 1
        model.train()
        for batch in train.shuffled_batches(plan.batch_size, generator):
            with _autocast(device, precision):
                logits = _logits(model, batch, device)
            loss = loss_of(logits.float(), torch.from_numpy(batch.classes).to(device))
            if not math.isfinite(loss_value := loss.item()):
                raise JobError(f"The loss is no number any more at step {step + 1}: a lower learning rate may help.")
            loss.backward()
            torch.nn.utils.clip_grad_norm_(learning, plan.clip_norm)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad(set_to_none=True)
            step += 1
            followed.step_done(epoch=epoch, step=step, samples=len(batch.classes), loss=loss_value)
            if step == total_steps:
                break
        measured = _measure(model, validation, precision)
        measured |= {"train:loss": followed.smoothed_loss, "train:samples_per_second": followed.samples_per_second}
        progress.report_metrics(measured, epoch=epoch, step=step)
        history.append({"epoch": float(epoch), "step": float(step)} | measured)
        score = (measured["validation:macro_f1"], -measured["validation:loss"])
        if score > best_score:
            best_score, best_epoch = score, epoch
            best_weights = {name: value.detach().cpu().clone() for name, value in model.state_dict().items()}
    model.load_state_dict(best_weights)
    return Learned(
        history=history,
        best_epoch=best_epoch,
        steps=step,
        samples_per_second=followed.samples_per_second,
        precision=precision,
    )


def predict_logits(model: Any, examples: Examples, *, precision: str = "fp32") -> npt.NDArray[np.float32]:
    """float32 [rows, classes], in the rows' own order."""
    device = next(model.parameters()).device
    model.eval()
    result = np.empty((len(examples), len(CLASSES)), dtype=np.float32)
    with torch.inference_mode():
        for rows, batch in examples.ordered_batches(EVALUATION_BATCH):
            with _autocast(device, precision):
                logits = _logits(model, batch, device)
            result[rows] = logits.float().cpu().numpy()
    return result


def class_weights(classes: Classes, method: str) -> torch.Tensor:
    """A weight per class with mean 1 over the rows: equal, by 1/frequency, or by its root, which overcorrects less."""
    counts = np.bincount(classes, minlength=len(CLASSES)).astype(np.float64)
    power = {"none": 0.0, "sqrt": 0.5, "balanced": 1.0}[method]
    weights = counts**-power
    return torch.tensor(weights * counts.sum() / (weights * counts).sum(), dtype=torch.float32)


@dataclass(frozen=True)
class _Schedule:
    total_steps: int
    warmup_share: float

    def __call__(self, step: int) -> float:
        warmup = max(1, round(self.total_steps * self.warmup_share))
        if step < warmup:
            return (step + 1) / warmup
        return max(0.0, (self.total_steps - step) / max(1, self.total_steps - warmup))


def _optimizer(model: Any, plan: Plan) -> torch.optim.AdamW:
    """The fresh head learns faster than the pretrained body; biases and norms do not decay."""
    body = {id(parameter) for parameter in model.base_model.parameters()}
    groups: dict[tuple[bool, bool], list[torch.nn.Parameter]] = {}
    for parameter in model.parameters():
        if parameter.requires_grad:
            groups.setdefault((id(parameter) in body, parameter.ndim > 1), []).append(parameter)
    return torch.optim.AdamW(
        [
            {
                "params": parameters,
                "lr": plan.learning_rate if in_body else plan.head_learning_rate,
                "weight_decay": plan.weight_decay if decays else 0.0,
            }
            for (in_body, decays), parameters in groups.items()
        ],
        lr=plan.learning_rate,
        fused=True,
    )


def _logits(model: Any, batch: Batch, device: torch.device) -> torch.Tensor:
    output = model(
        input_ids=torch.from_numpy(batch.input_ids).to(device),
        attention_mask=torch.from_numpy(batch.attention_mask).to(device),
    )
    logits: torch.Tensor = output.logits
    return logits


@contextlib.contextmanager
def _autocast(device: torch.device, precision: str) -> Iterator[None]:
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bf16"):
        yield


def _measure(model: Any, validation: Examples, precision: str) -> dict[str, float]:
    logits = predict_logits(model, validation, precision=precision)
    scores = metrics.score(validation.classes, softmax(logits), resamples=100)
    rows = np.arange(len(validation))
    loss = -np.log(np.maximum(softmax(logits)[rows, validation.classes], 1e-12)).mean()
    return {
        "validation:loss": float(loss),
        "validation:accuracy": scores.accuracy,
        "validation:macro_f1": scores.macro_f1,
        "validation:balanced_accuracy": scores.balanced_accuracy,
        "validation:negative_recall": scores.negative_recall,
        "validation:calibration_error": scores.calibration_error,
    }
