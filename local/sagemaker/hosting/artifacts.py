"""Model archives from S3, unpacked once and kept by what they are: bucket, key and ETag.

Knows archives and folders; nothing of what is in a model or which container asks. The folders are shared by all
containers of the same model and must be taken as read-only, as a model is on AWS's instances.

Every archive is inspected before anything of it is written. One that this product packed, by its manifest, may hold
only what such an archive holds; any other is held to the rules for archives alone, since SageMaker hosts pickles too.
"""

import hashlib
import os
import shutil
import tempfile
import threading
from collections.abc import Collection
from pathlib import Path
from typing import Any

from local.sagemaker import objects
from local.sagemaker.archives import unpack
from local.sagemaker.objects import Address, ObjectError
from model_artifact import UnsafeArtifactError, inspect_archive

KEPT_UNUSED = 8


class ArtifactError(Exception):
    """Model data that cannot be had; the message is one sentence for the endpoint's owner."""


class ModelCache:
    """Unpacked models below one folder."""

    def __init__(self, folder: Path, s3: Any) -> None:
        self._folder = folder
        self._s3 = s3
        self._lock = threading.Lock()
        self._fetching: dict[str, threading.Lock] = {}

    def present_etag(self, uri: str) -> str:
        """What is stored under a URI now; ArtifactError where nothing is."""
        try:
            address = Address.parse(uri)
            return str(self._s3.head_object(Bucket=address.bucket, Key=address.key)["ETag"]).strip('"')
        except (ObjectError, *objects.FAILURES) as error:
            raise _not_downloaded(uri) from error

    def fetch(self, uri: str, etag: str) -> Path:
        """The folder with the unpacked archive; ArtifactError where it cannot be read or unpacked."""
        digest = self.digest(uri, etag)
        target = self._folder / digest
        with self._lock:
            one_at_a_time = self._fetching.setdefault(digest, threading.Lock())
        with one_at_a_time:
            if not target.exists():
                self._download(uri, target)
            os.utime(target)
        return target

    def prune(self, used: Collection[str]) -> None:
        """Drop all but the last few models whose digest is not among ``used``."""
        if not self._folder.is_dir():
            return
        unused = [path for path in self._folder.iterdir() if path.name not in used]
        unused.sort(key=lambda path: path.stat().st_mtime, reverse=True)
        for path in unused[KEPT_UNUSED:]:
            shutil.rmtree(path)

    @staticmethod
    def digest(uri: str, etag: str) -> str:
        """The name a model has in the cache."""
        return hashlib.sha256(f"{uri}\0{etag}".encode()).hexdigest()[:32]

    def _download(self, uri: str, target: Path) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="fetching-", dir=self._folder) as staging:
            archive = Path(staging) / "model.tar.gz"
            try:
                objects.download(uri, archive, s3=self._s3)
            except ObjectError as error:
                raise _not_downloaded(uri) from error
            try:
                inspect_archive(archive, ours_only=False)
                unpack(archive, Path(staging) / "model")
            except UnsafeArtifactError as error:
                raise ArtifactError(f'The model data archive at "{uri}" is refused: {error.sentence}') from error
            except ValueError as error:
                raise ArtifactError(
                    f'Failed to extract model data archive from URL: "{uri}". Please ensure that the object located at '
                    f"the URL is a valid tar.gz archive: {error}"
                ) from error
            (Path(staging) / "model").rename(target)


def _not_downloaded(uri: str) -> ArtifactError:
    return ArtifactError(
        f'Failed to download model data from URL: "{uri}". Please ensure that there is an object located at the URL '
        "and that the role passed to CreateModel has permissions to download the model."
    )
