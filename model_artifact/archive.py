"""Inspects a `.tar.gz` from its first byte to its last without writing anything anywhere."""

from __future__ import annotations

from pathlib import Path

from model_artifact.collection import Collection
from model_artifact.gzip_stream import Gunzip, Readable
from model_artifact.inspection import Inspection
from model_artifact.limits import DEFAULT_LIMITS, Limits
from model_artifact.tar_members import entries


def inspect_archive(
    source: Path | str | Readable,
    *,
    limits: Limits = DEFAULT_LIMITS,
    container: str | None = None,
    ours_only: bool = True,
) -> Inspection:
    """What is in the archive, once it is known to be harmless; UnsafeArtifactError otherwise.

    `source` is a path or anything with `read(size)`, such as the body of an S3 object; it is read once, to its end.
    `container` is the one that the archive's manifest must be made for. With `ours_only=False` an archive that does not
    claim to be ours, by a manifest with a model version and a container, is held to the rules for archives alone:
    SageMaker lets people host pickles, and so does the local one.
    """
    if isinstance(source, str | Path):
        with Path(source).open("rb") as file:
            return inspect_archive(file, limits=limits, container=container, ours_only=ours_only)
    unpacked = Gunzip(source, limits, one_stream=ours_only)
    found = Collection(limits, container=container, ours_only=ours_only)
    for entry in entries(unpacked.read):
        if entry.is_folder:
            found.add_folder(entry.name)
        else:
            found.add_file(entry.name, entry.content, may_be_executed=entry.may_be_executed)
    return found.judge(unpacked.sha256)
