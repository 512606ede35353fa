"""Archives: what is unpacked, what is refused, and that packing is reproducible."""

import io
import os
import tarfile
from pathlib import Path

import pytest

from local.sagemaker.archives import pack, unpack


def _member(name: str, content: bytes = b"", **more: object) -> tuple[tarfile.TarInfo, bytes]:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    for field, value in more.items():
        setattr(member, field, value)
    return member, content


def _archive(path: Path, *members: tuple[tarfile.TarInfo, bytes], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for member, content in members:
            archive.addfile(member, io.BytesIO(content))
    return path


def test_files_and_folders_come_out_as_they_went_in(tmp_path: Path) -> None:
    packed = _archive(
        tmp_path / "a.tar.gz",
        _member(".", type=tarfile.DIRTYPE),
        _member("./code", type=tarfile.DIRTYPE),
        _member("./code/run.sh", b"#!/bin/sh", mode=0o755),
        _member("model.json", b"{}"),
    )
    unpack(packed, tmp_path / "out")
    assert (tmp_path / "out" / "model.json").read_bytes() == b"{}"
    assert os.access(tmp_path / "out" / "code" / "run.sh", os.X_OK)


@pytest.mark.parametrize(
    ("member", "said"),
    [
        (_member("/etc/passwd"), "an absolute path"),
        (_member("a/../../b"), "leads out of the folder"),
        (_member("link", type=tarfile.SYMTYPE, linkname="/etc/passwd"), "no links and no devices"),
        (_member("hard", type=tarfile.LNKTYPE, linkname="a"), "no links and no devices"),
        (_member("null", type=tarfile.CHRTYPE), "no links and no devices"),
        (_member("pipe", type=tarfile.FIFOTYPE), "no links and no devices"),
        (_member("a\\b"), "not a portable path"),
    ],
)
def test_a_hostile_member_is_refused_by_name(tmp_path: Path, member: tuple[tarfile.TarInfo, bytes], said: str) -> None:
    packed = _archive(tmp_path / "a.tar.gz", member)
    with pytest.raises(ValueError) as caught:
        unpack(packed, tmp_path / "out")
    assert repr(member[0].name) in str(caught.value)
    assert said in str(caught.value)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_file_that_comes_twice_is_refused(tmp_path: Path) -> None:
    packed = _archive(tmp_path / "a.tar", _member("a", b"1"), _member("./a", b"2"), mode="w")
    with pytest.raises(ValueError, match="comes twice"):
        unpack(packed, tmp_path / "out")
    packed = _archive(tmp_path / "b.tar", _member("a", b"1"), _member("a/b", b"2"), mode="w")
    with pytest.raises(ValueError, match="below something that is a file"):
        unpack(packed, tmp_path / "other")


def test_too_many_members_and_too_many_bytes_are_refused(tmp_path: Path) -> None:
    packed = _archive(tmp_path / "a.tar.gz", *(_member(str(number), b"0" * 100) for number in range(5)))
    with pytest.raises(ValueError, match="more than 4 members"):
        unpack(packed, tmp_path / "out", max_members=4)
    with pytest.raises(ValueError, match="more than 250 bytes"):
        unpack(packed, tmp_path / "other", max_bytes=250)


def test_a_broken_archive_is_refused_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "a.tar.gz").write_bytes(b"nothing of the kind")
    with pytest.raises(ValueError, match=r"a\.tar\.gz: cannot be unpacked"):
        unpack(tmp_path / "a.tar.gz", tmp_path / "out")
    whole = _archive(tmp_path / "b.tar.gz", _member("a", os.urandom(50_000))).read_bytes()
    (tmp_path / "c.tar.gz").write_bytes(whole[:20_000])
    with pytest.raises(ValueError, match=r"c\.tar\.gz: cannot be unpacked"):
        unpack(tmp_path / "c.tar.gz", tmp_path / "other")


def test_packing_the_same_files_gives_the_same_bytes(tmp_path: Path) -> None:
    for name, moment in (("one", 1), ("two", 2_000_000)):
        (tmp_path / name / "code").mkdir(parents=True)
        (tmp_path / name / "code" / "a.py").write_text("pass")
        os.utime(tmp_path / name / "code" / "a.py", (moment, moment))
        pack(tmp_path / name, tmp_path / f"{name}.tar.gz")
    assert (tmp_path / "one.tar.gz").read_bytes() == (tmp_path / "two.tar.gz").read_bytes()
    unpack(tmp_path / "one.tar.gz", tmp_path / "out")
    assert (tmp_path / "out" / "code" / "a.py").read_text() == "pass"
