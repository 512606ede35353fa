"""Every hostile archive is refused with its reason before a byte is written, and harmless ones are taken."""

from __future__ import annotations

import io
import tracemalloc
from pathlib import Path

import pytest

from model_artifact import Limits, UnsafeArtifactError, inspect_archive
from tests.unit.model_artifact.artifact_kit import (
    archive_of,
    complete,
    good_members,
    member,
    tar,
    without_manifest,
    zipped,
)
from tests.unit.model_artifact.hostile import HOSTILE, STRANGERS_MAY

MOST_MEMORY_BYTES = 8 * 1024 * 1024


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_archive_is_refused_in_one_sentence(name: str) -> None:
    code, build = HOSTILE[name]
    with pytest.raises(UnsafeArtifactError) as refused:
        inspect_archive(io.BytesIO(build()), container="classify")
    assert refused.value.code == code, refused.value
    sentence = refused.value.sentence
    assert sentence.endswith(".")
    assert sentence.isprintable()
    assert len(sentence) < 400


def test_an_archive_with_every_format_is_taken() -> None:
    members = complete(good_members())
    found = inspect_archive(io.BytesIO(archive_of(members)), container="classify")
    assert set(found.digests) == set(members)
    assert found.size == sum(map(len, members.values()))
    assert found.is_ours


def test_a_bomb_and_a_huge_document_cost_little_memory() -> None:
    for name in ("a gzip bomb", "a JSON file too large to read"):
        content = HOSTILE[name][1]()
        tracemalloc.start()
        with pytest.raises(UnsafeArtifactError):
            inspect_archive(io.BytesIO(content))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < MOST_MEMORY_BYTES, name


def test_time_is_bounded() -> None:
    with pytest.raises(UnsafeArtifactError) as refused:
        inspect_archive(io.BytesIO(archive_of(complete(good_members()))), limits=Limits(seconds=-1.0))
    assert refused.value.code == "too-slow"


def test_a_slow_source_is_read_in_whatever_pieces_it_gives() -> None:
    content = io.BytesIO(archive_of(complete(good_members())))

    class Trickle:
        def read(self, size: int, /) -> bytes:
            return content.read(min(size, 97))

    assert inspect_archive(Trickle()).sha256 == inspect_archive(io.BytesIO(content.getvalue())).sha256


@pytest.mark.parametrize("name", [name for name, (code, _) in HOSTILE.items() if code in STRANGERS_MAY])
def test_what_sagemaker_hosts_for_strangers_is_taken_unless_it_claims_to_be_ours(name: str) -> None:
    archive = HOSTILE[name][1]()
    with pytest.raises(UnsafeArtifactError):
        inspect_archive(io.BytesIO(archive), ours_only=False)
    assert not inspect_archive(io.BytesIO(without_manifest(archive)), ours_only=False).is_ours


def test_a_strangers_archive_is_held_to_the_rules_for_archives_alone(tmp_path: Path) -> None:
    archive = tmp_path / "model.tar.gz"
    archive.write_bytes(zipped(tar({"./model.joblib": b"\x80\x04N.", "./inference.py": b"x"}) + bytes(8192)))
    found = inspect_archive(archive, ours_only=False)
    assert not found.is_ours
    assert set(found.digests) == {"model.joblib", "inference.py"}
    archive.write_bytes(zipped(tar({"model.joblib": b"\x80\x04N."}, member("../evil", b"x"))))
    with pytest.raises(UnsafeArtifactError, match=r"'\.\./evil' leads out of the folder\."):
        inspect_archive(archive, ours_only=False)
