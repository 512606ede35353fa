from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
from pathlib import Path

import openvino
import pytest

from model_artifact import verify_folder
from tests.unit.training_code.model_kit import HANDLERS, write_model, write_serving_code
from training_code import artifacts, chain
from training_code.failures import JobError


def test_equal_content_gives_equal_bytes_whatever_the_times_and_order(tmp_path: Path) -> None:
    (tmp_path / "b").write_text("b")
    (tmp_path / "a").write_text("a")
    artifacts.write_archive(tmp_path / "1.tar.gz", {"x/b": tmp_path / "b", "a": tmp_path / "a"})
    os.utime(tmp_path / "a", (1, 1))
    (tmp_path / "b").chmod(0o700)
    artifacts.write_archive(tmp_path / "2.tar.gz", {"a": tmp_path / "a", "x/b": tmp_path / "b"})
    first = (tmp_path / "1.tar.gz").read_bytes()
    assert first == (tmp_path / "2.tar.gz").read_bytes()
    assert first[3] & 8 == 0, "the gzip header names no file"
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(first))) as archive:
        assert [(m.name, m.mtime, m.uid, m.gid, m.mode) for m in archive] == [
            ("a", 0, 0, 0, 0o644),
            ("x/b", 0, 0, 0, 0o644),
        ]


def test_a_release_answers_with_the_version_that_its_manifests_state(tmp_path: Path) -> None:
    serving = write_serving_code(tmp_path / "serving")
    built = artifacts.build_release(
        write_model(tmp_path / "model"), serving, tmp_path / "release", version_prefix="run-1"
    )
    assert built.model_version.startswith("run-1-")
    with chain.running(built.artifacts, tmp_path / "scratch") as containers:
        answers = containers.ask(b'{"id": "1", "text": "good"}\n{"text": 5}\n')
    first, second = (json.loads(line) for line in answers.splitlines())
    assert (first["label"], first["model_version"]) == ("positive", built.model_version)
    assert second["error"]["code"] == "invalid_text"


def test_building_twice_gives_the_same_release_and_another_model_another_version(tmp_path: Path) -> None:
    serving = write_serving_code(tmp_path / "serving")
    model = write_model(tmp_path / "model")
    first = artifacts.build_release(model, serving, tmp_path / "1", version_prefix="run")
    second = artifacts.build_release(model, serving, tmp_path / "2", version_prefix="run")
    assert first.digests == second.digests
    other = write_model(tmp_path / "other", temperature=2.0)
    third = artifacts.build_release(other, serving, tmp_path / "3", version_prefix="run")
    assert third.model_version != first.model_version


def test_an_artifact_holds_its_own_container_alone(tmp_path: Path) -> None:
    built = artifacts.build_release(
        write_model(tmp_path / "model"), write_serving_code(tmp_path / "serving"), tmp_path / "1", version_prefix="run"
    )
    for container in HANDLERS:
        with tarfile.open(built.artifacts[container]) as archive:
            names = archive.getnames()
        data = {name for name in names if not name.startswith("code/")}
        graph = {"model.onnx"} if container == "classify" else set()
        assert data == {*artifacts.DATA_FILES[container], *graph, "manifest.json", "selftest.json"}
        assert "code/inference.py" in names
        assert not any("__pycache__" in name for name in names)


def test_a_model_without_a_needed_file_is_refused_by_name(tmp_path: Path) -> None:
    model = write_model(tmp_path / "model")
    (model / "model.onnx").unlink()
    with pytest.raises(JobError, match=r"no model\.xml and no model\.onnx"):
        artifacts.build_release(model, write_serving_code(tmp_path / "s"), tmp_path / "r", version_prefix="run")


