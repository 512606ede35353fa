"""Hostile archives through the local hosting's cache, and good ones under Python's audit hook while they are loaded."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from local.sagemaker.hosting.artifacts import ArtifactError, ModelCache
from model_artifact import inspect_archive
from tests.unit.local_hosting.hosting_kit import ObjectsInMemory
from tests.unit.model_artifact.hostile import HOSTILE
from tests.unit.training_code.model_kit import write_model, write_serving_code
from training_code.artifacts import CONTAINERS, build_release, unpack

ROOT = Path(__file__).resolve().parents[3]
# Without a manifest of ours they are a stranger's archives, and nothing else is wrong with them.
STRANGERS = {"no manifest", "a manifest that is no object", "a manifest without a version"}
# Which container it will be is not known before it starts: its own code refuses the artifact of another.
UNKNOWN_YET = {"a manifest for another container"}
NEVER = {"pickle.find_class", "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "socket.connect"}
# Loads a container's model as a toolkit does and reports every event that runs or fetches something.
PROBE = """
import importlib, json, os, sys
folder, project = sys.argv[1:]
sys.dont_write_bytecode = True
sys.path[:] = [os.path.join(folder, "code")] + [entry for entry in sys.path if os.path.abspath(entry or ".") != project]
events = []
RUNS = {"exec", "compile", "import", "marshal.loads", "pickle.find_class", "ctypes.dlopen", "subprocess.Popen",
        "os.system", "os.exec", "os.posix_spawn", "socket.connect"}
def hook(event, arguments):
    if event not in RUNS:
        return
    place = ""
    if event == "exec":
        place = getattr(arguments[0], "co_filename", "")
    elif event == "compile":
        place = arguments[1] if isinstance(arguments[1], str) else ""
    elif event == "import":
        place = arguments[1] or ""
    events.append((event, str(place)))
sys.addaudithook(hook)
handler = importlib.import_module("inference")
handler.model_fn(folder)
print(json.dumps({"events": events, "from": handler.__file__}))
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The three archives of a tiny model, as they would be released."""
    folder = tmp_path_factory.mktemp("release")
    model, code = write_model(folder / "model"), write_serving_code(folder / "serving")
    return build_release(model, code, folder / "release", version_prefix="test").artifacts


@pytest.mark.parametrize("name", sorted(set(HOSTILE) - STRANGERS - UNKNOWN_YET))
def test_the_local_hosting_writes_nothing_of_a_hostile_archive(tmp_path: Path, name: str) -> None:
    uri, s3 = "s3://models/m/model.tar.gz", ObjectsInMemory()
    s3.objects[uri] = HOSTILE[name][1]()
    cache = ModelCache(tmp_path / "cache", s3)
    with pytest.raises(ArtifactError) as refused:
        cache.fetch(uri, cache.present_etag(uri))
    assert str(refused.value).endswith(".")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("container", CONTAINERS)
def test_loading_runs_nothing_of_the_model_folder_but_its_code(
    container: str, served: dict[str, Path], tmp_path: Path
) -> None:
    inspect_archive(served[container], container=container)
    unpack(served[container], tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", PROBE, str(tmp_path), str(ROOT)], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen["from"] == str(tmp_path / "code" / "inference.py")
    ran = {place for _, place in seen["events"] if place.startswith(str(tmp_path))}
    assert ran
    assert all(place.startswith(str(tmp_path / "code")) and place.endswith(".py") for place in ran), ran
    assert not {event for event, _ in seen["events"]} & NEVER
