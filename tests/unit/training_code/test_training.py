from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import safetensors.numpy

from feedback.sentiment import CLASSES
from tests.unit.training_code.model_kit import ROOT, run_training_python, write_serving_code
from tests.unit.training_code.tiny_base import write_tiny_base
from training_code.artifacts import write_archive
from training_code.containers.classify.runtime import load_forward

WORDS = {-1: ("bad", "awful", "poor"), 0: ("okay", "fine", "average"), 1: ("good", "lovely", "great")}
OPTIONS = "--epochs=6 --patience=6 --batch-size=16 --learning-rate=3e-3 --head-learning-rate=1e-2"
WRITTEN = {
    "model.safetensors",
    "config.json",
    "tokenizer.json",
    "model.xml",
    "model.bin",
    "labels.json",
    "calibration.json",
    "tokenization.json",
    "training.json",
}


@dataclass(frozen=True)
class Workplace:
    """The folders of a training job on tiny data, and the tiny base model."""

    folder: Path

    @property
    def base(self) -> Path:
        return self.folder / "base"

    @property
    def model(self) -> Path:
        return self.folder / "model"

    @classmethod
    def prepared(cls, folder: Path, base: Path) -> Workplace:
        """With features, and a base model that others use too."""
        place = cls(folder)
        write_features(folder / "features")
        place.base.symlink_to(base)
        return place

    def train(self, *options: str, **environment: str) -> Any:
        settings = {
            "SM_CHANNEL_TRAIN": str(self.folder / "features" / "train"),
            "SM_CHANNEL_VALIDATION": str(self.folder / "features" / "validation"),
            "SM_MODEL_DIR": str(self.model),
            "SM_OUTPUT_DATA_DIR": str(self.folder / "output" / "data"),
        }
        script = str(ROOT / "training_code" / "train.py")
        return run_training_python(script, "--base", str(self.base), *options, environment=settings | environment)


def rows(count: int, offset: int) -> list[dict[str, Any]]:
    made = []
    for number in range(offset, offset + count):
        sentiment = int(CLASSES[number % 3])
        word = WORDS[sentiment][number // 3 % 3]
        made.append({"text_id": str(number), "text": f"The order number {number} is {word}", "sentiment": sentiment})
    return made


def write_features(folder: Path) -> None:
    for split, count, offset in (("train", 240, 0), ("validation", 60, 300), ("test", 60, 400)):
        path = folder / split / "part-0.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        table = pa.Table.from_pylist(rows(count, offset))
        pq.write_table(table.replace_schema_metadata({"fingerprint": "f00d"}), path)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workplace, str]:
    """A finished training job and what it printed."""
    place = Workplace(tmp_path_factory.mktemp("training"))
    write_features(place.folder / "features")
    write_tiny_base(place.base)
    done = place.train(*OPTIONS.split())
    assert done.returncode == 0, done.stderr
    return place, done.stdout


def load(path: Path) -> Any:
    return json.loads(path.read_text())


def test_training_writes_every_file_that_packing_and_serving_need(trained: tuple[Workplace, str]) -> None:
    place, _ = trained
    assert {path.name for path in place.model.iterdir()} >= WRITTEN
    assert load(place.model / "labels.json") == {
        "labels": ["negative", "neutral", "positive"],
        "sentiments": [-1, 0, 1],
    }
    calibration = load(place.model / "calibration.json")
    assert calibration["temperature"] > 0
    assert 0 <= calibration["abstain_below"] < 1
    weights = safetensors.numpy.load_file(place.model / "model.safetensors")
    assert {weight.dtype for weight in weights.values()} == {np.dtype("float32")}


def test_the_graph_takes_any_batch_and_length(trained: tuple[Workplace, str]) -> None:
    place, _ = trained
    forward = load_forward(place.model / "model.xml")
    for rows, width in ((1, 8), (3, 24)):
        ids = np.ones((rows, width), dtype=np.int64)
        assert forward(ids, ids).shape == (rows, 3)


def test_the_report_states_base_rows_metrics_and_fingerprint(trained: tuple[Workplace, str]) -> None:
    place, _ = trained
    report = load(place.model / "training.json")
    assert report["rows"] == 240
    assert report["base"] == str(place.base)
    assert report["fingerprint"] == "f00d"
    assert report["weights"] in ("int8", "int8-mixed", "fp32")
    assert report["metrics"]["validation"]["macro_f1"] > 0.9, "three words per class are learned"
    history = (place.folder / "output" / "data" / "history.jsonl").read_text().splitlines()
    assert len(history) >= report["best_epoch"] >= 1


