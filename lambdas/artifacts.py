"""The archives of a release where they lie in S3: harmless, made for their containers, and those that were evaluated.

One rule, asked when a model is to be registered and again before it is served. It does not know who asks.
"""

from collections.abc import Mapping
from typing import Final

from lambdas.aws.lake import Lake, NoSuchObjectError
from lambdas.containers import artifact_uris
from model_artifact import Inspection, Limits, UnsafeArtifactError, inspect_archive

RULE: Final = "artifact-safety"
# A function may run for minutes; one archive may not take all of it.
_LIMITS: Final = Limits(seconds=240.0)


class RefusedArtifactError(RuntimeError):
    """An archive of a release is missing, unsafe or another than expected; the message begins with the rule's name."""


def inspect_release(prefix: str, expected: Mapping[str, object], *, lake: Lake) -> str:
    """The model version of the three archives below ``prefix``; RefusedArtifactError for the first that is not right.

    ``expected`` are the digests that were stated for them, by file name. Each archive is read once, as a stream.
    """
    versions = set()
    for container, uri in artifact_uris(prefix).items():
        name = uri.removeprefix(prefix)
        found = _inspect(container, uri, name, lake)
        if found.sha256 != expected.get(name):
            raise RefusedArtifactError(f"{RULE}: {name} is not the archive that was evaluated.")
        versions.add(str((found.manifest or {})["model_version"]))
    if len(versions) != 1:
        raise RefusedArtifactError(f"{RULE}: the archives are of more than one model version.")
    return versions.pop()


def _inspect(container: str, uri: str, name: str, lake: Lake) -> Inspection:
    try:
        return inspect_archive(lake.open(uri), limits=_LIMITS, container=container)
    except NoSuchObjectError as error:
        raise RefusedArtifactError(f"{RULE}: {error}") from error
    except UnsafeArtifactError as error:
        raise RefusedArtifactError(f"{RULE}: {name} is refused ({error.code}): {error.sentence}") from error
