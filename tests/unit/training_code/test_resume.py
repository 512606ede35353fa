"""A training job that was cut off goes on from its checkpoint, and ends as if nothing had happened."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.unit.training_code.model_kit import ROOT, TRAINING_PYTHON
from tests.unit.training_code.test_training import Workplace, load
from tests.unit.training_code.tiny_base import write_tiny_base

OPTIONS = [
    "--epochs=4",
    "--patience=4",
    "--batch-size=16",
    "--learning-rate=3e-3",
    "--quantize=never",
    "--checkpoint-steps=7",
]


def end_in_the_middle(place: Workplace, how: signal.Signals) -> int:
    """Start the job, send it the signal once it has written a few checkpoints, and wait for its end."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"} | {
        "SM_CHANNEL_TRAIN": str(place.folder / "features" / "train"),
        "SM_CHANNEL_VALIDATION": str(place.folder / "features" / "validation"),
        "SM_MODEL_DIR": str(place.model),
        "SM_OUTPUT_DATA_DIR": str(place.folder / "output" / "data"),
    }
    command = [str(TRAINING_PYTHON), str(ROOT / "training_code" / "train.py"), "--base", str(place.base), *OPTIONS]
    started = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while not (place.folder / "checkpoints" / "step-000000021").exists() and time.monotonic() < until:
        time.sleep(0.002)
    started.send_signal(how)
    return started.wait(timeout=60)


def outcome(place: Workplace) -> tuple[bytes, list[Any], Any]:
    """Weights, the figures of every epoch, and those of the end, without times."""
    history = (place.folder / "output" / "data" / "history.jsonl").read_text().splitlines()
    entries = [load_line(line) for line in history]
    report = load(place.model / "training.json")
    return (place.model / "model.safetensors").read_bytes(), entries, (report["metrics"], report["best_epoch"])


def load_line(line: str) -> Any:
    return {name: value for name, value in json.loads(line).items() if name != "train:samples_per_second"}


def workplace(folder: Path, base: Path) -> Workplace:
    place = Workplace.prepared(folder, base)
    (folder / "checkpoints" / "unfinished-000000003").mkdir(parents=True)
    return place


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("resume") / "base"
    write_tiny_base(folder)
    return folder


def test_a_killed_run_and_an_ended_one_go_on_to_the_very_same_weights(base: Path, tmp_path: Path) -> None:
    whole = workplace(tmp_path / "whole", base)
    assert (done := whole.train(*OPTIONS)).returncode == 0, done.stderr
    assert "goes on" not in done.stdout
    for how, code in ((signal.SIGKILL, -9), (signal.SIGTERM, 143)):
        place = workplace(tmp_path / how.name, base)
        assert end_in_the_middle(place, how) == code
        assert not (place.model / "model.safetensors").exists()
        again = place.train(*OPTIONS)
        assert again.returncode == 0, again.stderr
        assert "goes on from the checkpoint at step" in again.stdout
        assert outcome(place) == outcome(whole)
        # A kill may come before the third is gone, or leave one unfinished: the run that goes on puts that right.
        assert len(list((place.folder / "checkpoints").iterdir())) == 2, "only the last two stay"


def test_what_is_no_checkpoint_of_this_run_is_passed_over_in_a_sentence(base: Path, tmp_path: Path) -> None:
    place = workplace(tmp_path / "other", base)
    steps = ["--max-steps=10", "--quantize=never"]
    assert (done := place.train(*steps, "--checkpoint-steps=4")).returncode == 0, done.stderr
    other = place.train(*steps, "--seed=8")
    assert "The checkpoint step-000000008 is of another configuration or other data, and is left alone." in other.stdout
    assert "goes on" not in other.stdout
    tensors = place.folder / "checkpoints" / "step-000000008" / "tensors.safetensors"
    tensors.write_bytes(tensors.read_bytes()[:-8])
    cut = place.train(*steps)
    assert cut.returncode == 0, cut.stderr
    assert "The checkpoint step-000000008 cannot be read and is passed over: ValueError." in cut.stdout
    assert "goes on from the checkpoint at step 4 of 10" in cut.stdout
