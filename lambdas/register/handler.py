"""A step of the model pipeline: translates between the state machine and the model registry."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from lambdas.aws.clients import client
from lambdas.aws.lake import Lake
from lambdas.aws.registry import Registry
from lambdas.evaluation import Evaluation
from lambdas.register.model_card import SIZE_LIMIT_BYTES, model_card
from lambdas.register.model_package import description_of, model_package
from lambdas.register.settings import MANUAL, Settings
from lambdas.step_input import required
from lambdas.telemetry import LambdaContext, count, log


def handle(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Register the model of one run, or find the package that an earlier try of this step made."""
    run, candidate, evaluation_uri, model_card_uri, release_prefix = required(
        event, "run", "candidate", "evaluation_uri", "model_card_uri", "release_prefix"
    )
    arn = _registry().find_by_description(description_of(run))
    if arn is None:
        card = _lake().read(model_card_uri, limit_bytes=SIZE_LIMIT_BYTES)
        arn = _registry().create(
            model_package(
                run=run,
                candidate=candidate,
                evaluation_uri=evaluation_uri,
                prefix=release_prefix,
                evaluation=Evaluation.from_document(event.get("metrics") or {}),
                card=model_card(card, is_reviewed=_settings().approval == MANUAL),
                settings=_settings(),
            )
        )
        count(context, ModelsRegistered=1)
    log("INFO", "A model is registered.", run=run, candidate=candidate, model_package_arn=arn)
    return {"model_package_arn": arn}


@cache
def _settings() -> Settings:
    return Settings.from_env()


@cache
def _registry() -> Registry:
    return Registry(group=_settings().model_package_group, sagemaker=client("sagemaker", read_seconds=10.0))


@cache
def _lake() -> Lake:
    return Lake(s3=client("s3"))
