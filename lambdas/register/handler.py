"""A step of the model pipeline: translates between the state machine and the model registry."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from lambdas.aws.clients import client
from lambdas.aws.registry import Registry
from lambdas.evaluation import Evaluation
from lambdas.register.model_package import description_of, model_package
from lambdas.register.settings import Settings
from lambdas.telemetry import LambdaContext, count, log


def handle(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Register the model of one run, or find the package that an earlier try of this step made."""
    run = event["run"]
    arn = _registry().find_by_description(description_of(run))
    if arn is None:
        arn = _registry().create(
            model_package(
                run=run,
                evaluation_uri=event["evaluation_uri"],
                prefix=event["release_prefix"],
                evaluation=Evaluation.from_document(event["metrics"]),
                settings=_settings(),
            )
        )
        count(context, ModelsRegistered=1)
    log("INFO", "A model is registered.", run=run, model_package_arn=arn)
    return {"model_package_arn": arn}


@cache
def _settings() -> Settings:
    return Settings.from_env()


@cache
def _registry() -> Registry:
    return Registry(group=_settings().model_package_group, sagemaker=client("sagemaker", read_seconds=10.0))
