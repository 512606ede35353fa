"""The training loop: fused AdamW, warm-up and linear decay, class weights, clipping, the best epoch by macro-F1.

A loop of its own, for it costs a fraction of a general trainer's overhead per step and every line of it can be read.
Works on the CPU, on a GPU, and in a team of processes that share every batch. Knows nothing of hyperparameter names or
export.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from feedback.sentiment import CLASSES
from training_code import decision, metrics, progress
from training_code.calibration import softmax
from training_code.checkpoints import Checkpoint, Checkpoints
from training_code.containers.decision import decided, of_decided
from training_code.distributed import ALONE, Team
from training_code.examples import Batch, Examples
from training_code.failures import JobError
from training_code.lean_encoder import lean_encoder
from training_code.metrics import Classes
from training_code.progress import Progress
from training_code.targets import sentiment_logits

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
    layer_decay: float = 1.0
    focal_gamma: float = 0.0
    accumulate: int = 1
    decide: str = decision.LIKELIEST
    """How the model that is served will decide, by which the best epoch is chosen."""


@dataclass(frozen=True, kw_only=True)
class Learned:
    """The model holds the weights of the best epoch; `history` has one entry per evaluation."""

    history: list[dict[str, float]]
    best_epoch: int
    steps: int
    samples_per_second: float
    precision: str


def best_device(team: Team = ALONE) -> torch.device:
    return torch.device("cuda", team.local_rank) if torch.cuda.is_available() else torch.device("cpu")


def choose_precision(wanted: str, device: torch.device) -> str:
    """bf16 pays only where the hardware multiplies it: a GPU that can, or a CPU with AVX-512 BF16 or AMX."""
    if wanted != "auto":
        return wanted
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported() else "fp32"
    can = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return "bf16" if can else "fp32"


def learn(
    model: Any,
    train: Examples,
    validation: Examples,
    plan: Plan,
    checkpoints: Checkpoints | None = None,
    team: Team = ALONE,
) -> Learned:
    """Train until the epochs, the steps or the patience are used up.

    With checkpoints a run that was cut off goes on from its last one, with the same result, and one that is asked to
    end by SIGTERM leaves one before it does. A team of processes takes each batch apart between them and learns from it
    what one would; only dropout is drawn by each for itself, and anew where it goes on from a checkpoint.
    """
    device = best_device(team)
    model.to(device)
    with lean_encoder(model, device):
        return _learn(model, train, validation, plan, checkpoints, team)


def _learn(
    model: Any, train: Examples, validation: Examples, plan: Plan, checkpoints: Checkpoints | None, team: Team
) -> Learned:
    device = next(model.parameters()).device
    precision = choose_precision(plan.precision, device)
    torch.manual_seed(plan.seed + team.rank)
    generator = np.random.default_rng(plan.seed)
    total_steps = train.steps_per_epoch(plan.batch_size) * plan.epochs
    if plan.max_steps is not None:
        total_steps = min(total_steps, plan.max_steps)
    optimizer = _optimizer(model, plan)
    rates = _Rates(optimizer, total_steps, plan.warmup_share)
    loss_of = _Loss(
        weights=class_weights(train.targets, plan.class_weights, of=model.config.num_labels),
        label_smoothing=plan.label_smoothing,
        focal_gamma=plan.focal_gamma,
    )
    shared = team.shared(model)
    followed = Progress(total_steps=total_steps, epochs=plan.epochs)
    history: list[dict[str, float]] = []
    best_score, best_epoch, best_weights, step, epoch = (-1.0, 0.0), 0, {}, 0, 0
    learning = [parameter for parameter in model.parameters() if parameter.requires_grad]
    done_of_epoch, turns = 0, range(plan.accumulate)
    found = team.from_first(checkpoints.latest() if checkpoints is not None and team.is_first else None)
    if found is not None:
        state = found.state
        step, epoch, done_of_epoch = state["step"], state["epoch"] - 1, state["done_of_epoch"]
        history, best_epoch = state["history"], state["best_epoch"]
        best_score = (state["best_score"][0], state["best_score"][1])
        best_weights = _part(found, "best.")
        model.load_state_dict(_part(found, "model."))
        _restore_optimizer(optimizer, found)
        generator.bit_generator.state = state["generator"]
        if team.size == 1:
            _restore_random(found)
        else:
            torch.manual_seed(plan.seed + team.rank + team.size * step)
        followed.resumed(step=step, loss=state["loss"])
        progress.say(f"goes on from the checkpoint at step {step} of {total_steps}")
    ending = _Ending(is_heard=checkpoints is not None)
    while step < total_steps and epoch - best_epoch <= plan.patience:
        epoch += 1
        model.train()
        at_epoch_start = generator.bit_generator.state
        batches = itertools.islice(train.shuffled_batches(plan.batch_size, generator), done_of_epoch, None)
        for batch in batches:
            own_loss, divisor = 0.0, loss_of.divisor(batch)
            for turn in turns:
                part = batch.part(team.rank * plan.accumulate + turn, team.size * plan.accumulate)
                with contextlib.nullcontext() if turn == turns[-1] else team.without_exchange(shared):
                    with _autocast(device, precision):
                        logits = _logits(shared, part, device)
                    # The team takes the mean of what its members found, of which each is a part of the sum.
                    loss = loss_of(logits.float(), part) * (0.0 if part.is_spare else team.size / divisor)
                    loss.backward()
                    own_loss += loss.item()
            is_due = checkpoints is not None and (ending.is_asked or (team.is_first and checkpoints.is_due(step + 1)))
            loss_value, due, asked = team.mean(own_loss, float(is_due), float(ending.is_asked))
            if not math.isfinite(loss_value):
                raise JobError(f"The loss is no number any more at step {step + 1}: a lower learning rate may help.")
            torch.nn.utils.clip_grad_norm_(learning, plan.clip_norm)
            rates.set(step)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            step += 1
            followed.step_done(epoch=epoch, step=step, samples=len(batch.targets), loss=loss_value)
            done_of_epoch += 1
            if step == total_steps:
                break
            if checkpoints is not None and team.is_first and due:
                checkpoints.save(
                    step,
                    Checkpoint(
                        state={
                            "step": step,
                            "epoch": epoch,
                            "done_of_epoch": done_of_epoch,
                            "history": history,
                            "best_epoch": best_epoch,
                            "best_score": list(best_score),
                            "generator": at_epoch_start,
                            "loss": followed.smoothed_loss,
                        },
                        tensors=_tensors(model, optimizer, best_weights),
                    ),
                )
            if asked:
                progress.say(f"asked to end at step {step} of {total_steps}")
                raise SystemExit(128 + signal.SIGTERM)
        done_of_epoch = 0
        measured = _measure(model, validation, plan.decide, precision, team)
        measured |= {"train:loss": followed.smoothed_loss, "train:samples_per_second": followed.samples_per_second}
        progress.report_metrics(measured, epoch=epoch, step=step)
        history.append({"epoch": float(epoch), "step": float(step)} | measured)
        score = (measured["validation:macro_f1"], -measured["validation:loss"])
        if score > best_score:
            best_score, best_epoch = score, epoch
            best_weights = {name: value.detach().cpu().clone() for name, value in model.state_dict().items()}
    ending.close()
    model.load_state_dict(best_weights)
    return Learned(
        history=history,
        best_epoch=best_epoch,
        steps=step,
        samples_per_second=followed.samples_per_second,
        precision=precision,
    )


@dataclass(frozen=True, kw_only=True)
class _Loss:
    """Cross-entropy as a sum over rows, and what divides it. With focal gamma, rows that are clear count less:
    https://arxiv.org/abs/1708.02002"""

    weights: torch.Tensor
    """[classes], on the CPU, where the divisor is found without waiting for a GPU."""
    label_smoothing: float
    focal_gamma: float

    def __call__(self, logits: torch.Tensor, batch: Batch) -> torch.Tensor:
        truth = torch.from_numpy(batch.targets if batch.taught is None else batch.taught).to(logits.device)
        losses = torch.nn.functional.cross_entropy(
            logits, truth, weight=self.weights.to(logits.device), label_smoothing=self.label_smoothing, reduction="none"
        )
        if self.focal_gamma:
            certain = logits.softmax(dim=-1).gather(1, torch.from_numpy(batch.targets).to(logits.device)[:, None])
            losses = losses * (1 - certain[:, 0]) ** self.focal_gamma
        return losses.sum()

    def divisor(self, batch: Batch) -> float:
        return float(self.weights[torch.from_numpy(batch.targets)].sum())


