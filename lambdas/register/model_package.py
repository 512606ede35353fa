"""Words a model package: containers, metrics, metadata, model card and approval. It does not call the registry."""

import hashlib
from collections.abc import Mapping
from typing import Any

from lambdas.containers import CONTAINERS, ENVIRONMENT, artifact_uris
from lambdas.evaluation import Evaluation
from lambdas.register.settings import AUTOMATIC, Settings

CONTENT_TYPE = "application/jsonlines"


class ForeignMetricsError(ValueError):
    """The metrics are those of another model; the message is one sentence."""


def description_of(run: str) -> str:
    """The description of the package of one run, by which it is found again."""
    return f"Earshot sentiment model of run {run}"


def model_package(
    *,
    run: str,
    candidate: str,
    evaluation_uri: str,
    prefix: str,
    evaluation: Evaluation,
    card: Mapping[str, str],
    settings: Settings,
) -> dict[str, Any]:
    """The request of CreateModelPackage, its group aside. Equal for an equal run, client token included.

    By ``run`` and ``candidate`` in its metadata, the next run finds the answers of this model again.
    """
    if (evaluation.run, evaluation.candidate) != (run, candidate):
        raise ForeignMetricsError(
            f"The metrics are of {evaluation.candidate} of run {evaluation.run}, not of {candidate} of run {run}."
        )
    images = dict(
        zip(CONTAINERS, (settings.transform_image, settings.classify_image, settings.label_image), strict=True)
    )
    return {
        "ModelPackageDescription": description_of(run),
        "ClientToken": hashlib.sha256(run.encode("utf-8")).hexdigest()[:36],
        "InferenceSpecification": {
            "Containers": [
                {
                    "ContainerHostname": container,
                    "Image": images[container],
                    "ModelDataUrl": uri,
                    "Environment": dict(ENVIRONMENT),
                }
                for container, uri in artifact_uris(prefix).items()
            ],
            "SupportedContentTypes": [CONTENT_TYPE],
            "SupportedResponseMIMETypes": [CONTENT_TYPE],
            "SupportedRealtimeInferenceInstanceTypes": [settings.instance_type],
            "SupportedTransformInstanceTypes": [settings.instance_type],
        },
        "ModelMetrics": {"ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": evaluation_uri}}},
        "CustomerMetadataProperties": evaluation.to_metadata(),
        "ModelCard": dict(card),
        "ModelApprovalStatus": "Approved" if settings.approval == AUTOMATIC else "PendingManualApproval",
    }
