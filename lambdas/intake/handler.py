"""The API's routes: translates between API Gateway and intake, corrections and the alerts' actions.

What only a person's request needs is imported with the first one of these: feedback is not to wait for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from feedback.ledger import State
from feedback.problem import Problem
from lambdas.aws.breaker import GuardedEndpoint, SharedBreaker
from lambdas.aws.clients import client
from lambdas.aws.desk import Desk
from lambdas.aws.endpoint import Endpoint
from lambdas.aws.ledger import Ledger, LedgerUnavailableError
from lambdas.aws.originals import Originals
from lambdas.aws.queue import Queue
from lambdas.environment import WrongEnvironmentError
from lambdas.intake.acceptance import Accepted, Answer, Intake
from lambdas.intake.judgement import NOT_FOUND, act_on_alert, correct
from lambdas.intake.request import (
    BATCH_BODY_LIMIT_BYTES,
    BODY_LIMIT_BYTES,
    RefusedError,
    read_batch,
    read_document,
    read_feedback,
    read_feedback_id,
    read_key,
    wants_no_waiting,
    with_key,
)
from lambdas.intake.response import (
    batch_response,
    document_response,
    entry_response,
    feedback_response,
    problem_response,
)
from lambdas.intake.settings import Settings
from lambdas.telemetry import LambdaContext, count, log, log_error

if TYPE_CHECKING:
    from lambdas.aws.alert_actions import AlertActions

_INTERNAL = Problem(kind="internal", detail="The request failed. It is safe to send it again.")
_RESERVE_SECONDS = 3.0  # for queue, ledger and answer after the model's budget


def handle(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one API request. Nothing is raised: the client gets a problem document, the log the rest."""
    try:
        return _route(event, context)
    except RefusedError as error:
        count(context, Refused=1)
        return problem_response(error.problem)
    except LedgerUnavailableError as error:
        log_error("The ledger is unavailable.", error)
        count(context, Unavailable=1)
        return problem_response(Problem(kind="unavailable", detail="The ledger does not answer."))
    except WrongEnvironmentError as error:
        log("ERROR", str(error))
        return problem_response(_INTERNAL)
    except Exception as error:  # the boundary: no stack trace may reach a client
        log_error("The request failed.", error)
        count(context, Failed=1)
        return problem_response(_INTERNAL)


def _route(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    match event.get("httpMethod"), event.get("resource"):
        case "POST", "/v1/feedback":
            document = read_feedback(read_document(event, limit_bytes=BODY_LIMIT_BYTES))
            is_async = wants_no_waiting(event)
            (answer,) = _take_in([with_key(document, read_key(event))], context, ask_model=not is_async)
            return feedback_response(answer, is_async=is_async)
        case "POST", "/v1/feedback/batch":
            items = read_batch(read_document(event, limit_bytes=BATCH_BODY_LIMIT_BYTES))
            is_async = wants_no_waiting(event)
            answers = _take_in([_feedback_or_problem(item) for item in items], context, ask_model=not is_async)
            return batch_response(answers, is_async=is_async)
        case "GET", "/v1/feedback/{id}":
            entry = _ledger().find(read_feedback_id(event))
            return problem_response(NOT_FOUND) if entry is None else entry_response(entry)
        case "POST", "/v1/feedback/{id}/correction":
            return correct(event, ledger=_ledger(), now=_now())
        case "POST", "/v1/alerts/{id}":
            return act_on_alert(event, actions=_alert_actions(), now=_now())
        case "GET", "/v1/openapi.json":
            return document_response(_description())
        case _:
            return problem_response(Problem(kind="unknown-route", detail="There is nothing at this address."))


def _feedback_or_problem(item: object) -> Mapping[str, Any] | Problem:
    try:
        return read_feedback(item)
    except RefusedError as error:
        return error.problem


def _take_in(
    documents: Sequence[Mapping[str, Any] | Problem], context: LambdaContext, *, ask_model: bool
) -> list[Answer]:
    settings = _settings()
    reserve_ms = (settings.classify_budget_seconds + _RESERVE_SECONDS) * 1000
    answers = Intake(
        ledger=_ledger(),
        queue=_queue(),
        endpoint=GuardedEndpoint(endpoint=_endpoint(), breaker=_breaker()),
        now=_now,
        languages=settings.languages.split(","),
        translates=settings.translate == "on",
        has_time=lambda: context.get_remaining_time_in_millis() > reserve_ms,
    ).take_in(documents, ask_model=ask_model)
    accepted = [answer for answer in answers if isinstance(answer, Accepted)]
    problems = [answer for answer in answers if isinstance(answer, Problem)]
    count(
        context,
        Accepted=sum(answer.is_new for answer in accepted),
        Replayed=sum(not answer.is_new for answer in accepted),
        Classified=sum(answer.entry.state is State.CLASSIFIED for answer in accepted),
        Unsure=sum(answer.entry.state is State.UNSURE for answer in accepted),
        Deferred=sum(answer.entry.state is State.RECEIVED for answer in accepted),
        Refused=sum(problem.status < 500 for problem in problems),
        Unavailable=sum(problem.status >= 500 for problem in problems),
    )
    return answers


def _now() -> datetime:
    return datetime.now(UTC)


@cache
def _settings() -> Settings:
    return Settings.from_env()


@cache
def _ledger() -> Ledger:
    settings = _settings()
    originals = Originals(table=settings.originals_table, keep=timedelta(days=settings.original_days))
    return Ledger(table=settings.ledger_table, originals=originals, dynamodb=client("dynamodb", read_seconds=2.0))


@cache
def _queue() -> Queue:
    return Queue(url=_settings().queue_url, sqs=client("sqs", read_seconds=2.0, attempts=2))


@cache
def _breaker() -> SharedBreaker:
    """With a client of its own: the breaker is to save time, not to cost it."""
    dynamodb = client("dynamodb", connect_seconds=0.2, read_seconds=0.3, attempts=1)
    return SharedBreaker(desk=Desk(table=_settings().desk_table, dynamodb=dynamodb), now=_now)


@cache
def _endpoint() -> Endpoint:
    budget = _settings().classify_budget_seconds
    connect_seconds = min(0.5, budget / 2)
    runtime = client(
        "sagemaker-runtime", connect_seconds=connect_seconds, read_seconds=budget - connect_seconds, attempts=1
    )
    return Endpoint(name=_settings().endpoint_name, runtime=runtime)


def _alert_actions() -> AlertActions:
    from lambdas.aws.alert_actions import AlertActions

    settings = _settings()
    return AlertActions(
        ledger_table=settings.ledger_table,
        desk_table=settings.desk_table,
        dynamodb=client("dynamodb", read_seconds=2.0),
    )


@cache
def _description() -> dict[str, Any]:
    from feedback.openapi import describe

    return describe()
