"""A step of the model pipeline: translates between the state machine and the rules of the gate."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from lambdas.aws.clients import client
from lambdas.aws.lake import Lake
from lambdas.aws.registry import Registry
from lambdas.evaluation import SIZE_LIMIT_BYTES, Evaluation, UnreadableEvaluationError
from lambdas.gate.rules import judge
from lambdas.gate.safety import judge_artifacts
from lambdas.gate.settings import Settings
from lambdas.telemetry import LambdaContext, count, log


def handle(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Judge one evaluation. A refusal is an answer; only what cannot be judged raises."""
    try:
        report = _lake().read(event["evaluation_uri"], limit_bytes=SIZE_LIMIT_BYTES).decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnreadableEvaluationError("The evaluation is not UTF-8.") from error
    candidate = Evaluation.from_report(report)
    verdict = judge(
        candidate,
        _current(),
        minimum_macro_f1=_settings().minimum_macro_f1,
        refusals=judge_artifacts(report, event["release_prefix"], lake=_lake()),
    )
    log("INFO", "A model was judged.", run=candidate.run, passed=verdict.is_passed, reasons=" ".join(verdict.reasons))
    count(context, ModelsPassed=int(verdict.is_passed), ModelsRefused=int(not verdict.is_passed))
    return {
        "passed": verdict.is_passed,
        "reasons": list(verdict.reasons),
        "notes": list(verdict.notes),
        "metrics": candidate.to_document(),
    }


def _current() -> Evaluation | None:
    package = _registry().newest_approved()
    return None if package is None else Evaluation.from_metadata(package.get("CustomerMetadataProperties", {}))


@cache
def _settings() -> Settings:
    return Settings.from_env()


@cache
def _registry() -> Registry:
    return Registry(group=_settings().model_package_group, sagemaker=client("sagemaker", read_seconds=10.0))


@cache
def _lake() -> Lake:
    return Lake(s3=client("s3"))
