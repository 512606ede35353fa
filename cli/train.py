"""`earshot train`: runs the model pipeline and the release that an approval starts, and shows both as they go."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from cli import executions, options
from cli.comparisons import comparison_of, comparison_tables, scores_only
from cli.connection import Connection, connect
from cli.errors import BadInput, Problem
from cli.lake import REVIEWS_PREFIX, TRAINING_PREFIX, review_keys
from cli.log_events import LogTail
from cli.models import Package, package_of_run
from cli.pipeline_jobs import branches, job_logs
from cli.project import LOCAL
from cli.releases import follow_release
from cli.render import console, error_console, evaluation_tables, print_json, say
from cli.steps import Step, Steps
from stacks.settings import CANDIDATES, FULL_RECIPE, SERVABLE


@dataclass(frozen=True, kw_only=True)
class Training:
    """What a run of the model pipeline is asked for; what is left out comes from the stage's settings."""

    reviews_prefix: str | None = None
    max_rows: int | None = None
    hyperparameters: dict[str, str] = field(default_factory=dict)
    candidates: tuple[str, ...] = ()

    def request(self) -> dict[str, Any]:
        """The execution's input; the pipeline lays it over the defaults of its settings."""
        request: dict[str, Any] = {}
        if self.reviews_prefix is not None:
            request["reviews_prefix"] = self.reviews_prefix
        if self.max_rows is not None:
            request["max_rows"] = str(self.max_rows)
        if self.hyperparameters:
            request["hyperparameters"] = self.hyperparameters
        if self.candidates:
            request["candidates"] = list(self.candidates)
        return request


# Every layer, every row, three passes; five stars say more than three classes, and rare classes get their due in the
# decision, which leaves probabilities honest.
FULL = {**FULL_RECIPE, "freeze-layers": "0", "max-train-rows": "0", "max-length": "192"}
FULL_CANDIDATES = tuple(name for name in CANDIDATES if name != "tuned")
"""Without the tuning job, which is many trainings: `--candidates` names it where there are machines for them."""


def train(
    quick: Annotated[
        bool,
        typer.Option("--quick/--full", help="The stage's settings, or every layer and row, all candidates but tuned."),
    ] = True,
    candidates: Annotated[
        str | None, typer.Option(help=f"Names of candidates, with commas between them: {', '.join(CANDIDATES)}.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Follow the run to its end, or only start it.")] = True,
    reviews_prefix: Annotated[str | None, typer.Option(help="Train on a part of the lake only.")] = None,
    max_rows: Annotated[int | None, typer.Option(min=1, help="Rows that the features step reads at most.")] = None,
    epochs: Annotated[int | None, typer.Option(min=1)] = None,
    learning_rate: Annotated[float | None, typer.Option(min=0.0)] = None,
    batch_size: Annotated[int | None, typer.Option(min=1)] = None,
    base: Annotated[str | None, typer.Option(help="package:NAME, a Hugging Face id or a folder.")] = None,
    hyperparameter: Annotated[
        list[str] | None, typer.Option("--hyperparameter", "-H", help="NAME=VALUE for the training script; repeatable.")
    ] = None,
    stage: options.Stage = LOCAL,
    as_json: options.Json = False,
) -> None:
    """Train candidates from the lake, compare them, gate and register the best, and release it unasked."""
    chosen = {} if quick else dict(FULL)
    for name, value in (
        ("epochs", epochs),
        ("learning-rate", learning_rate),
        ("batch-size", batch_size),
        ("base", base),
    ):
        if value is not None:
            chosen[name] = str(value)
    chosen |= _pairs(hyperparameter or [])
    training = Training(
        reviews_prefix=reviews_prefix,
        max_rows=max_rows,
        hyperparameters=chosen,
        candidates=_candidates(candidates) if candidates else () if quick else FULL_CANDIDATES,
    )
    connection = connect(stage)
    if not wait:
        run = start(connection, training)
        if as_json:
            print_json({"run": run})
        else:
            say(f"Run {run} was started: `earshot logs job --follow` shows it, `earshot models list` its result.")
        return
    steps = Steps(error_console() if as_json else console())
    with steps.step("Run the model pipeline") as step:
        package = run_pipeline(connection, training, step)
    if package.status == "Approved":
        with steps.step("Release the model") as step:
            follow_release(connection, package, step)
    comparison = comparison_of(connection, package.run)
    if as_json:
        print_json(package.as_dict() | {"comparison": comparison and scores_only(comparison)})
        return
    evaluation_tables(package.evaluation)
    if comparison is not None:
        comparison_tables(comparison)
        say(f"What was measured, and on what: `earshot report {package.run}{_on(stage)}`.")
    if package.status != "Approved":
        say(f"It waits for approval: `earshot models approve {package.version} --stage {stage}`.")


