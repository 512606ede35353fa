"""A model that learns with less work computes what it did, and is itself again afterwards. Runs in the training
environment."""

from __future__ import annotations

from tests.unit.training_code.model_kit import run_training_python

PROGRAM = """
import numpy as np, torch, transformers
from training_code.containers.ragged import pad
from training_code.lean_encoder import lean_encoder

sizes = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48)
sizes |= dict(vocab_size=60, num_labels=3, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
of_distilbert = dict(dim=32, n_layers=2, n_heads=4, hidden_dim=48, vocab_size=60, num_labels=3, dropout=0.0)
of_distilbert |= dict(attention_dropout=0.0, seq_classif_dropout=0.0)
generator = np.random.default_rng(0)
rows = [generator.integers(5, 60, size=length).tolist() for length in (3, 9, 5, 1)]
input_ids, attention_mask = map(torch.tensor, pad(rows, pad_id=1))
targets = torch.tensor([0, 1, 2, 1])

def learned(model):
    model.zero_grad()
    logits = model(input_ids=input_ids, attention_mask=attention_mask).logits
    torch.nn.functional.cross_entropy(logits, targets).backward()
    gradients = {name: parameter.grad.clone() for name, parameter in model.named_parameters()}
    return logits.detach(), gradients

for kind in ("Bert", "Roberta", "Electra", "DistilBert"):
    torch.manual_seed(0)
    names = of_distilbert if kind == "DistilBert" else sizes
    config = getattr(transformers, f"{kind}Config")(**names, pad_token_id=1)
    model = getattr(transformers, f"{kind}ForSequenceClassification")(config).train()
    before, parts = learned(model), [type(part) for part in model.modules()]
    widths = []
    with lean_encoder(model, torch.device("cpu")):
        last = [part for part in model.modules() if type(part).__name__ == f"{kind}Layer"]
        for layer in last[-1:]:
            layer.output.register_forward_hook(lambda part, given, made: widths.append(made.shape[1]))
        lean, seen = learned(model), list(widths)
    assert (lean[0] - before[0]).abs().max() < 1e-6, kind
    assert lean[1].keys() == before[1].keys(), kind
    worst = max((lean[1][name] - before[1][name]).abs().max().item() for name in before[1])
    assert worst < 1e-6, (kind, worst)
    assert [type(part) for part in model.modules()] == parts and torch.equal(learned(model)[0], before[0]), kind
    assert model.config._attn_implementation == "sdpa", kind
    print(kind, seen)
"""

DROPOUT = """
import torch
from training_code.lean_encoder import FastDropout

dropout = FastDropout(0.1).train()
torch.manual_seed(3)
values = torch.full((1001, 1003), 2.0, requires_grad=True)
dropped = dropout(values)
share = (dropped == 0).float().mean().item()
assert abs(share - 26 / 256) < 0.001, share
kept = dropped[dropped != 0]
assert (kept == kept[0]).all() and abs(dropped.mean().item() - 2) < 0.005
dropped.sum().backward()
assert torch.equal(values.grad, dropped.detach() / 2), "what was left out learns nothing"
state = torch.get_rng_state()
first = dropout(values)
torch.set_rng_state(state)
assert torch.equal(dropout(values), first) and not torch.equal(dropout(values), first)
halves = dropout(torch.ones(5, dtype=torch.bfloat16))
assert halves.dtype == torch.bfloat16
assert dropout.eval()(values) is values
print("as it should")
"""


def test_the_logits_and_gradients_are_the_same_and_the_model_is_left_as_it_was() -> None:
    done = run_training_python("-c", PROGRAM)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["Bert [1]", "Roberta [1]", "Electra [1]", "DistilBert []"]


def test_fast_dropout_leaves_out_its_share_and_draws_from_torchs_generator() -> None:
    done = run_training_python("-c", DROPOUT)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "as it should\n"
