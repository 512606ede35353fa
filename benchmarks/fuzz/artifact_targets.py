"""The parsers of artifacts: archives, manifests and every format of data. Each refuses with an UnsafeArtifactError."""

from __future__ import annotations

import io
from collections.abc import Callable

from benchmarks.fuzz.mutation import unzipped
from benchmarks.fuzz.target import Outcome, Target, promise
from model_artifact import Limits, UnsafeArtifactError, inspect_archive
from model_artifact.content import Content
from model_artifact.formats.json_text import check_json, check_json_lines
from model_artifact.formats.magic import container_in, is_pickle, program_in
from model_artifact.formats.onnx import check_onnx
from model_artifact.formats.openvino import check_graph
from model_artifact.formats.safetensors import check_safetensors
from model_artifact.formats.text import check_text
from model_artifact.formats.wheel import check_wheel
from model_artifact.manifest import read_manifest
from tests.unit.model_artifact.artifact_kit import GRAPH, archive_of, complete, good_members, manifest_of
from tests.unit.model_artifact.hostile import HOSTILE

LIMITS = Limits(document_bytes=1 << 20, seconds=20.0)
LARGEST_SEED_BYTES = 1 << 15


def artifact_targets() -> list[Target]:
    members = good_members()
    hostile = [archive for _, build in HOSTILE.values() if len(archive := build()) <= LARGEST_SEED_BYTES]
    formats: dict[str, tuple[Callable[[Content], None], bytes]] = {
        "json": (lambda content: check_json(content, LIMITS.document_bytes), members["tokenizer.json"]),
        "jsonl": (lambda content: check_json_lines(content, LIMITS.document_bytes), members["probes.jsonl"]),
        "text": (check_text, members["vocab.txt"]),
        "safetensors": (check_safetensors, members["model.safetensors"]),
        "onnx": (check_onnx, members["model.onnx"]),
        "openvino": (check_graph, GRAPH),
        "wheel": (lambda content: check_wheel(content, LIMITS), members["code/wheels/thing-1-py3-none-any.whl"]),
    }
    return [
        Target(name="archive", seeds=(archive_of(complete(members)), *hostile), run=_archive(ours_only=True)),
        Target(name="archive of a stranger", seeds=(archive_of(members), *hostile), run=_archive(ours_only=False)),
        Target(name="manifest", seeds=(manifest_of(members),), run=_refusing(read_manifest)),
        Target(name="magic", seeds=tuple(map(_first_content, hostile)), run=_magic),
        *(
            Target(name=f"format {name}", seeds=(seed,), run=_refusing(_over_content(check)))
            for name, (check, seed) in formats.items()
        ),
    ]


def _refusing(parse: Callable[[bytes], object]) -> Callable[[bytes], Outcome]:
    def run(data: bytes) -> Outcome:
        try:
            parse(data)
        except UnsafeArtifactError as error:
            promise(error.sentence.isprintable(), "a refusal of more than one line")
            promise(len(error.sentence) < 1000, "a refusal without end")
            return Outcome.REFUSED
        return Outcome.ANSWERED

    return run


def _archive(*, ours_only: bool) -> Callable[[bytes], Outcome]:
    def inspect(data: bytes) -> object:
        return inspect_archive(io.BytesIO(data), limits=LIMITS, ours_only=ours_only)

    return _refusing(inspect)


def _over_content(check: Callable[[Content], None]) -> Callable[[bytes], object]:
    def parse(data: bytes) -> object:
        content = Content("member", len(data), io.BytesIO(data).read)
        check(content)
        return content.finish()

    return parse


def _magic(data: bytes) -> Outcome:
    found = is_pickle(data) or program_in(data) or container_in(data)
    return Outcome.REFUSED if found else Outcome.ANSWERED


def _first_content(archive: bytes) -> bytes:
    """The first member of a hostile archive and what comes after it: pickles and programs lie somewhere there."""
    return unzipped(archive)[512:2048]
