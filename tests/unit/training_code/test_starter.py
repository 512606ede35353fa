from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bundles.starter import LinearModel, _graph, build_starter
from cli.sample import write_sample
from tests.unit.training_code.model_kit import write_serving_code
from tests.unit.training_code.test_loading import write_wheel
from training_code import chain
from training_code.artifacts import CONTAINERS
from training_code.containers.classify.runtime import load_forward
from training_code.containers.ragged import pad


@pytest.fixture(scope="module")
def starters(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two builds from the same sample, smaller than the product's."""
    folder = tmp_path_factory.mktemp("starter")
    write_sample(folder / "sample.csv", rows=2500)
    serving = write_serving_code(folder / "serving")
    for name in ("first", "second"):
        build_starter(folder / "sample.csv", serving, folder / name)
    return folder / "first", folder / "second"


def ask(folder: Path, texts: list[str], scratch: Path) -> list[dict[str, Any]]:
    artifacts = {container: folder / f"{container}.tar.gz" for container in CONTAINERS}
    with chain.running(artifacts, scratch) as containers:
        answers = containers.ask("\n".join(json.dumps({"text": text}) for text in texts).encode())
    return [json.loads(line) for line in answers.splitlines()]


def test_two_builds_have_equal_bytes(starters: tuple[Path, Path]) -> None:
    first, second = starters
    names = sorted(path.name for path in first.iterdir())
    assert names == ["classify.tar.gz", "label.tar.gz", "manifest.json", "transform.tar.gz"]
    for name in names:
        assert (first / name).read_bytes() == (second / name).read_bytes()


@pytest.mark.parametrize(
    ("label", "texts"),
    [
        (
            "positive",
            ["I love this dress, fits perfectly", "Great service, thank you!", "Exactly what I wanted, so soft"],
        ),
        (
            "negative",
            ["terrible quality, broke after one day, want my money back", "not happy at all", "Worst purchase ever"],
        ),
        ("neutral", ["it is okay, nothing special", "Does what it says, fine for the price", "meh"]),
    ],
)
def test_plain_phrases_get_the_right_label(
    starters: tuple[Path, Path], tmp_path: Path, label: str, texts: list[str]
) -> None:
    answers = ask(starters[0], texts, tmp_path)
    assert [answer["label"] for answer in answers] == [label] * len(texts)
    assert all(answer["model_version"].startswith("starter-") for answer in answers)


def test_the_graph_computes_what_was_fitted(tmp_path: Path) -> None:
    generator = np.random.default_rng(2)
    model = LinearModel(
        tokens=generator.normal(size=(50, 3)), pairs=generator.normal(size=(1 << 14, 3)), bias=np.array([0.1, 0.2, 0.3])
    )
    (tmp_path / "model.onnx").write_bytes(_graph(model).SerializeToString())
    ids = [list(map(int, generator.integers(0, 50, size=length))) for length in (2, 9, 30, 3, 17, 2, 8, 5, 12, 4)]
    logits = load_forward(tmp_path / "model.onnx")(*pad(ids, pad_id=0))
    np.testing.assert_allclose(logits, model.logits(ids), rtol=1e-4, atol=1e-4)


def test_the_self_test_runs_on_the_libraries_that_travel_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where only `make setup` ran, the environment of the build has no runtime for the graph of its own."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    serving = write_serving_code(tmp_path / "serving")
    libraries = serving / "classify" / "code" / "libraries"
    write_wheel(libraries, "travelling-1.0+earshot-py3-none-any.whl", "starters_library", "HERE = True\n")
    write_sample(tmp_path / "sample.csv", rows=2500)
    build_starter(tmp_path / "sample.csv", serving, tmp_path / "starter")
    assert importlib.import_module("starters_library").HERE
