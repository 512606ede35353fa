"""The gate's rule on what the candidate is made of, next to those on how well it does.

It knows where an evaluation lists the archives that it measured. How an archive is judged is in `lambdas.artifacts`.
"""

from collections.abc import Mapping

from feedback.strict_json import BrokenJsonError, parse
from lambdas.artifacts import RULE, RefusedArtifactError, inspect_release
from lambdas.aws.lake import Lake


def judge_artifacts(report: str, prefix: str, *, lake: Lake) -> tuple[str, ...]:
    """The rule's sentence where it refuses the archives below ``prefix``, of which ``report`` is the evaluation."""
    try:
        inspect_release(prefix, _evaluated(report), lake=lake)
    except RefusedArtifactError as error:
        return (str(error),)
    return ()


def _evaluated(report: str) -> Mapping[str, object]:
    try:
        document = parse(report)
    except BrokenJsonError as error:
        raise RefusedArtifactError(f"{RULE}: the evaluation cannot be read.") from error
    manifest = document.get("manifest") if isinstance(document, dict) else None
    if not isinstance(manifest, dict):
        raise RefusedArtifactError(f"{RULE}: the evaluation lists no archives.")
    return manifest
