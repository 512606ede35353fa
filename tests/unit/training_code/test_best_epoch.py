"""An epoch is judged by what the model that is served would decide. Runs in the training environment."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.unit.training_code.model_kit import run_training_python
from tests.unit.training_code.test_decision import timid_about_neutral
from training_code import decision, metrics
from training_code.containers.decision import decided

SCRIPT = """
import json, sys
import numpy as np
import torch
from types import SimpleNamespace
from training_code.distributed import ALONE
from training_code.examples import Examples
from training_code.learning import _measure

given = np.load(sys.argv[1])
probabilities, truth = given["probabilities"], given["truth"]

class Fixed(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.logits = torch.nn.Parameter(torch.from_numpy(np.log(probabilities)).float())
    def forward(self, input_ids, attention_mask):
        return SimpleNamespace(logits=self.logits[input_ids[:, 0]])

rows = Examples(ids=[[number] for number in range(len(truth))], classes=truth, pad_id=0)
print(json.dumps({way: _measure(Fixed(), rows, way, "fp32", ALONE) for way in ("argmax", "macro-f1")}))
"""


def test_macro_f1_of_an_epoch_is_of_the_decision_and_loss_is_not(tmp_path: Path) -> None:
    probabilities, truth = timid_about_neutral()
    np.savez(tmp_path / "given.npz", probabilities=probabilities, truth=truth)
    done = run_training_python("-c", SCRIPT, str(tmp_path / "given.npz"))
    assert done.returncode == 0, done.stderr
    measured = json.loads(done.stdout)
    for way, found in measured.items():
        answers = decided(probabilities, decision.weights_for(way, probabilities, truth))
        expected = metrics.score(truth, probabilities, answers, resamples=10)
        assert found["validation:macro_f1"] == pytest.approx(expected.macro_f1, abs=1e-6)
        assert found["validation:negative_recall"] == pytest.approx(expected.negative_recall, abs=1e-6)
    assert measured["macro-f1"]["validation:macro_f1"] > measured["argmax"]["validation:macro_f1"] + 0.01
    assert measured["macro-f1"]["validation:loss"] == measured["argmax"]["validation:loss"]
