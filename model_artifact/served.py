"""What an artifact of ours may hold: data in formats that only hold numbers and texts, and code in `code/` alone.

Knows the formats by name and place. Archives of other people are not held to it.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from model_artifact.content import Content
from model_artifact.errors import refuse
from model_artifact.formats.json_text import check_json, check_json_lines
from model_artifact.formats.magic import HEAD_BYTES, container_in, is_pickle, is_script, program_in
from model_artifact.formats.onnx import check_onnx
from model_artifact.formats.openvino import check_graph, check_weights
from model_artifact.formats.safetensors import check_safetensors
from model_artifact.formats.text import check_text
from model_artifact.formats.wheel import check_wheel
from model_artifact.limits import Limits

CODE = "code"
DATA_SUFFIXES = (".json", ".jsonl", ".safetensors", ".onnx", ".xml", ".bin", ".txt")
CODE_SUFFIXES = (".py", ".json", ".txt", ".toml", ".whl")


def check_member(parts: tuple[str, ...], content: Content, *, may_be_executed: bool, limits: Limits) -> None:
    """Check one file by its place, its suffix and its bytes; UnsafeArtifactError where one of them does not fit."""
    is_code = parts[0] == CODE and len(parts) > 1
    suffix = PurePosixPath(parts[-1]).suffix
    if suffix not in (CODE_SUFFIXES if is_code else DATA_SUFFIXES):
        _refuse_kind(content, "is no kind of file that the code folder holds" if is_code else "is in no format of data")
    if may_be_executed and not is_code:
        refuse("executable", content.name, "is marked as a program")
    head = content.head(HEAD_BYTES)
    if program_in(head) or (is_script(head) and (may_be_executed or not is_code)):
        refuse("executable", content.name, f"is {program_in(head) or 'a script'}")
    if is_pickle(head):
        refuse("pickle", content.name, "is a pickle, which runs code when it is loaded")
    if suffix != ".whl" and (kind := container_in(head)):
        refuse("hidden-archive", content.name, f"is {kind}")
    _check_format(suffix, content, limits)


def check_pairs(names: set[str]) -> None:
    """Raw weights are taken only as those of a graph of the same name."""
    for name in sorted(names):
        if name.endswith(".bin") and f"{name.removesuffix('.bin')}.xml" not in names:
            refuse("not-weights", name, "belongs to no graph")


def _check_format(suffix: str, content: Content, limits: Limits) -> None:
    if suffix == ".json":
        check_json(content, limits.document_bytes)
    elif suffix == ".jsonl":
        check_json_lines(content, limits.document_bytes)
    elif suffix == ".safetensors":
        check_safetensors(content)
    elif suffix == ".onnx":
        check_onnx(content)
    elif suffix == ".xml":
        check_graph(content)
    elif suffix == ".bin":
        check_weights(content)
    elif suffix == ".whl":
        check_wheel(content, limits)
    else:
        check_text(content)


def _refuse_kind(content: Content, what: str) -> None:
    """The most telling reason for a file that may not be there: what it really is, where that can be seen."""
    head = content.head(HEAD_BYTES)
    if is_pickle(head):
        refuse("pickle", content.name, "is a pickle, which runs code when it is loaded")
    if kind := program_in(head):
        refuse("executable", content.name, f"is {kind}")
    if kind := container_in(head):
        refuse("hidden-archive", content.name, f"is {kind}")
    refuse("format", content.name, what)
