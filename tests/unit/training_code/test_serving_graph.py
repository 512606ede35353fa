"""The graph that is served computes what the trained model computes. Runs in the training environment."""

from __future__ import annotations

from tests.unit.training_code.model_kit import run_training_python

PROGRAM = """
import sys, tempfile
from pathlib import Path
import numpy as np, openvino, torch, transformers
from training_code.containers.classify.runtime import load_forward
from training_code.containers.ragged import pad
from training_code.fused_encoder import fused_encoder
from training_code.onnx_export import export_onnx

torch.manual_seed(0)
sizes = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48)
sizes |= dict(vocab_size=60, num_labels=3)
generator = np.random.default_rng(0)
rows = [generator.integers(5, 60, size=length).tolist() for length in (3, 9, 5, 1)]
input_ids, attention_mask = pad(rows, pad_id=1)
for kind in ("Bert", "Roberta", "Electra", "DistilBert"):
    names = {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 48, "vocab_size": 60, "num_labels": 3}
    config = getattr(transformers, f"{kind}Config")(**(names if kind == "DistilBert" else sizes), pad_token_id=1)
    model = getattr(transformers, f"{kind}ForSequenceClassification")(config).eval()
    def logits():
        with torch.inference_mode():
            return model(input_ids=torch.tensor(input_ids), attention_mask=torch.tensor(attention_mask)).logits.numpy()
    before, parts = logits(), [type(part) for part in model.modules()]
    with fused_encoder(model):
        is_fused = [type(part) for part in model.modules()] != parts
    with tempfile.TemporaryDirectory() as folder:
        export_onnx(model, Path(folder) / "model.onnx")
        served = load_forward(Path(folder) / "model.onnx")(input_ids, attention_mask)
    assert np.abs(served - before).max() < 1e-5, kind
    assert [type(part) for part in model.modules()] == parts and np.array_equal(logits(), before), kind
    print(kind, is_fused)
"""


def test_the_exported_graph_gives_the_models_logits_and_leaves_the_model_as_it_was() -> None:
    done = run_training_python("-c", PROGRAM)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["Bert True", "Roberta True", "Electra True", "DistilBert False"]
