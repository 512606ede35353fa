"""Inspects a folder that an artifact was unpacked to, and compares it with its manifest. Follows no link."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from model_artifact.collection import Collection
from model_artifact.content import Content
from model_artifact.errors import refuse
from model_artifact.inspection import Inspection
from model_artifact.limits import DEFAULT_LIMITS, Limits
from model_artifact.manifest import MANIFEST, MANIFEST_BYTES, check_files, read_manifest
from model_artifact.served import CODE

_WRITTEN_BY_PYTHON = "__pycache__"


def inspect_folder(
    folder: Path | str, *, limits: Limits = DEFAULT_LIMITS, container: str | None = None, ours_only: bool = True
) -> Inspection:
    """As `inspect_archive`, of what lies in a folder."""
    found = Collection(limits, container=container, ours_only=ours_only)
    for name, path, status in _walk(Path(folder)):
        if stat.S_ISDIR(status.st_mode):
            found.add_folder(name)
            continue
        with path.open("rb") as file:
            content = Content(name, status.st_size, file.read)
            found.add_file(name, content, may_be_executed=bool(status.st_mode & 0o111))
    return found.judge("")


def verify_folder(folder: Path | str, *, container: str | None = None) -> Mapping[str, object]:
    """The manifest of an unpacked artifact, once every file is known to be the one that it lists and no other is there.

    Quick enough for every start of a container: contents are digested, not understood. What Python compiled below
    `code/` since then is passed over.
    """
    digests: dict[str, str] = {}
    for name, path, status in _walk(Path(folder)):
        if stat.S_ISDIR(status.st_mode) or _is_compiled(name):
            continue
        with path.open("rb") as file:
            digests[name] = Content(name, status.st_size, file.read).finish()
    if MANIFEST not in digests:
        refuse("no-manifest", MANIFEST, "is missing")
    with (Path(folder) / MANIFEST).open("rb") as file:
        manifest = read_manifest(file.read(MANIFEST_BYTES))
    check_files(manifest, digests, container=container)
    return manifest


def _is_compiled(name: str) -> bool:
    parts = name.split("/")
    return parts[0] == CODE and parts[-2:-1] == [_WRITTEN_BY_PYTHON] and name.endswith(".pyc")


def _walk(folder: Path, above: str = "") -> Iterator[tuple[str, Path, os.stat_result]]:
    """Every file and folder below, by its path with slashes, sorted; a refusal for anything else."""
    if above.count("/") > DEFAULT_LIMITS.depth:
        refuse("name-too-long", above, f"lies more than {DEFAULT_LIMITS.depth} folders deep")
    with os.scandir(folder) as found:
        items = sorted(found, key=lambda item: item.name)
    for item in items:
        name = f"{above}{item.name}"
        status = item.stat(follow_symlinks=False)
        if stat.S_ISLNK(status.st_mode):
            refuse("link", name, "is a symbolic link")
        if not stat.S_ISDIR(status.st_mode) and not stat.S_ISREG(status.st_mode):
            refuse("device", name, "is neither a file nor a folder")
        if status.st_mode & (stat.S_ISUID | stat.S_ISGID) and stat.S_ISREG(status.st_mode):
            refuse("set-id", name, "would run with another user's rights")
        yield name, Path(item.path), status
        if stat.S_ISDIR(status.st_mode):
            yield from _walk(Path(item.path), f"{name}/")
