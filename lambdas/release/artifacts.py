"""Checks that a release is whole before anything is changed: all artifacts are there and are what was evaluated.

It does not know where the artifacts are served.
"""

from feedback.strict_json import BrokenJsonError, parse
from lambdas.aws.lake import Lake, NoSuchObjectError
from lambdas.containers import artifact_uris

_MANIFEST_LIMIT_BYTES = 1024 * 1024


class IncompleteReleaseError(RuntimeError):
    """The artifacts of a release are missing or are not those of its manifest."""


def verify_artifacts(prefix: str, *, lake: Lake) -> None:
    """Compare the three artifacts below ``prefix`` with the digests in ``manifest.json``; IncompleteReleaseError."""
    digests = _digests(prefix, lake=lake)
    for uri in artifact_uris(prefix).values():
        name = uri.removeprefix(prefix)
        if not isinstance(digests.get(name), str):
            raise IncompleteReleaseError(f"The manifest of the release lists no digest of {name}.")
        try:
            digest = lake.sha256(uri)
        except NoSuchObjectError as error:
            raise IncompleteReleaseError(str(error)) from error
        if digest != digests[name]:
            raise IncompleteReleaseError(f"{name} is not the artifact that the manifest of the release lists.")


def _digests(prefix: str, *, lake: Lake) -> dict[str, object]:
    try:
        manifest = parse(lake.read(f"{prefix}manifest.json", limit_bytes=_MANIFEST_LIMIT_BYTES).decode("utf-8"))
    except NoSuchObjectError as error:
        raise IncompleteReleaseError(str(error)) from error
    except (BrokenJsonError, UnicodeDecodeError) as error:
        raise IncompleteReleaseError("The manifest of the release cannot be read.") from error
    artifacts = manifest.get("artifacts") if isinstance(manifest, dict) else None
    if not isinstance(artifacts, dict):
        raise IncompleteReleaseError("The manifest of the release lists no artifacts.")
    return artifacts
