"""What a training job is told reaches the model and the loop. Runs in the training environment."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.training_code.model_kit import run_training_python, write_json
from tests.unit.training_code.tiny_base import write_tiny_base

SCRIPT = """
import json, sys
import torch
from training_code import pretrained, train
from training_code.learning import _Rates

def dropped(share):
    model = pretrained.load_classifier(sys.argv[1], base="tiny", max_length=16, seed=7, attention_dropout=share).model
    return model.bert.encoder.layer[0].attention.self.dropout.p

def rates():
    groups = [{"params": [torch.nn.Parameter(torch.zeros(1))], "lr": rate} for rate in (1.0, 10.0)]
    optimizer = torch.optim.AdamW(groups)
    of_each_step = _Rates(optimizer, total_steps=10, warmup_share=0.2)
    found = []
    for step in range(10):
        of_each_step.set(step)
        found.append([group["lr"] for group in optimizer.param_groups])
    return found

told = train.parse_hyperparameters(["--decide=macro-f1", "--attention-dropout=0.2"])
print(json.dumps({
    "dropped": [dropped(0.0), dropped(0.25), dropped(None)],
    "told": [train._plan(told).decide, told.attention_dropout],
    "rates": rates(),
}))
"""


def test_what_is_told_is_what_is_learned_with(tmp_path: Path) -> None:
    base = tmp_path / "base"
    write_tiny_base(base)
    config = json.loads((base / "config.json").read_text())
    write_json(base / "config.json", config | {"attention_probs_dropout_prob": 0.15})
    done = run_training_python("-c", SCRIPT, str(base))
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["dropped"] == [0.0, 0.25, 0.15]
    assert found["told"] == ["macro-f1", 0.2]
    expected = [0.5, 1.0, 1.0, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125]
    for rates, share in zip(found["rates"], expected, strict=True):
        assert rates == pytest.approx([share, 10 * share]), "up over two steps, then down in a line"
