"""Decides what a release would serve, and refuses it with one sentence before anything is changed.

It does not know how the stack is updated.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any, Final, Protocol

from feedback.strict_json import BrokenJsonError, parse
from lambdas.aws.lake import Lake, NoSuchObjectError, TooLargeError
from lambdas.containers import release_prefix
from lambdas.release.artifacts import verify_artifacts
from lambdas.release.releasing import Change
from lambdas.release.stack import NOTHING_BESIDE, STARTER, Slot

_LIMIT_BYTES: Final = 4 * 1024 * 1024


class Mode(Enum):
    """What is asked for."""

    RELEASE = "release"
    ROLLBACK = "rollback"
    BESIDE = "beside"
    ALONE = "alone"


class NotApprovedError(RuntimeError):
    """The model package is not approved, so it is not released; beside the released one it may wait for approval."""


class UnregisteredArtifactsError(RuntimeError):
    """The artifacts are not those that were registered with the package."""


class WrongRequestError(ValueError):
    """The request does not make sense."""


class ReadsParameters(Protocol):
    """What is used of ``lambdas.release.stack.EndpointStack``."""

    def read(self, slot: Slot) -> str:
        """What the slot's parameter names."""


def change_for(
    mode: Mode, package: Mapping[str, Any] | None, *, share: float | None, stack: ReadsParameters, lake: Lake
) -> Change:
    """The change that a request asks for. ``package`` is the model package as DescribeModelPackage tells it."""
    if mode is Mode.ALONE:
        return Change(slot=Slot.BESIDE, release=NOTHING_BESIDE, is_guarded=False, share=0.0)
    if package is None:
        if mode is Mode.ROLLBACK:
            return Change(slot=Slot.RELEASE, release=STARTER, is_guarded=False)
        raise WrongRequestError("The request names no model package.")
    status = package.get("ModelApprovalStatus")
    if status != "Approved" and (mode, status) != (Mode.BESIDE, "PendingManualApproval"):
        raise NotApprovedError(f"The model package {package['ModelPackageArn']} is not approved.")
    prefix = _checked(package, lake=lake)
    _refuse_same_version(prefix, stack.read(Slot.RELEASE), lake=lake)
    if mode is Mode.BESIDE:
        if share is None or not 0 <= share < 1:
            raise WrongRequestError("The share of a model beside the released one is at least 0 and below 1.")
        return Change(slot=Slot.BESIDE, release=prefix, is_guarded=False, share=share)
    return Change(slot=Slot.RELEASE, release=prefix, is_guarded=mode is Mode.RELEASE)


def _checked(package: Mapping[str, Any], *, lake: Lake) -> str:
    """The prefix of a package whose artifacts are whole, harmless and the registered ones."""
    containers = package["InferenceSpecification"]["Containers"]
    prefix = release_prefix([container["ModelDataUrl"] for container in containers])
    registered = _registered_digests(package, lake=lake)
    manifest = _document(f"{prefix}manifest.json", lake=lake)
    if manifest.get("artifacts") != registered:
        raise UnregisteredArtifactsError(
            "The artifacts are not the registered ones: their digests differ from those in the package's evaluation."
        )
    verify_artifacts(prefix, lake=lake)
    return prefix


def _registered_digests(package: Mapping[str, Any], *, lake: Lake) -> object:
    statistics = package.get("ModelMetrics", {}).get("ModelQuality", {}).get("Statistics", {})
    if "S3Uri" not in statistics:
        raise UnregisteredArtifactsError("The model package was registered without an evaluation, so without digests.")
    return _document(statistics["S3Uri"], lake=lake).get("manifest")


def _refuse_same_version(prefix: str, served: str, *, lake: Lake) -> None:
    """Two models that call themselves the same cannot be told apart by their answers, so not be compared either."""
    if served in (STARTER, prefix):
        return
    try:
        versions = [_document(f"{each}manifest.json", lake=lake).get("model_version") for each in (prefix, served)]
    except UnregisteredArtifactsError:  # the manifest of what is served is gone: nothing to compare with
        return
    if versions[0] == versions[1]:
        raise UnregisteredArtifactsError(
            f"The model calls itself {versions[0]}, as the served one does, but its artifacts are others: pack it anew."
        )


def _document(uri: str, *, lake: Lake) -> dict[str, Any]:
    try:
        document = parse(lake.read(uri, limit_bytes=_LIMIT_BYTES).decode("utf-8"))
    except (NoSuchObjectError, TooLargeError) as error:
        raise UnregisteredArtifactsError(str(error)) from error
    except (BrokenJsonError, UnicodeDecodeError) as error:
        raise UnregisteredArtifactsError(f"{uri} is not JSON.") from error
    if not isinstance(document, dict):
        raise UnregisteredArtifactsError(f"{uri} is no object.")
    return document
