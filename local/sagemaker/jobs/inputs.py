"""A job's S3 inputs brought into its folder. Knows the kinds of S3 data sources, not what the data is for."""

import json
from pathlib import Path
from typing import Any

from local.sagemaker import objects


class InputError(Exception):
    """An input that cannot be had; the message is fit for a FailureReason."""


def fetch(uri: str, folder: Path, *, data_type: str, s3: Any) -> None:
    """Bring a prefix (``S3Prefix``) or what a manifest names (``ManifestFile``) below ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        if data_type == "ManifestFile":
            _fetch_manifest(uri, folder, s3=s3)
        elif objects.download_prefix(uri, folder, s3=s3) == 0:
            raise InputError(f"Data download failed: no S3 objects found under S3 URL {uri!r}")
    except objects.ObjectError as error:
        raise InputError(f"Data download failed: {error}") from error


def _fetch_manifest(uri: str, folder: Path, *, s3: Any) -> None:
    try:
        first, *names = json.loads(objects.read(uri, s3=s3))
        prefix = objects.Address.parse(str(first["prefix"]))
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"Data download failed: {uri} is not a manifest: {error}") from error
    for name in names:
        address = objects.Address(bucket=prefix.bucket, key=prefix.key + str(name))
        place = Path(str(name))
        if place.is_absolute() or ".." in place.parts:
            raise InputError(f"Data download failed: {name!r} in {uri} leads out of its folder")
        objects.download(str(address), folder / place, s3=s3)
