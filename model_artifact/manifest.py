"""The manifest of a served artifact: which container it is for, and the digest of every other file in it.

A manifest proves nothing by itself, since who can change a file can change it too: the digest of the whole archive is
registered with the model. It tells a whole artifact from one that lost, gained or changed a file on the way.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from model_artifact.content import Content
from model_artifact.errors import UnsafeArtifactError, refuse
from model_artifact.formats.json_text import read_json

MANIFEST = "manifest.json"
MANIFEST_BYTES = 4 * 1024 * 1024
_DIGEST = re.compile(r"[0-9a-f]{64}")


def manifest_files(members: Mapping[str, bytes | Path]) -> dict[str, str]:
    """What `files` in a manifest lists: SHA-256 of every member but the manifest itself, by path.

    A member is given as its bytes or as the file that they are read from.
    """
    return {name: _digest(members[name]) for name in sorted(members) if name != MANIFEST}


def _digest(member: bytes | Path) -> str:
    if isinstance(member, bytes):
        return hashlib.sha256(member).hexdigest()
    with member.open("rb") as file:
        return Content(member.name, member.stat().st_size, file.read).finish()


def claims_to_be_ours(document: bytes) -> bool:
    """Whether a `manifest.json` is one that this product writes, rather than a stranger's file of that name."""
    try:
        manifest = read_json(document, MANIFEST)
    except UnsafeArtifactError:
        return False
    return isinstance(manifest, dict) and {"model_version", "container"} <= set(manifest)


def read_manifest(document: bytes) -> dict[str, object]:
    """The manifest; UnsafeArtifactError where it lacks what it must state."""
    manifest = read_json(document, MANIFEST)
    if not isinstance(manifest, dict):
        refuse("bad-manifest", MANIFEST, "is no object")
    for name in ("model_version", "container"):
        if not isinstance(manifest.get(name), str) or not manifest[name]:
            refuse("bad-manifest", MANIFEST, f"states no {name}")
    files = manifest.get("files")
    if not isinstance(files, dict) or not files:
        refuse("bad-manifest", MANIFEST, "lists no files")
    for name, digest in files.items():
        if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
            refuse("bad-manifest", MANIFEST, f"lists no digest of {ascii(name)[:100]}")
    return manifest


def check_files(manifest: Mapping[str, object], digests: Mapping[str, str], *, container: str | None) -> None:
    """Compare what is there with what is listed; UnsafeArtifactError for the first difference in order of names."""
    if container is not None and manifest["container"] != container:
        refuse("wrong-container", MANIFEST, f"is of the {ascii(manifest['container'])[:40]} container, not {container}")
    listed = manifest["files"]
    if not isinstance(listed, dict):
        refuse("bad-manifest", MANIFEST, "lists no files")
    for name in sorted({*digests, *listed} - {MANIFEST}):
        if name not in digests:
            refuse("missing-file", name, "is listed in the manifest and not there")
        if name not in listed:
            refuse("unlisted-file", name, "is not listed in the manifest")
        if digests[name] != listed[name]:
            refuse("wrong-digest", name, "is not the file that the manifest lists")
