"""The gate before the model: answers the rows that it is sure of, from their tokens alone, and leaves the others.

A linear model over tokens and pairs of neighbouring tokens, distilled from the very model whose artifact it lies in
(`training_code.cascade`). It answers a row some hundred times quicker than the model. Optional: an artifact without it
is served by its model alone. Needs numpy; knows nothing of texts, files but its own two, or how it was trained.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from feedback.sentiment import LABELS
from training_code.containers.decision import Weights, decided, equal_weights, of_decided, read_weights
from training_code.containers.errors import malformed
from training_code.containers.manifest import read_json
from training_code.containers.ragged import Ragged

SETTINGS, WEIGHTS = "cascade.json", "cascade.safetensors"
NEVER = 2.0
"""A confidence that no row reaches: the gate does not answer this class."""
PAIR_FACTOR = 40_503

Ids = npt.NDArray[np.int64]
Logits = npt.NDArray[np.float32]
Rows = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Cascade:
    """Weights by class and token [3, vocabulary], by class and bucket of a pair [3, buckets], and by class [3].

    The logits are on the model's scale: `softmax(logits / temperature)` is honest with the model's own temperature.
    `confident_above` is the confidence per class above which a row is answered, and the gate decides for a class by
    the model's own weights.
    """

    tokens: Logits
    pairs: Logits
    bias: Logits
    temperature: float
    confident_above: npt.NDArray[np.float64]
    decision_weights: Weights = field(default_factory=equal_weights)

    @classmethod
    def load(cls, model_dir: str | Path) -> Cascade | None:
        """From an artifact; None when it has no gate, RuntimeError in one sentence when the gate is broken."""
        if not (Path(model_dir) / SETTINGS).is_file():
            return None
        settings = read_json(str(model_dir), SETTINGS)
        temperature, confident_above = settings.get("temperature"), settings.get("confident_above")
        if not isinstance(temperature, float) or not 0.0 < temperature < float("inf"):
            raise RuntimeError(f"{SETTINGS} in the model artifact states no usable temperature.")
        if not isinstance(confident_above, dict) or set(confident_above) != set(LABELS):
            raise RuntimeError(f"{SETTINGS} in the model artifact does not state a confidence for every label.")
        thresholds = [_threshold(confident_above[label]) for label in LABELS]
        weights = read_weights(settings, SETTINGS)
        path = Path(model_dir) / WEIGHTS
        if not path.is_file():
            raise RuntimeError(f"The model artifact has a {SETTINGS} but no {WEIGHTS}.")
        tensors = _read_safetensors(path.read_bytes())
        if set(tensors) != {"tokens", "pairs", "bias"} or any(len(t) != len(LABELS) for t in tensors.values()):
            raise RuntimeError(f"{WEIGHTS} in the model artifact does not hold a gate's weights.")
        return cls(temperature=temperature, confident_above=np.array(thresholds), decision_weights=weights, **tensors)

    def split(self, rows: Ragged) -> tuple[Logits, Rows]:
        """Logits float32 [rows, 3], and the places of the rows that the gate leaves to the model.

        RequestError when an id is beyond the vocabulary.
        """
        logits = self.logits(rows)
        answers, confidence = self.decide(logits)
        is_decided = confidence >= self.confident_above[answers]
        return logits, np.flatnonzero(~is_decided)

    def logits(self, rows: Ragged) -> Logits:
        """The sums of each row's weights over the root of its length; running sums, so that no row costs a call."""
        ids = rows.ids.astype(np.int64)
        if len(ids) and not 0 <= int(ids.min()) <= int(ids.max()) < self.tokens.shape[1]:
            raise malformed("A token id is beyond the vocabulary of the model.")
        starts = rows.starts
        ends = starts + rows.lengths
        pairs = pair_buckets(ids, self.pairs.shape[1])
        result = np.empty((len(rows), len(LABELS)), dtype=np.float32)
        for index in range(len(LABELS)):
            of_tokens = _running_sum(self.tokens[index].take(ids))
            of_pairs = _running_sum(self.pairs[index].take(pairs))
            total = of_tokens[ends] - of_tokens[starts] + of_pairs[ends - 1] - of_pairs[starts]
            result[:, index] = total / np.sqrt(rows.lengths) + self.bias[index]
        return result

    def decide(self, logits: Logits) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """The class of each row, and its probability."""
        scaled = logits.astype(np.float64) / self.temperature
        exponentials = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        probabilities = exponentials / exponentials.sum(axis=1, keepdims=True)
        answers = decided(probabilities, self.decision_weights)
        return answers, of_decided(probabilities, answers)


def pair_buckets(ids: Ids, buckets: int) -> Ids:
    """The bucket of every two neighbours in `ids`: one less than there are ids."""
    result: Ids = (ids[:-1] * PAIR_FACTOR + ids[1:]) % buckets
    return result


def _running_sum(values: Logits) -> npt.NDArray[np.float64]:
    """One longer than `values`: the sum of all before each place."""
    result = np.empty(len(values) + 1, dtype=np.float64)
    result[0] = 0.0
    np.cumsum(values, dtype=np.float64, out=result[1:])
    return result


def _threshold(value: object) -> float:
    if value is None:
        return NEVER
    if not isinstance(value, float) or not 0.0 <= value <= 1.0:
        raise RuntimeError(f"{SETTINGS} in the model artifact states a confidence that is none.")
    return value


def _read_safetensors(raw: bytes) -> dict[str, Logits]:
    """float32 tensors by name (https://github.com/huggingface/safetensors#format)."""
    try:
        (length,) = struct.unpack_from("<Q", raw)
        header = json.loads(raw[8 : 8 + length])
        data = memoryview(raw)[8 + length :]
        header.pop("__metadata__", None)
        return {name: _tensor(data, **entry) for name, entry in header.items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, struct.error) as error:
        raise RuntimeError(f"{WEIGHTS} in the model artifact is broken: {type(error).__name__}.") from error


def _tensor(data: memoryview, *, dtype: str, shape: list[int], data_offsets: list[int]) -> Logits:
    if dtype != "F32":
        raise ValueError("not float32")
    start, stop = data_offsets
    tensor = np.frombuffer(data[start:stop], dtype=np.float32).reshape(shape)
    if not np.isfinite(tensor).all():
        raise ValueError("not finite")
    return tensor
