"""The canary's tasks in the release state machine: translates between it, the questions and the judgement."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from lambdas.aws.clients import client
from lambdas.aws.endpoint import Endpoint
from lambdas.aws.lake import Lake
from lambdas.canary.answers import Question, are_answers
from lambdas.canary.asking import ask_newcomer, ask_served
from lambdas.canary.judging import Figures, Limits, Served, judge, measure
from lambdas.canary.questions import mixed, newest_feedback, read_feedback, read_probes, read_version
from lambdas.canary.settings import Settings
from lambdas.telemetry import LambdaContext, log
from lambdas.telemetry import measure as write_metrics

METRICS: Final = {
    "errors": "CanaryErrors",
    "milliseconds": "CanaryMilliseconds",
    "disagreement": "CanaryDisagreement",
    "negative_shift": "CanaryNegativeShift",
    "unsure_shift": "CanaryUnsureShift",
    "accuracy_drop": "CanaryAccuracyDrop",
    "unexpected": "CanaryUnexpected",
}
_RESERVED_SECONDS: Final = 15.0
_LONGEST_SECONDS: Final = 25.0


class UnknownActionError(ValueError):
    """The state machine asks for something that is neither baseline nor compare."""


def handle(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Do one task; nothing in the answer is what a customer said."""
    match event.get("action"):
        case "baseline":
            return _baseline(event["release"])
        case "compare":
            return _compare(event["release"], event.get("baseline") or {}, context)
        case action:
            raise UnknownActionError(f"There is no action {action!r}.")


def _baseline(release: str) -> dict[str, Any]:
    settings = _settings()
    today = datetime.now(UTC).date()
    limit = int(settings.feedback_texts)
    feedback = newest_feedback(settings.lake_bucket, today=today, limit=limit, lake=_lake())
    questions = _questions(release, feedback)
    if not questions:
        return {"version": None, "feedback": [], "answers": ""}
    version, answers = ask_served(questions, endpoint=_endpoint())
    log("INFO", "The served model has answered.", version=version, texts=len(questions))
    return {"version": version, "feedback": feedback, "answers": answers}


def _compare(release: str, baseline: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    settings = _settings()
    limits = Limits(
        disagreement=settings.maximum_disagreement,
        negative_shift=settings.maximum_negative_shift,
        unsure_shift=settings.maximum_unsure_shift,
        accuracy_drop=settings.maximum_accuracy_drop,
        unexpected=settings.maximum_unexpected,
        milliseconds=settings.maximum_milliseconds,
    )
    questions = _questions(release, baseline.get("feedback", []))
    version = baseline.get("version")
    figures = Figures(errors=0)
    if questions:
        packed = read_version(release, lake=_lake())
        newcomer = ask_newcomer(
            questions,
            is_new=lambda answered: answered == packed if version is None else answered != version,
            slow_milliseconds=limits.milliseconds,
            seconds=min(_LONGEST_SECONDS, context.get_remaining_time_in_millis() / 1000 - _RESERVED_SECONDS),
            endpoint=_endpoint(),
        )
        # Where the served model failed at these texts itself, a failed call says nothing about the new one.
        errors = newcomer.errors if version is not None else 0
        answers = baseline.get("answers", "")
        served = Served(version=version, answers=answers) if version is not None else None
        figures = measure(
            questions,
            newcomer.answers,
            served=served if are_answers(answers, questions) else None,
            errors=errors,
            milliseconds=newcomer.milliseconds,
        )
    judgement = judge(figures, limits)
    document = figures.to_document()
    write_metrics(
        {"EndpointName": settings.endpoint_name},
        {metric: value for name, metric in METRICS.items() if (value := document[name]) is not None},
    )
    log("INFO", "The new model is compared.", verdict=judgement.verdict.value, **document)
    return {"verdict": judgement.verdict.value, "reason": judgement.reason, "figures": document}


def _questions(release: str, feedback: list[str]) -> list[Question]:
    limit = int(_settings().feedback_texts)
    return mixed(read_probes(release, lake=_lake()), read_feedback(feedback, limit=limit, lake=_lake()))


@cache
def _settings() -> Settings:
    return Settings.from_env()


@cache
def _lake() -> Lake:
    return Lake(s3=client("s3"))


@cache
def _endpoint() -> Endpoint:
    return Endpoint(
        name=_settings().endpoint_name,
        variant=_settings().variant_name,
        runtime=client("sagemaker-runtime", read_seconds=15.0, attempts=1),
    )
