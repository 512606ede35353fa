"""Checks that a release is whole before anything is changed: all artifacts are there, harmless and what was evaluated.

It does not know where the artifacts are served.
"""

from feedback.strict_json import BrokenJsonError, parse
from lambdas.artifacts import inspect_release
from lambdas.aws.lake import Lake, NoSuchObjectError

_MANIFEST_LIMIT_BYTES = 1024 * 1024


class IncompleteReleaseError(RuntimeError):
    """A release has no manifest that lists its artifacts."""


def verify_artifacts(prefix: str, *, lake: Lake) -> None:
    """Inspect the three artifacts below ``prefix`` and compare them with the digests in ``manifest.json``.

    IncompleteReleaseError where the manifest is missing or broken, RefusedArtifactError for an artifact that is unsafe,
    missing or another than listed.
    """
    inspect_release(prefix, _digests(prefix, lake=lake), lake=lake)


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
