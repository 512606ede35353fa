"""What a container does before its first request: libraries on the path, cores counted, the self-test passed."""

from __future__ import annotations

import importlib
import platform
import sys
import zipfile
from pathlib import Path

import pytest

from tests.unit.training_code.model_kit import HANDLERS, list_files, write_json, write_served
from training_code.containers import vendored
from training_code.containers.cores import available_cores
from training_code.selftest_cases import selftest_cases


@pytest.fixture
def clean_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def write_wheel(folder: Path, name: str, module: str, content: str) -> None:
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / name, "w") as archive:
        archive.writestr(f"{module}.py", content)


@pytest.mark.usefixtures("clean_path")
def test_a_library_that_travels_along_is_imported_without_pip_and_unpacked_once(tmp_path: Path) -> None:
    libraries = tmp_path / "libraries"
    write_wheel(libraries, "travelling-1.0+earshot-py3-none-any.whl", "travelling_module", "ANSWER = 42\n")
    write_wheel(libraries, "travelling-1.0+earshot-cp399-cp399-win32.whl", "travelling_module", "ANSWER = 0\n")
    vendored.put_on_path(libraries)
    importlib.invalidate_caches()
    module = importlib.import_module("travelling_module")
    assert module.ANSWER == 42
    before = list(sys.path)
    vendored.put_on_path(libraries)
    assert sys.path == before
    assert len(list(tmp_path.glob("earshot-libraries-*/*"))) == 1
    first_site = next(place for place, entry in enumerate(sys.path) if entry.endswith("site-packages"))
    assert sys.path.index(str(Path(module.__file__).parent)) < first_site


@pytest.mark.usefixtures("clean_path")
def test_a_library_without_a_wheel_for_this_interpreter_is_named(tmp_path: Path) -> None:
    write_wheel(tmp_path / "libraries", "fast-1.0+earshot-cp399-cp399-win32.whl", "fast", "")
    with pytest.raises(RuntimeError, match="holds no fast for Python 3"):
        vendored.put_on_path(tmp_path / "libraries")
    vendored.put_on_path(tmp_path / "nowhere")


@pytest.mark.usefixtures("clean_path")
def test_a_folder_that_others_can_write_to_is_not_trusted(tmp_path: Path) -> None:
    write_wheel(tmp_path / "libraries", "travelling-1.0-py3-none-any.whl", "m", "")
    vendored.put_on_path(tmp_path / "libraries")
    (folder,) = tmp_path.glob("earshot-libraries-*")
    folder.chmod(0o777)
    with pytest.raises(RuntimeError, match="open to others"):
        vendored.put_on_path(tmp_path / "libraries")


@pytest.mark.parametrize(
    ("tags", "does_fit"),
    [
        ("py3-none-any", True),
        ("py2.py3-none-any", True),
        (f"cp3{sys.version_info.minor}-cp3{sys.version_info.minor}-manylinux_2_28_{{machine}}", True),
        ("cp39-abi3-manylinux2014_{machine}.manylinux_2_17_{machine}", True),
        ("cp399-abi3-manylinux2014_{machine}", False),
        ("cp39-cp39-manylinux2014_{machine}", False),
        ("py3-none-manylinux2014_other", False),
        ("py3-none-win_{machine}", False),
    ],
)
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the tags are those of Linux")
def test_a_wheel_is_chosen_by_interpreter_and_machine(tags: str, does_fit: bool) -> None:
    assert vendored.fits(f"thing-1.0+earshot-{tags.format(machine=platform.machine())}.whl") == does_fit


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({"cpu.max": "50000 100000"}, 1),
        ({"cpu.max": "max 100000"}, None),
        ({"cpu/cpu.cfs_quota_us": "100000", "cpu/cpu.cfs_period_us": "100000"}, 1),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, None),
        ({"cpu.max": "9900000 100000"}, None),
        ({}, None),
    ],
)
def test_cores_are_those_that_the_container_may_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], cores: int | None
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1, 5})
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"{content}\n")
    assert available_cores(tmp_path) == (cores or 3)


def write_selftests(folder: Path) -> dict[str, Path]:
    folders = write_served(folder)
    for container, cases in selftest_cases(folders["label"]).items():
        write_json(folders[container] / "selftest.json", {"cases": cases})
        list_files(folders[container], container)
    return folders


def test_an_artifact_that_answers_as_it_was_packed_is_loaded(tmp_path: Path) -> None:
    for container, folder in write_selftests(tmp_path).items():
        HANDLERS[container].model_fn(str(folder))


@pytest.mark.parametrize(
    ("container", "cases", "reason"),
    [
        ("transform", [{"text": "good", "ids": [2]}], "do not become the token ids"),
        ("classify", [{"ids": [2], "logits": [0, 0, 2]}], r"probabilities are 0\.\d+ away"),
        ("classify", [{"ids": [2], "logits": [0, 0]}], "cannot be used"),
        ("classify", [{"ids": ["2"], "logits": [0, 0, 2]}], "cannot be used"),
        ("classify", [{"ids": [], "logits": [0, 0, 2]}], "cannot be used"),
        ("classify", [{"ids": [2], "logits": [0, 0, 1e308]}], "cannot be used"),
        ("label", [{"logits": [0, 0, 2]}], "cannot be used"),
        ("label", [{"logits": [0, 0, "2"], "answer": {}}], "cannot be used"),
        ("label", [{"logits": [0, 0, 2], "answer": {"label": "negative"}}], "do not become the answer"),
        ("label", [], "holds no cases"),
    ],
)
def test_an_artifact_that_answers_otherwise_is_not_served(
    tmp_path: Path, container: str, cases: list[object], reason: str
) -> None:
    folder = write_served(tmp_path)[container]
    write_json(folder / "selftest.json", {"cases": cases})
    list_files(folder, container)
    with pytest.raises(RuntimeError, match=reason):
        HANDLERS[container].model_fn(str(folder))