def run_pipeline(connection: Connection, training: Training, step: Step) -> Package:
    """Starts a run, or joins one that does the same at this moment, and returns the model package it registered."""
    machine = connection.output("training", "ModelPipeline")
    running = running_same(connection, training)
    run = running or start(connection, training)
    step.say(f"run {run}" + (" is under way already" if running else ""))
    executions.follow(
        connection,
        execution_arn(machine, run),
        say=step.say,
        now=step.now,
        tails=job_tails(connection, machine, run),
        branches=branches(_definition(connection, machine)),
    )
    package = package_of_run(connection, run)
    if package is None:
        raise Problem(f"The run {run} ended well but no model package was registered: see `earshot logs register`.")
    metrics = package.evaluation
    step.result = (
        f"macro-F1 {metrics['macro_f1']:.3f}, accuracy {metrics['accuracy']:.3f} on {metrics['rows']} test rows"
    )
    return package


def start(connection: Connection, training: Training) -> str:
    """Starts a run and returns its name; what it was asked for is kept beside its reports."""
    machine = connection.output("training", "ModelPipeline")
    prefix = training.reviews_prefix or REVIEWS_PREFIX
    if not review_keys(connection, prefix):
        raise BadInput(f"The lake holds no reviews under {prefix}: load some with `earshot ingest FILE`.")
    run = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    request = training.request()
    executions.start(connection, machine, run, request)
    connection.client("s3").put_object(
        Bucket=connection.output("data-lake", "LakeBucket"),
        Key=_request_key(run),
        Body=json.dumps({"fingerprint": fingerprint(connection, training), "request": request}).encode(),
    )
    return run


def fingerprint(connection: Connection, training: Training) -> str:
    """What a run depends on: the files of reviews, the request, and the pipeline itself with its code."""
    import hashlib

    machine = connection.output("training", "ModelPipeline")
    definition = connection.client("stepfunctions").describe_state_machine(stateMachineArn=machine)["definition"]
    found = review_keys(connection, training.reviews_prefix or TRAINING_PREFIX)
    keys = [key.rsplit("/", 1)[-1] for key in found]
    content = json.dumps([sorted(keys), training.request(), definition], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def fingerprint_of_run(connection: Connection, run: str) -> str | None:
    """The fingerprint that a run was started with; None for a run that was not started by this command."""
    client = connection.client("s3")
    try:
        answer = client.get_object(Bucket=connection.output("data-lake", "LakeBucket"), Key=_request_key(run))
    except client.exceptions.NoSuchKey:
        return None
    return str(json.load(answer["Body"])["fingerprint"])


def running_same(connection: Connection, training: Training) -> str | None:
    """A run that is under way with the same request over the same files, for instance of a command that was cut off."""
    machine = connection.output("training", "ModelPipeline")
    wanted = fingerprint(connection, training)
    for execution in executions.recent(connection, machine):
        run = str(execution["name"])
        if execution["status"] == "RUNNING" and fingerprint_of_run(connection, run) == wanted:
            return run
    return None


def execution_arn(machine: str, run: str) -> str:
    """ARN of a run of the pipeline."""
    return f"{machine.replace(':stateMachine:', ':execution:')}:{run}"


def job_tails(connection: Connection, machine: str, run: str) -> dict[str, LogTail]:
    """The logs of the pipeline's jobs, by the name of the state that runs each."""
    since = int((time.time() - 60) * 1000)
    return {
        name: LogTail(connection=connection, group=log.group, stream_prefix=log.stream_prefix, since_milliseconds=since)
        for name, log in job_logs(_definition(connection, machine), run).items()
    }


def _definition(connection: Connection, machine: str) -> dict[str, Any]:
    described = connection.client("stepfunctions").describe_state_machine(stateMachineArn=machine)
    found: dict[str, Any] = json.loads(described["definition"])
    return found


def _request_key(run: str) -> str:
    return f"reports/{run}/request.json"


def _candidates(given: str) -> tuple[str, ...]:
    """In the settings' order, each once."""
    names = {name.strip() for name in given.split(",") if name.strip()}
    unknown = sorted(names - set(CANDIDATES))
    if unknown:
        raise BadInput(f"There is no candidate '{unknown[0]}': candidates are {', '.join(CANDIDATES)}.")
    if not names & set(SERVABLE):
        raise BadInput(f"A run needs a candidate that can be served: add {' or '.join(SERVABLE)}.")
    return tuple(name for name in CANDIDATES if name in names)


def _on(stage: str) -> str:
    return "" if stage == LOCAL else f" --stage {stage}"


def _pairs(given: list[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for entry in given:
        name, separator, value = entry.partition("=")
        if not separator or not name:
            raise BadInput(f"'{entry}' is not a hyperparameter: write NAME=VALUE.")
        pairs[name] = value
    return pairs
