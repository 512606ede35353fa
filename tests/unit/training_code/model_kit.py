"""What the model tests share: a tiny model folder, the containers' code laid out for serving, and the training venv."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from types import ModuleType

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, pre_tokenizers

from model_artifact import manifest_files
from training_code.containers.classify import inference as classify
from training_code.containers.label import inference as label
from training_code.containers.transform import inference as transform

ROOT = Path(__file__).parents[3]
TRAINING_PYTHON = ROOT / ".venv-training" / "bin" / "python"
HANDLERS: dict[str, ModuleType] = {"transform": transform, "classify": classify, "label": label}

VOCABULARY = ["[PAD]", "[UNK]", "bad", "okay", "good"]
VERSION = "test-000000000000"


def write_model(folder: Path, *, temperature: float = 1.0, abstain_below: float = 0.4) -> Path:
    """A model of three words: each occurrence of bad, okay or good adds 2 to the logit of its class."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer(models.WordLevel({word: index for index, word in enumerate(VOCABULARY)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    weights = np.zeros((len(VOCABULARY), 3), dtype=np.float32)
    weights[2:] = 2 * np.eye(3)
    save_graph(folder / "model.onnx", weights)
    write_json(folder / "tokenization.json", {"max_length": 16, "pad_id": 0, "vocabulary_size": len(VOCABULARY)})
    write_json(folder / "labels.json", {"labels": ["negative", "neutral", "positive"], "sentiments": [-1, 0, 1]})
    write_json(folder / "calibration.json", {"temperature": temperature, "abstain_below": abstain_below})
    write_json(folder / "training.json", {"base": "three words", "rows": 3})
    return folder


def save_graph(path: Path, weights: np.ndarray) -> None:
    nodes = [
        helper.make_node("Gather", ["weights", "input_ids"], ["scores"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["wide_mask"]),
        helper.make_node("Mul", ["scores", "wide_mask"], ["seen"]),
        helper.make_node("ReduceSum", ["seen", "one"], ["logits"], keepdims=0),
    ]
    graph = helper.make_graph(
        nodes,
        "three-words",
        [
            helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "sequence"])
            for name in ("input_ids", "attention_mask")
        ],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 3])],
        [
            numpy_helper.from_array(weights, "weights"),
            numpy_helper.from_array(np.array([2]), "last"),
            numpy_helper.from_array(np.array([1]), "one"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.save(model, path)


def write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value), encoding="utf-8")


def write_served(folder: Path, **settings: float) -> dict[str, Path]:
    """A folder per container, each with the tiny model's files and its own manifest."""
    folders = {}
    for container in HANDLERS:
        folders[container] = write_model(folder / container, **settings)
        list_files(folders[container], container)
    return folders


def list_files(folder: Path, container: str) -> None:
    """Write the manifest of what lies in the folder now."""
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    manifest = {"model_version": VERSION, "container": container, "files": manifest_files(files)}
    write_json(folder / "manifest.json", manifest)


def write_serving_code(folder: Path) -> Path:
    """The containers' code as the bundles lay it out: `{transform,classify,label}/code`."""
    for container in HANDLERS:
        code = folder / container / "code"
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "feedback", code / "feedback", ignore=ignored)
        shutil.copytree(ROOT / "model_artifact", code / "model_artifact", ignore=ignored)
        shutil.copytree(ROOT / "training_code" / "containers", code / "training_code" / "containers", ignore=ignored)
        shutil.copy(ROOT / "training_code" / "__init__.py", code / "training_code" / "__init__.py")
        shutil.copy(ROOT / "training_code" / "containers" / container / "inference.py", code / "inference.py")
    return folder


def run_training_python(
    *arguments: str, environment: dict[str, str] | None = None, folder: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    """Run in the training environment; its absence is a failed set-up, not a skip."""
    assert TRAINING_PYTHON.exists(), f"{TRAINING_PYTHON} is missing: `make test` sets it up"
    settings = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [str(TRAINING_PYTHON), *arguments],
        cwd=folder,
        env=settings | (environment or {}),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