def archive_with(path: Path, member: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        archive.addfile(member, io.BytesIO(b"x" * member.size))
    return path


@pytest.mark.parametrize("name", ["../outside", "/etc/outside", "a/../../outside", "a\\..\\outside"])
def test_an_archive_cannot_write_outside_its_folder(tmp_path: Path, name: str) -> None:
    member = tarfile.TarInfo(name)
    member.size = 1
    with pytest.raises(JobError, match="outside its folder"):
        artifacts.unpack(archive_with(tmp_path / "bad.tar.gz", member), tmp_path / "target")
    assert not (tmp_path / "outside").exists()


def test_links_and_devices_are_refused(tmp_path: Path) -> None:
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE):
        member = tarfile.TarInfo("link")
        member.type, member.linkname = kind, "/etc/passwd"
        with pytest.raises(JobError, match="link or a device"):
            artifacts.unpack(archive_with(tmp_path / "bad.tar.gz", member), tmp_path / "target")


def test_an_archive_that_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifacts, "LARGEST_UNPACKED_BYTES", 10)
    member = tarfile.TarInfo("large")
    member.size = 11
    with pytest.raises(JobError, match="unpacks to more"):
        artifacts.unpack(archive_with(tmp_path / "bad.tar.gz", member), tmp_path / "target")


def test_a_file_that_is_no_archive_is_named(tmp_path: Path) -> None:
    (tmp_path / "model.tar.gz").write_bytes(b"no archive")
    with pytest.raises(JobError, match=r"model\.tar\.gz is no readable archive"):
        artifacts.unpack(tmp_path / "model.tar.gz", tmp_path / "target")


def test_a_container_that_cannot_start_says_so(tmp_path: Path) -> None:
    serving = write_serving_code(tmp_path / "serving")
    built = artifacts.build_release(
        write_model(tmp_path / "model"), serving, tmp_path / "release", version_prefix="run"
    )
    artifacts.unpack(built.artifacts["label"], tmp_path / "broken")
    (tmp_path / "broken" / "calibration.json").write_text("{}")
    files = {path.relative_to(tmp_path / "broken").as_posix(): path for path in (tmp_path / "broken").rglob("*.*")}
    artifacts.write_archive(built.artifacts["label"], {name: path for name, path in files.items() if path.is_file()})
    with (
        chain.running(built.artifacts, tmp_path / "scratch") as containers,
        pytest.raises(JobError, match="label container ended with exit status 1"),
    ):
        containers.ask(b'{"text": "good"}')


def test_a_graph_in_two_files_and_a_gate_are_packed_whole_or_refused(tmp_path: Path) -> None:
    model, serving = write_model(tmp_path / "model"), write_serving_code(tmp_path / "serving")
    graph = openvino.Core().read_model(model / "model.onnx")
    (model / "model.onnx").unlink()
    openvino.save_model(graph, model / "model.xml", compress_to_fp16=False)
    built = artifacts.build_release(model, serving, tmp_path / "release", version_prefix="run")
    with tarfile.open(built.artifacts["classify"]) as archive:
        assert {"model.xml", "model.bin"} <= set(archive.getnames())
    with chain.running(built.artifacts, tmp_path / "scratch") as containers:
        assert json.loads(containers.ask(b'{"text": "bad"}'))["label"] == "negative"
    (model / "cascade.json").write_text("{}")
    with pytest.raises(JobError, match=r"no cascade\.safetensors"):
        artifacts.build_release(model, serving, tmp_path / "release", version_prefix="run")
    (model / "cascade.json").unlink()
    (model / "model.bin").unlink()
    with pytest.raises(JobError, match=r"no model\.bin"):
        artifacts.build_release(model, serving, tmp_path / "release", version_prefix="run")


def test_a_model_that_cannot_be_served_is_refused_when_it_is_packed(tmp_path: Path) -> None:
    model, serving = write_model(tmp_path / "model"), write_serving_code(tmp_path / "serving")
    (model / "calibration.json").write_text("{}")
    with pytest.raises(JobError, match=r"cannot be served: .* no usable temperature"):
        artifacts.build_release(model, serving, tmp_path / "release", version_prefix="run")


def test_every_file_of_an_artifact_is_listed_with_its_digest(tmp_path: Path) -> None:
    serving = write_serving_code(tmp_path / "serving")
    built = artifacts.build_release(write_model(tmp_path / "model"), serving, tmp_path / "r", version_prefix="run")
    for container in HANDLERS:
        artifacts.unpack(built.artifacts[container], tmp_path / container)
        assert verify_folder(tmp_path / container, container=container)["model_version"] == built.model_version
