"""Folders are judged as archives are, and a folder that is not what its manifest lists is not loaded."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest

from model_artifact import MANIFEST, UnsafeArtifactError, inspect_archive, inspect_folder, manifest_files, verify_folder
from tests.unit.model_artifact.artifact_kit import archive_of, complete, good_members, manifest_of
from tests.unit.model_artifact.hostile import HOSTILE

# What no file system holds, or holds differently: the rest of the corpus must be refused as a folder too.
ONLY_IN_ARCHIVES = {
    "absolute-path",
    "bomb",
    "broken-gzip",
    "broken-tar",
    "device",
    "duplicate",
    "link",
    "name-too-long",
    "not-gzip",
    "odd-header",
    "odd-name",
    "parent-path",
    "set-id",
    "sparse",
    "too-many",
    "trailing-data",
    "truncated",
}


NO_CONTENT = {"a member of 5 GiB"}
AS_FOLDERS = [name for name, (code, _) in HOSTILE.items() if code not in ONLY_IN_ARCHIVES and name not in NO_CONTENT]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "model", complete(good_members()))


def write(folder: Path, members: dict[str, bytes]) -> Path:
    for name, content in members.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def refusal(folder: Path) -> str:
    """The code with which both readings of the folder refuse it."""
    codes = set()
    for check in (inspect_folder, verify_folder):
        with pytest.raises(UnsafeArtifactError) as refused:
            check(folder, container="classify")
        codes.add(refused.value.code)
    assert len(codes) == 1
    return codes.pop()


def test_a_good_folder_holds_what_its_archive_held(folder: Path) -> None:
    unpacked = inspect_folder(folder, container="classify")
    packed = inspect_archive(io.BytesIO(archive_of(complete(good_members()))))
    assert unpacked.digests == packed.digests
    assert verify_folder(folder, container="classify") == packed.manifest


@pytest.mark.parametrize("name", AS_FOLDERS)
def test_what_is_refused_in_an_archive_is_refused_in_a_folder(tmp_path: Path, name: str) -> None:
    code, build = HOSTILE[name]
    with tarfile.open(fileobj=io.BytesIO(build())) as archive:
        archive.extractall(tmp_path, filter="data")
        for member in archive:
            (tmp_path / member.name).chmod(member.mode)
    with pytest.raises(UnsafeArtifactError) as refused:
        inspect_folder(tmp_path, container="classify")
    assert refused.value.code == code


def test_links_pipes_and_programs_are_refused(folder: Path) -> None:
    link = folder / "link.json"
    link.symlink_to("/etc/passwd")
    assert refusal(folder) == "link"
    link.unlink()
    os.mkfifo(folder / "pipe.json")
    assert refusal(folder) == "device"
    (folder / "pipe.json").unlink()
    (folder / "code" / "inference.py").chmod(0o4755)
    assert refusal(folder) == "set-id"


def test_a_link_to_a_folder_is_not_followed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (folder / "code" / "more").symlink_to(tmp_path / "elsewhere")
    assert refusal(folder) == "link"


def test_changed_missing_and_added_files_are_named(folder: Path) -> None:
    text = (folder / "vocab.txt").read_bytes()
    (folder / "vocab.txt").write_bytes(text.replace(b"PAD", b"BAD"))
    with pytest.raises(UnsafeArtifactError, match=r"'vocab\.txt' is not the file that the manifest lists\."):
        verify_folder(folder)
    (folder / "vocab.txt").unlink()
    with pytest.raises(UnsafeArtifactError, match=r"'vocab\.txt' is listed in the manifest and not there\."):
        verify_folder(folder)
    write(folder, {"vocab.txt": text, "code/sitecustomize.py": b"print(1)\n"})
    with pytest.raises(UnsafeArtifactError, match=r"'code/sitecustomize\.py' is not listed in the manifest\."):
        verify_folder(folder)


def test_what_python_compiled_since_is_passed_over_below_the_code_alone(folder: Path) -> None:
    write(folder, {"code/__pycache__/inference.cpython-312.pyc": b"compiled"})
    verify_folder(folder)
    write(folder, {"__pycache__/inference.cpython-312.pyc": b"compiled"})
    with pytest.raises(UnsafeArtifactError, match="not listed"):
        verify_folder(folder)


def test_a_manifest_for_another_container_is_refused(folder: Path) -> None:
    with pytest.raises(UnsafeArtifactError, match="classify"):
        verify_folder(folder, container="label")


def test_a_folder_without_a_manifest_is_refused(folder: Path) -> None:
    (folder / MANIFEST).unlink()
    assert refusal(folder) == "no-manifest"
    (folder / MANIFEST).write_bytes(manifest_of(good_members(), files=None))
    assert refusal(folder) == "bad-manifest"


def test_a_manifest_lists_files_and_bytes_alike(folder: Path) -> None:
    members = good_members()
    assert manifest_files(members) == manifest_files({name: folder / name for name in [*members, MANIFEST]})
