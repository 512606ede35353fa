"""Wheels: found by their locked digests, fetched once, and slimmed to the dependencies that are used."""

import base64
import hashlib
import re
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from bundles import functions, jobs, serving
from bundles.errors import BuildError
from bundles.locks import APP, TRAINING, Pin, pinned
from bundles.slim_wheel import slim_wheel
from bundles.wheels import IMAGE_PYTHON, LOCAL, fetch_wheel
from stacks.images import framework_image

METADATA = """Metadata-Version: 2.1
Name: thing
Version: 1.0
Requires-Dist: numpy>=1.21
Requires-Dist: heavy<2
Requires-Dist: tests; extra == 'dev'
Provides-Extra: dev

What the thing is.
"""


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    path = tmp_path / "thing-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as output:
        output.writestr("thing/__init__.py", "ANSWER = 42\n")
        output.writestr("thing-1.0.dist-info/METADATA", METADATA)
        output.writestr("thing-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        output.writestr("thing-1.0.dist-info/RECORD", "")
    return path


def test_a_slim_wheel_asks_only_for_what_is_kept_and_says_so_in_its_version(wheel: Path, tmp_path: Path) -> None:
    slim = slim_wheel(wheel, tmp_path / "slim", keep=("numpy",))
    assert slim.name == "thing-1.0+earshot-py3-none-any.whl"
    with zipfile.ZipFile(slim) as archive:
        metadata = Parser().parsestr(archive.read("thing-1.0+earshot.dist-info/METADATA").decode())
        assert archive.read("thing/__init__.py") == b"ANSWER = 42\n"
    assert metadata["Version"] == "1.0+earshot"
    assert metadata.get_all("Requires-Dist") == ["numpy>=1.21"]
    assert metadata.get_payload() == "What the thing is.\n"


def test_a_slim_wheels_record_lists_every_file_with_its_digest(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(slim_wheel(wheel, tmp_path, keep=())) as archive:
        record = archive.read("thing-1.0+earshot.dist-info/RECORD").decode().splitlines()
        assert {line.split(",")[0] for line in record} == set(archive.namelist())
        (line,) = [line for line in record if line.startswith("thing/")]
    digest = base64.urlsafe_b64encode(hashlib.sha256(b"ANSWER = 42\n").digest()).decode().rstrip("=")
    assert line == f"thing/__init__.py,sha256={digest},12"


def test_files_that_are_not_needed_stay_out_of_the_wheel_and_of_its_record(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel, "a") as output:
        output.writestr("thing/libs/gpu.so", "for another device")
    with zipfile.ZipFile(slim_wheel(wheel, tmp_path / "slim", keep=(), leave_out=("thing/libs/*",))) as archive:
        assert "thing/libs/gpu.so" not in archive.namelist()
        assert b"gpu" not in archive.read("thing-1.0+earshot.dist-info/RECORD")


def test_equal_wheels_are_slimmed_to_equal_bytes(wheel: Path, tmp_path: Path) -> None:
    first = slim_wheel(wheel, tmp_path / "first", keep=()).read_bytes()
    assert slim_wheel(wheel, tmp_path / "second", keep=()).read_bytes() == first


def test_a_cached_wheel_needs_no_network_and_a_tampered_one_is_not_used(
    wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    pin = Pin(name="thing", version="1.0", hashes=frozenset({digest}))
    place = tmp_path / "cache" / "thing-1.0" / LOCAL.name / wheel.name
    place.parent.mkdir(parents=True)
    place.write_bytes(wheel.read_bytes())
    assert fetch_wheel(pin, LOCAL, tmp_path / "cache") == place
    place.write_bytes(b"something else")
    with pytest.raises(BuildError, match=r"thing==1\.0 .* could not be downloaded.*first build needs a network"):
        fetch_wheel(pin, LOCAL, tmp_path / "cache")


def test_pins_come_from_the_locks_with_their_hashes() -> None:
    pin = pinned("tokenizers", APP)
    assert f"\n{pin.requirement} \\\n" in f"\n{APP.read_text()}"
    assert len(pin.hashes) > 5
    assert all(len(digest) == 64 for digest in pin.hashes)


def test_a_package_that_a_lock_does_not_name_is_an_error() -> None:
    with pytest.raises(BuildError, match="0 versions of left-pad"):
        pinned("left-pad", APP)


def test_jobs_ask_for_exactly_what_the_local_environment_has() -> None:
    """Else pip would change the shared environment at every local job."""
    locked = re.sub(r"\[[a-z,]+\]==", "==", f"\n{TRAINING.read_text()}")
    assert all(f"\n{requirement} " in locked for requirement in jobs.pins())


def test_jobs_leave_the_images_own_packages_alone() -> None:
    assert not {"torch", "transformers", "tokenizers", "numpy", "safetensors"} & set(jobs.LIBRARIES)


def test_wheels_are_bundled_for_the_python_of_the_images() -> None:
    for name in ("sklearn-serving", "huggingface-serving"):
        image = framework_image(name)  # type: ignore[arg-type]
        assert image.python.replace(".", "") == IMAGE_PYTHON


@pytest.mark.parametrize("container", sorted(serving.LIBRARIES))
def test_containers_may_not_ask_an_index(container: str) -> None:
    """What pip is given is options alone; the libraries are put on the path without it."""
    assert serving.REQUIREMENTS.decode().splitlines() == ["--no-index", "--find-links wheels"]
    assert all(len(library.pin.hashes) > 1 for library in serving.LIBRARIES[container])


def test_functions_carry_pure_python_only(wheel: Path, tmp_path: Path) -> None:
    functions._unpack(wheel, tmp_path / "pure")
    binary = wheel.rename(tmp_path / "thing-1.0-cp313-cp313-manylinux_2_17_x86_64.whl")
    with pytest.raises(BuildError, match="not pure Python"):
        functions._unpack(binary, tmp_path / "binary")


def test_the_local_target_is_this_interpreter() -> None:
    assert LOCAL.name.startswith(f"cp{sys.version_info.major}{sys.version_info.minor}-")
