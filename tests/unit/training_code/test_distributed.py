"""A team of processes learns what one learns: two that speak over gloo, on this machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import safetensors.numpy

from tests.unit.training_code.test_training import Workplace, load
from tests.unit.training_code.tiny_base import write_tiny_base

# 240 rows in batches of 17: the last of an epoch holds two rows, which four parts cannot share.
OPTIONS = [
    "--epochs=3",
    "--batch-size=17",
    "--learning-rate=3e-3",
    "--class-weights=balanced",
    "--focal-gamma=0.5",
    "--teacher=tfidf",
    "--precision=fp32",
    "--quantize=never",
]
ROUNDING = 2e-4


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Without dropout, which every member of a team draws for itself."""
    folder = tmp_path_factory.mktemp("distributed") / "base"
    write_tiny_base(folder)
    config = folder / "config.json"
    quiet = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    config.write_text(json.dumps(json.loads(config.read_text()) | quiet))
    return folder


@pytest.fixture(scope="module")
def alone(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """What one process learns."""
    place = Workplace.prepared(tmp_path_factory.mktemp("alone"), base)
    trained(place)
    return place


def trained(place: Workplace, *options: str) -> str:
    done = place.train(*OPTIONS, *options)
    assert done.returncode == 0, done.stderr
    return str(done.stdout)


def figures(place: Workplace) -> list[dict[str, float]]:
    """Of every epoch, without speeds."""
    lines = (place.folder / "output" / "data" / "history.jsonl").read_text().splitlines()
    return [{name: value for name, value in json.loads(line).items() if "samples" not in name} for line in lines]


def learned(place: Workplace) -> dict[str, Any]:
    """Without the biases of attention's keys: its softmax takes them out, so they follow rounding alone."""
    found = safetensors.numpy.load_file(place.model / "model.safetensors")
    return {name: value for name, value in found.items() if not name.endswith("key.bias")}


def same(weights: dict[str, Any]) -> dict[str, Any]:
    return {name: pytest.approx(value, abs=ROUNDING) for name, value in weights.items()}


@pytest.mark.parametrize("options", [["--processes=2"], ["--accumulate=4"], ["--processes=2", "--accumulate=2"]])
def test_processes_and_accumulation_end_with_the_weights_of_one_process(
    base: Path, alone: Workplace, tmp_path: Path, options: list[str]
) -> None:
    team = Workplace.prepared(tmp_path, base)
    said = trained(team, *options)

    assert learned(team) == same(learned(alone))
    assert figures(team) == [pytest.approx(entry, abs=ROUNDING) for entry in figures(alone)]
    assert said.count("done in") == 1, "only the first of a team speaks"
    assert load(team.model / "training.json")["steps"] == load(alone.model / "training.json")["steps"]


def test_a_team_goes_on_from_the_checkpoint_of_one_process(base: Path, alone: Workplace, tmp_path: Path) -> None:
    place = Workplace.prepared(tmp_path, base)
    (place.folder / "checkpoints").mkdir()
    trained(place, "--checkpoint-steps=10")
    for left in ("model/model.safetensors", "output/data/history.jsonl"):
        (place.folder / left).unlink()

    said = trained(place, "--checkpoint-steps=10", "--processes=2")

    assert "goes on from the checkpoint at step 40 of 45" in said
    assert learned(place) == same(learned(alone))


def test_what_stops_one_process_stops_a_team_with_the_same_sentence(base: Path, tmp_path: Path) -> None:
    place = Workplace.prepared(tmp_path, base)
    (place.folder / "features" / "validation" / "part-0.parquet").unlink()

    done = place.train(*OPTIONS, "--processes=2")

    assert done.returncode != 0
    assert (place.folder / "output" / "failure").read_text().startswith("There is no validation data")