def test_a_person_can_follow_the_training(trained: tuple[Workplace, str]) -> None:
    _, output = trained
    assert re.search(r"epoch \d/6 step \d+/90 loss \d\.\d+ \d+ samples/s eta \d+ s", output)
    assert re.search(r'"validation:macro_f1": 0\.\d+|"validation:macro_f1": 1\.0', output)
    assert "The order number" not in output, "no text in the log"


def test_evaluation_packs_the_model_and_measures_what_it_packed(trained: tuple[Workplace, str], tmp_path: Path) -> None:
    place, _ = trained
    for name in ("model", "serving"):
        (tmp_path / name).mkdir()
    write_archive(tmp_path / "model" / "model.tar.gz", {path.name: path for path in place.model.iterdir()})
    serving = write_serving_code(tmp_path / "code")
    files = {path.relative_to(serving).as_posix(): path for path in serving.rglob("*") if path.is_file()}
    write_archive(tmp_path / "serving" / "serving.tar.gz", files)

    def evaluate(name: str) -> Any:
        done = run_training_python(
            *("-m", "training_code.evaluate", "--model", str(tmp_path / "model"), "--run", "20260102-030405"),
            *("--test", str(place.folder / "features" / "test"), "--serving", str(tmp_path / "serving")),
            *("--output", str(tmp_path / name / "output"), "--release", str(tmp_path / name / "release")),
        )
        assert done.returncode == 0, done.stderr
        return load(tmp_path / name / "output" / "evaluation.json")

    report, again = evaluate("first"), evaluate("second")
    assert report["run"] == "20260102-030405"
    assert report["rows"] == 60
    assert report["macro_f1"] > 0.9
    assert report["features"]["fingerprint"] == "f00d"
    assert report["training"]["rows"] == 240
    assert report["negative_recall"] == report["per_class"]["negative"]["recall"]
    assert set(report["manifest"]) == {"transform.tar.gz", "classify.tar.gz", "label.tar.gz"}
    assert report["model_version"].startswith("20260102-030405-")
    assert again["manifest"] == report["manifest"], "packing twice gives the same bytes"
    probes = [json.loads(line) for line in (tmp_path / "first" / "release" / "probes.jsonl").read_text().splitlines()]
    assert [probe["sentiment"] for probe in probes] == [-1] * 20 + [0] * 20 + [1] * 20
    labels = {-1: "negative", 0: "neutral", 1: "positive"}
    assert np.mean([probe["expected"] == labels[probe["sentiment"]] for probe in probes]) > 0.8
    assert all(set(probe) == {"text", "sentiment", "expected"} for probe in probes)


def test_a_channel_with_a_base_model_comes_first_and_layers_can_be_frozen(
    trained: tuple[Workplace, str], tmp_path: Path
) -> None:
    place, _ = trained
    other = Workplace(tmp_path)
    write_features(tmp_path / "features")
    (tmp_path / "channel").mkdir()
    write_archive(tmp_path / "channel" / "model.tar.gz", {path.name: path for path in place.base.iterdir()})
    done = other.train(
        *("--max-steps", "3", "--max-train-rows", "90", "--freeze-layers", "1", "--quantize", "never"),
        SM_CHANNEL_BASE=str(tmp_path / "channel"),
    )
    assert done.returncode == 0, done.stderr
    report = load(other.model / "training.json")
    assert (report["base"], report["rows"], report["steps"], report["weights"]) == ("channel:base", 90, 3, "fp32")
    before = safetensors.numpy.load_file(place.base / "model.safetensors")
    after = safetensors.numpy.load_file(other.model / "model.safetensors")
    name = "encoder.layer.{}.output.dense.weight"
    np.testing.assert_array_equal(before[name.format(0)], after["bert." + name.format(0)])
    assert not np.array_equal(before[name.format(1)], after["bert." + name.format(1)])