class _Ending:
    """Notes that SIGTERM came, instead of dying of it in the middle of a step; as before once `close`d."""

    def __init__(self, *, is_heard: bool) -> None:
        self.is_asked = False
        self._before = signal.signal(signal.SIGTERM, self._asked) if is_heard else None

    def close(self) -> None:
        if self._before is not None:
            signal.signal(signal.SIGTERM, self._before)

    def _asked(self, *_: object) -> None:
        self.is_asked = True


def _tensors(model: Any, optimizer: torch.optim.Optimizer, best: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
    tensors |= {f"best.{name}": value for name, value in best.items()}
    for place, values in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{place}.{name}": value for name, value in values.items()}
    tensors["random.cpu"] = torch.get_rng_state()
    if torch.cuda.is_available():
        tensors["random.cuda"] = torch.cuda.get_rng_state()
    return tensors


def _part(checkpoint: Checkpoint, prefix: str) -> dict[str, torch.Tensor]:
    tensors = checkpoint.tensors.items()
    return {name.removeprefix(prefix): value for name, value in tensors if name.startswith(prefix)}


def _restore_optimizer(optimizer: torch.optim.Optimizer, checkpoint: Checkpoint) -> None:
    moments: dict[int, dict[str, torch.Tensor]] = {}
    for name, value in _part(checkpoint, "optimizer.").items():
        place, _, kind = name.partition(".")
        moments.setdefault(int(place), {})[kind] = value
    optimizer.load_state_dict({"state": moments, "param_groups": optimizer.state_dict()["param_groups"]})


def _restore_random(checkpoint: Checkpoint) -> None:
    torch.set_rng_state(checkpoint.tensors["random.cpu"])
    if torch.cuda.is_available() and "random.cuda" in checkpoint.tensors:
        torch.cuda.set_rng_state(checkpoint.tensors["random.cuda"])


def predict_logits(
    model: Any, examples: Examples, *, precision: str = "fp32", team: Team = ALONE
) -> npt.NDArray[np.float32]:
    """float32 [rows, sentiments], in the rows' own order; a team shares the batches, and each member gets all rows."""
    device = next(model.parameters()).device
    model.eval()
    result = np.zeros((len(examples), len(CLASSES)), dtype=np.float32)
    batches = itertools.islice(examples.ordered_batches(EVALUATION_BATCH), team.rank, None, team.size)
    with torch.inference_mode():
        for rows, batch in batches:
            with _autocast(device, precision):
                logits = _logits(model, batch, device)
            result[rows] = sentiment_logits(logits.float()).cpu().numpy()
    return team.sum(result)


def class_weights(classes: Classes, method: str, *, of: int = len(CLASSES)) -> torch.Tensor:
    """A weight per class with mean 1 over the rows: equal, by 1/frequency, or by its root, which overcorrects less."""
    counts = np.bincount(classes, minlength=of).astype(np.float64)
    power = {"none": 0.0, "sqrt": 0.5, "balanced": 1.0}[method]
    # A star that nobody gave has no row to weigh.
    weights = np.maximum(counts, 1.0) ** -power
    return torch.tensor(weights * counts.sum() / (weights * counts).sum(), dtype=torch.float32)


class _Rates:
    """The learning rate of each step: up in a line over the warm-up, then down to 0."""

    def __init__(self, optimizer: torch.optim.Optimizer, total_steps: int, warmup_share: float) -> None:
        self._optimizer = optimizer
        self._highest = [group["lr"] for group in optimizer.param_groups]
        self._total_steps = total_steps
        self._warmup = max(1, round(total_steps * warmup_share))

    def set(self, step: int) -> None:
        """For the step after so many."""
        factor = (step + 1) / self._warmup
        if step >= self._warmup:
            factor = max(0.0, (self._total_steps - step) / max(1, self._total_steps - self._warmup))
        for group, highest in zip(self._optimizer.param_groups, self._highest, strict=True):
            group["lr"] = highest * factor


def _optimizer(model: Any, plan: Plan) -> torch.optim.AdamW:
    """The fresh head learns faster than the pretrained body, and each layer as its depth says; biases and norms do not
    decay."""
    body = {id(parameter) for parameter in model.base_model.parameters()}
    groups: dict[tuple[float, bool], list[torch.nn.Parameter]] = {}
    layers = getattr(model.config, "num_hidden_layers", 0)
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            rate = plan.head_learning_rate
            if id(parameter) in body:
                rate = plan.learning_rate * plan.layer_decay ** _layers_above(name, layers)
            groups.setdefault((rate, parameter.ndim > 1), []).append(parameter)
    return torch.optim.AdamW(
        [
            {
                "params": parameters,
                "lr": rate,
                "weight_decay": plan.weight_decay if decays else 0.0,
            }
            for (rate, decays), parameters in groups.items()
        ],
        lr=plan.learning_rate,
        fused=True,
    )


def _layers_above(name: str, layers: int) -> int:
    """How many layers lie between a parameter of the body and the head: general knowledge is deep, and learns less."""
    if "embeddings." in name:
        return layers
    numbered = re.search(r"\.layers?\.(\d+)\.", name)
    return layers - 1 - int(numbered.group(1)) if numbered else 0


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


def _measure(model: Any, validation: Examples, decide: str, precision: str, team: Team) -> dict[str, float]:
    truth = validation.classes
    probabilities = softmax(predict_logits(model, validation, precision=precision, team=team))
    answers = decided(probabilities, decision.weights_for(decide, probabilities, truth))
    scores = metrics.score(truth, probabilities, answers, resamples=100)
    loss = -np.log(np.maximum(of_decided(probabilities, truth), 1e-12)).mean()
    return {
        "validation:loss": float(loss),
        "validation:accuracy": scores.accuracy,
        "validation:macro_f1": scores.macro_f1,
        "validation:balanced_accuracy": scores.balanced_accuracy,
        "validation:negative_recall": scores.negative_recall,
        "validation:calibration_error": scores.calibration_error,
    }
