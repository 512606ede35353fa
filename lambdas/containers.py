"""The three containers of a served model, in series, and where their artifacts lie.

It does not know which images they run in, nor how they are released.
"""

from collections.abc import Sequence
from typing import Final

CONTAINERS: Final = ("transform", "classify", "label")

ENVIRONMENT: Final = {
    "SAGEMAKER_PROGRAM": "inference.py",
    "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
}


class ForeignArtifactsError(ValueError):
    """The addresses are not those of one release of ours."""


def artifact_uris(release_prefix: str) -> dict[str, str]:
    """The artifact's address by container, below ``s3://bucket/models/RUN/CANDIDATE/``."""
    if not release_prefix.startswith("s3://") or not release_prefix.endswith("/"):
        raise ForeignArtifactsError(f"{release_prefix!r} is no s3:// prefix that ends with a slash.")
    return {container: f"{release_prefix}{container}.tar.gz" for container in CONTAINERS}


def release_prefix(uris: Sequence[str]) -> str:
    """The prefix that these artifacts share; ForeignArtifactsError where they are not one release in order."""
    prefix = uris[0].rsplit("/", 1)[0] + "/" if uris else ""
    if list(uris) != list(artifact_uris(prefix).values()):
        raise ForeignArtifactsError("The model package does not hold transform, classify and label of one release.")
    return prefix