def test_what_makes_training_impossible_becomes_the_failure_reason(tmp_path: Path) -> None:
    place = Workplace(tmp_path)
    write_features(tmp_path / "features")
    write_tiny_base(place.base)
    program = """
import sys
from training_code.train import main
for case in sys.argv[1:]:
    places = {"SM_MODEL_DIR": "model", "SM_OUTPUT_DATA_DIR": f"{case}/output/data"}
    places |= {f"SM_CHANNEL_{name.upper()}": f"features/{name}" for name in ("train", "validation")}
    if case == "channel":
        places["SM_CHANNEL_TRAIN"] = "nowhere"
    options = {"package": ["--base", "package:no_such_model"], "folder": ["--base", "/nowhere/at/all"]}
    options |= {"rate": ["--learning-rate", "0"], "word": ["--epochs", "many"], "unknown": ["--speed", "9"]}
    options |= {"layers": ["--freeze-layers", "3"], "decay": ["--layer-decay", "1.5"]}
    options |= {"parts": ["--accumulate", "0"], "share": ["--teacher-share", "1.5"], "focal": ["--focal-gamma", "-1"]}
    options |= {"attention": ["--attention-dropout", "1"]}
    options |= {"team": ["--processes", "-1"], "teacher": ["--teacher", "nobody"]}
    assert main(["--base", "base", *options.get(case, [])], places) == 1
"""
    sentences = {
        "package": "The base model package 'no_such_model' is not installed where this job runs.",
        "folder": "There is no folder /nowhere/at/all to load a base model from.",
        "rate": "The hyperparameters cannot be used: --learning-rate must be above zero.",
        "word": "The hyperparameters cannot be used: argument --epochs: invalid int value: 'many'.",
        "unknown": "The hyperparameters cannot be used: unrecognized arguments: --speed 9.",
        "decay": "The hyperparameters cannot be used: --layer-decay must be above zero and at most 1.",
        "layers": "--freeze-layers 3 is more than the 2 layers that the base model has.",
        "channel": "There is no train data: nowhere holds no parquet file.",
        "parts": "The hyperparameters cannot be used: --accumulate must be above zero.",
        "share": "The hyperparameters cannot be used: --teacher-share must be from 0 to 1.",
        "attention": "The hyperparameters cannot be used: --attention-dropout must be at least 0 and below 1.",
        "focal": "The hyperparameters cannot be used: --focal-gamma must not be negative.",
        "team": "The hyperparameters cannot be used: --processes must not be negative.",
        "teacher": "The hyperparameters cannot be used: argument --teacher: invalid choice: 'nobody' "
        "(choose from 'none', 'tfidf').",
    }
    done = run_training_python("-c", program, *sentences, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines() == list(sentences.values())
    for case, sentence in sentences.items():
        assert (tmp_path / case / "output" / "failure").read_text() == sentence


RATES = """
import dataclasses, sys
from training_code import learning, pretrained
from training_code.train import Hyperparameters, _plan
model = pretrained.load_classifier(sys.argv[1], base="b", max_length=16, seed=1).model
for decay in (1.0, 0.5):
    plan = dataclasses.replace(_plan(Hyperparameters(learning_rate=1.0, head_learning_rate=3.0)), layer_decay=decay)
    rates = {id(p): group["lr"] for group in learning._optimizer(model, plan).param_groups for p in group["params"]}
    bert = model.bert
    parts = (bert.embeddings, *bert.encoder.layer, bert.pooler, model.classifier)
    print([sorted({rates[id(p)] for p in part.parameters()}) for part in parts])
"""


def test_the_deeper_a_layer_the_slower_it_learns(tmp_path: Path) -> None:
    write_tiny_base(tmp_path / "base")
    done = run_training_python("-c", RATES, str(tmp_path / "base"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "[[1.0], [1.0], [1.0], [1.0], [3.0]]",
        "[[0.25], [0.5], [1.0], [1.0], [3.0]]",
    ]


def test_the_guide_states_every_hyperparameter_with_its_default() -> None:
    script = "import json; from dataclasses import asdict; from training_code.train import Hyperparameters as H"
    done = run_training_python("-c", f"{script}; print(json.dumps(asdict(H())))")
    assert done.returncode == 0, done.stderr
    known = {name.replace("_", "-"): str(default) for name, default in json.loads(done.stdout).items()}
    rows = re.findall(
        r"^\| `([a-z-]+)` \| (?:`([^`]*)`)? ?\|", (ROOT / "docs" / "training.md").read_text(), re.MULTILINE
    )
    assert dict(rows) == known
