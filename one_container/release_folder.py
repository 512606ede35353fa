"""The folder of a release as a container gets it: three archives, or what they unpack to, made ready to be loaded.

Knows archives and folders; nothing of servers or of models.
"""

import tarfile
from pathlib import Path

from model_artifact import inspect_archive

CONTAINERS = ("transform", "classify", "label")


class ReleaseFolderError(RuntimeError):
    """The folder holds no release; the message says what is missing."""


def ready_folder(given: Path, work: Path) -> Path:
    """The folder that holds `transform/`, `classify/` and `label/`; archives are inspected, then unpacked below `work`.

    Raises ReleaseFolderError, and UnsafeArtifactError for an archive that must not be unpacked.
    """
    if all((given / container).is_dir() for container in CONTAINERS):
        return given
    for container in CONTAINERS:
        archive = given / f"{container}.tar.gz"
        if not archive.is_file():
            raise ReleaseFolderError(f"There is neither {container}/ nor {container}.tar.gz in {given}.")
        with archive.open("rb") as stream:
            inspect_archive(stream, container=container)
        with tarfile.open(archive) as content:
            content.extractall(work / container, filter="data")
    return work
