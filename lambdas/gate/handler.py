"""A step of the model pipeline: translates between the state machine and the rules of the gate."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from lambdas.aws.clients import client
from lambdas.aws.lake import Lake
from lambdas.aws.registry import Registry
from lambdas.evaluation import SIZE_LIMIT_BYTES, Evaluation, UnreadableEvaluationError
from lambdas.gate import figures
from lambdas.gate.bias import Bias
from lambdas.gate.comparison import Comparison
from lambdas.gate.rules import Bounds, judge
from lambdas.gate.safety import judge_artifacts
from lambdas.gate.settings import Settings
from lambdas.step_input import required
from lambdas.telemetry import LambdaContext, count, log


def handle(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Judge the champion of one run. A refusal is an answer; only what cannot be judged raises."""
    evaluation_uri, comparison_uri, bias_uri, release_prefix = required(
        event, "evaluation_uri", "comparison_uri", "bias_uri", "release_prefix"
    )
    report = _evaluation(evaluation_uri)
    candidate = Evaluation.from_report(report)
    comparison = Comparison.from_document(_report(comparison_uri, "comparison"))
    comparison.assert_is_of(candidate)
    verdict = judge(
        candidate,
        _current() if comparison.against_current is None else None,
        comparison=comparison,
        bias=Bias.from_document(_report(bias_uri, "bias report")),
        bounds=_bounds(),
        refusals=judge_artifacts(report, release_prefix, lake=_lake()),
    )
    log(
        "INFO",
        "A model was judged.",
        run=candidate.run,
        candidate=candidate.candidate,
        passed=verdict.is_passed,
        reasons=" ".join(verdict.reasons),
        notes=" ".join(verdict.notes),
    )
    count(context, ModelsPassed=int(verdict.is_passed), ModelsRefused=int(not verdict.is_passed))
    return {
        "passed": verdict.is_passed,
        "reasons": list(verdict.reasons),
        "notes": list(verdict.notes),
        "metrics": candidate.to_document(),
    }


def _evaluation(uri: str) -> str:
    try:
        return _lake().read(uri, limit_bytes=SIZE_LIMIT_BYTES).decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnreadableEvaluationError("The evaluation is not UTF-8.") from error


def _report(uri: str, name: str) -> figures.Document:
    return figures.document_of(_lake().read(uri, limit_bytes=figures.SIZE_LIMIT_BYTES), report=name)


def _current() -> Evaluation | None:
    package = _registry().newest_approved()
    return None if package is None else Evaluation.from_metadata(package.get("CustomerMetadataProperties", {}))


def _bounds() -> Bounds:
    settings = _settings()
    return Bounds(
        minimum_macro_f1=settings.minimum_macro_f1,
        maximum_calibration_error=settings.maximum_calibration_error,
        maximum_accuracy_difference=settings.maximum_accuracy_difference,
        maximum_recall_difference=settings.maximum_recall_difference,
    )


@cache
def _settings() -> Settings:
    return Settings.from_env()


@cache
def _registry() -> Registry:
    return Registry(group=_settings().model_package_group, sagemaker=client("sagemaker", read_seconds=10.0))


@cache
def _lake() -> Lake:
    return Lake(s3=client("s3"))
