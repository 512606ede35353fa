"""What the training loop minimises: cross-entropy as PyTorch has it, and what focal loss and a teacher change."""

from __future__ import annotations

import json

import pytest

from tests.unit.training_code.model_kit import run_training_python

SCRIPT = """
import json
import numpy as np
import torch
from training_code.examples import Batch
from training_code.learning import _Loss

generator = np.random.default_rng(7)
logits = torch.from_numpy(generator.normal(size=(9, 3)).astype(np.float32))
targets = np.arange(9) % 3
taught = generator.dirichlet(np.ones(3), 9).astype(np.float32)
weights = torch.tensor([2.0, 1.0, 0.5])
ids = np.ones((9, 4), dtype=np.int64)
batch = Batch(input_ids=ids, attention_mask=ids, targets=targets)

def mean(gamma=0.0, smoothing=0.0, **given):
    loss = _Loss(weights=weights, label_smoothing=smoothing, focal_gamma=gamma)
    whole = Batch(input_ids=ids, attention_mask=ids, targets=targets, **given)
    return float(loss(logits, whole)) / loss.divisor(whole)

def parts(of):
    loss = _Loss(weights=weights, label_smoothing=0.1, focal_gamma=0.0)
    found = [batch.part(place, of) for place in range(of)]
    return sum(float(loss(logits[place::of], part))
               for place, part in enumerate(found) if not part.is_spare) / loss.divisor(batch)

chance = logits.softmax(1).numpy()[np.arange(9), targets]
each = weights.numpy()[targets]
torchs = torch.nn.CrossEntropyLoss(weight=weights, label_smoothing=0.1)(logits, torch.from_numpy(targets))
print(json.dumps({
    "smoothed": [mean(smoothing=0.1), float(torchs)],
    "in four parts": [parts(4), float(torchs)],
    "in more parts than rows": [parts(12), float(torchs)],
    "focal": [mean(gamma=2.0), float((each * (1 - chance) ** 2 * -np.log(chance)).sum() / each.sum())],
    "taught": [mean(taught=taught),
               float(-(taught * weights.numpy() * logits.log_softmax(1).numpy()).sum() / each.sum())],
}))
"""


def test_the_loss_is_that_of_the_whole_batch_whatever_it_is_made_of() -> None:
    done = run_training_python("-c", SCRIPT)
    assert done.returncode == 0, done.stderr
    for what, (found, expected) in json.loads(done.stdout).items():
        assert found == pytest.approx(expected, rel=1e-5), what
