"""`earshot demo`: the whole way on one machine, from a CSV of reviews to an alert that arrives, shown and checked.

Responsible for the order of the story and for checking what it claims: it ends with code 1 when an answer, the alert or
the query is not as it should be. Each step's work is in the module of its own verb.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import options, query
from cli.alerts import Alert, inbox
from cli.api import FeedbackApi
from cli.connection import AwsConnection, connect
from cli.demo_texts import Choice, choose_texts
from cli.errors import BadInput, Problem
from cli.evaluate import endpoint as served_model
from cli.ingest import summary
from cli.lake import Ingested, ingest
from cli.models import Package, packages
from cli.project import LOCAL, Project
from cli.releases import follow_release, start_release
from cli.render import console, error_console, evaluation_tables, print_json, print_table, say, seconds
from cli.reviews import Reviews, read_reviews
from cli.sample import write_sample
from cli.steps import Step, Steps
from cli.train import Training, fingerprint, fingerprint_of_run, run_pipeline
from cli.up import api_url, bring_up, deployed_stacks
from feedback.sentiment import LABELS, Sentiment
from stacks.alert_policy import alert_policy
from stacks.settings import STAGES, IntakeSettings

STEPS = 12
DECISION_SECONDS = 60.0
ALERT_SECONDS = 60.0
SETTLE_SECONDS = 4.0
LAKE_SECONDS = 90.0
UNDECIDED = "RECEIVED"
SETTINGS_OF_A_RUN = ("EARSHOT_PORT", "EARSHOT_HOME")


@dataclass(kw_only=True)
class Story:
    """What has happened so far; printed as the summary."""

    stacks: list[dict[str, Any]] = field(default_factory=list)
    reviews: Reviews | None = None
    ingested: Ingested | None = None
    package: Package | None = None
    trained: bool = True
    table: list[tuple[str, str]] = field(default_factory=list)
    answers: list[dict[str, Any]] = field(default_factory=list)
    alert: Alert | None = None
    rows: list[dict[str, str | None]] = field(default_factory=list)


def demo(
    reviews: Annotated[Path | None, typer.Option(help="Your CSV of reviews; a generated sample when left out.")] = None,
    text: options.TextColumn = None,
    rating: options.RatingColumn = None,
    title: options.TitleColumn = None,
    product: options.ProductColumn = None,
    category: options.CategoryColumn = None,
    date: options.DateColumn = None,
    channel: options.ChannelColumn = None,
    review_id: options.IdColumn = None,
    encoding: options.Encoding = "utf-8",
    yes: options.Yes = False,
    stage: options.Stage = LOCAL,
    as_json: options.Json = False,
) -> None:
    """Deploy everything, load reviews, train and release a model, send feedback, show the alert and query the lake.

    Runs again safely, and much quicker: what is there already is not done twice.
    """
    named = options.named_columns(
        text=text,
        rating=rating,
        title=title,
        product=product,
        category=category,
        date=date,
        channel=channel,
        review_id=review_id,
    )
    settings = next((settings for settings in STAGES if settings.name == stage), None)
    if settings is None or not settings.intake.alert_inbox or settings.training.approval != "automatic":
        raise BadInput(f"The demo needs automatic approval and an alert inbox, which stage {stage} has not: use local.")
    if (
        stage != LOCAL
        and not yes
        and not typer.confirm("This deploys to your AWS account and costs money. Go on?", err=True)
    ):
        raise Problem("Nothing was done.")
    # Read before anything is started: a bad file is known at once.
    source = reviews if reviews is not None else sample()
    read = read_reviews(source, named=named, skip_bad=True, encoding=encoding)
    connection = connect(stage)
    target = error_console() if as_json else console()
    steps = Steps(target, total=STEPS if stage == LOCAL else STEPS - 1)
    story = Story(reviews=read)

    bring_up(connection, steps)
    story.stacks = deployed_stacks(connection)
    with steps.step(f"Load the reviews of {source}") as step:
        for line in summary(read):
            step.say(line)
        story.ingested = ingest(connection, read)
        what = "stored as" if story.ingested.new else "already there:"
        step.result = f"{story.ingested.rows} rows, {what} s3://{story.ingested.bucket}/{story.ingested.key}"
    _model(connection, story, steps)
    with steps.step("Look at the table that the crawler made") as step:
        story.table = crawled_table(connection)
        step.result = f"reviews: {', '.join(f'{name} {kind}' for name, kind in story.table)}"
    run = datetime.now(UTC).strftime("%Y%m%d%H%M%S")
    with steps.step("Send feedback through the API") as step:
        story.answers = send_texts(connection, read, _alert_threshold(settings.intake), run, step)
    with steps.step("Wait for the alert") as step:
        story.alert = await_alert(connection, story.answers, step)
        step.result = "arrived exactly once for the negative text, and never for the others"
    with steps.step("Ask the lake with Athena") as step:
        story.rows = ask_lake(connection, run, step)
        step.result = f"{len(story.rows)} rows over reviews and feedback"
    if as_json:
        print_json(_as_dict(story, steps))
        return
    _show(connection, story, steps)


def sample() -> Path:
    """The generated reviews."""
    path = Project.from_env().home / "sample-reviews.csv"
    write_sample(path)
    return path


def _model(connection: AwsConnection, story: Story, steps: Steps) -> None:
    assert story.ingested is not None
    training = Training(reviews_prefix=story.ingested.key)
    found = trained_before(connection, training)
    with steps.step("Train, evaluate and register a model") as step:
        if found is None:
            package = run_pipeline(connection, training, step)
        else:
            package = found
            story.trained = False
            scores = f"macro-F1 {found.evaluation['macro_f1']:.3f}"
            step.result = f"skipped: version {found.version} was trained on the same reviews and settings ({scores})"
    with steps.step("Release the model") as step:
        if story.trained:
            follow_release(connection, package, step)
        elif package.released:
            step.result = f"skipped: version {package.version} is served already"
        else:
            start_release(connection, package, step)
    story.package = package


def trained_before(connection: AwsConnection, training: Training) -> Package | None:
    """The newest approved model that came from the same reviews, settings and code."""
    wanted = fingerprint(connection, training)
    for package in packages(connection):
        if (
            package.status == "Approved"
            and package.evaluation
            and fingerprint_of_run(connection, package.run) == wanted
        ):
            return package
    return None


def crawled_table(connection: AwsConnection) -> list[tuple[str, str]]:
    """Columns and types of the table `reviews`, partition keys last."""
    answer = connection.client("glue").get_table(
        DatabaseName=connection.output("data-lake", "Database"), Name="reviews"
    )
    table = answer["Table"]
    columns = [*table["StorageDescriptor"]["Columns"], *table.get("PartitionKeys", [])]
    return [(column["Name"], column["Type"]) for column in columns]


def _alert_threshold(settings: IntakeSettings) -> float:
    """How sure the model must be for every rule of the stage's policy."""
    return max(rule.when.negative_probability for rule in alert_policy(settings.alert_policy).rules)


def send_texts(
    connection: AwsConnection, reviews: Reviews, alert_threshold: float, run: str, step: Step
) -> list[dict[str, Any]]:
    """Sends one text of each sentiment and returns the decided answers; a Problem when one is not as meant."""
    step.now("choosing a text of each sentiment")
    choices = choose_texts(reviews.reviews, served_model(connection), alert_threshold=alert_threshold)
    api = FeedbackApi(connection)
    answers: list[dict[str, Any]] = []
    for choice in choices:
        started = time.monotonic()
        answer = decided(api, api.send(_feedback(choice, run)).body)
        took = time.monotonic() - started
        origin = "" if choice.written else " (a text of the reviews)"
        sure = f"{answer['confidence']:.0%} sure, in {took * 1000:.0f} ms{origin}"
        step.say(f"{answer['label']}, {sure}: {_one_line(choice.text)}")
        if answer["label"] != choice.sentiment.label:
            raise Problem(f"The API answered {answer['label']} where the model itself says {choice.sentiment.label}.")
        answers.append({**answer, "text": choice.text})
    return answers


def decided(api: FeedbackApi, answer: dict[str, Any]) -> dict[str, Any]:
    """The answer once there is a decision: at once, or after the queue did its work."""
    deadline = time.monotonic() + DECISION_SECONDS
    while answer["state"] == UNDECIDED:
        if time.monotonic() > deadline:
            raise Problem(f"Feedback {answer['id']} was not classified within {DECISION_SECONDS:.0f} s.")
        time.sleep(0.5)
        answer = api.fetch(answer["id"]).body
    return answer


def await_alert(connection: AwsConnection, answers: list[dict[str, Any]], step: Step) -> Alert:
    """The alert for the negative feedback; a Problem unless it came exactly once, and none came for the others."""
    negative = next(answer["id"] for answer in answers if answer["label"] == Sentiment.NEGATIVE.label)
    deadline = time.monotonic() + ALERT_SECONDS
    step.now("waiting")
    while not any(alert.feedback_id == negative for alert in inbox(connection)):
        if time.monotonic() > deadline:
            raise Problem(f"No alert arrived for {negative} within {ALERT_SECONDS:.0f} s: see `earshot logs alerts`.")
        time.sleep(0.5)
    step.now("waiting a little more, for one that should not come")
    time.sleep(SETTLE_SECONDS)
    arrived = inbox(connection)
    found = [alert for alert in arrived if alert.feedback_id == negative]
    if len(found) != 1:
        raise Problem(f"The alert for {negative} arrived {len(found)} times.")
    others = {answer["id"] for answer in answers} - {negative}
    wrong = [alert.feedback_id for alert in arrived if alert.feedback_id in others]
    if wrong:
        raise Problem(f"An alert arrived for {wrong[0]}, which is not negative.")
    for line in f"{found[0].subject}\n{found[0].text}".splitlines():
        step.say(line)
    return found[0]


def ask_lake(connection: AwsConnection, run: str, step: Step) -> list[dict[str, str | None]]:
    """Counts over the reviews and the classified feedback, once this run's feedback has reached the lake."""
    today = datetime.now(UTC).date()
    arrived = f"SELECT count(*) AS found FROM feedback WHERE feedback_id LIKE 'demo-{run}-%'"  # noqa: S608 - digits
    deadline = time.monotonic() + LAKE_SECONDS
    step.now("waiting for the feedback to reach the lake")
    while int(query.run(connection, arrived).rows[0][0] or 0) < len(LABELS):
        if time.monotonic() > deadline:
            raise Problem(
                f"The feedback did not reach the lake within {LAKE_SECONDS:.0f} s: see `earshot logs archive`."
            )
        time.sleep(1)
    sql = f"""
        SELECT 'reviews' AS source,
               CASE WHEN rating <= 2 THEN 'negative' WHEN rating = 3 THEN 'neutral' ELSE 'positive' END AS sentiment,
               count(*) AS texts
        FROM reviews GROUP BY 1, 2
        UNION ALL
        SELECT 'feedback today' AS source, label AS sentiment, count(*) AS texts
        FROM feedback WHERE dt = '{today.isoformat()}' GROUP BY 1, 2
        ORDER BY source DESC, sentiment
    """  # noqa: S608 - made of constants and a date
    return query.run(connection, sql).records()


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _feedback(choice: Choice, run: str) -> dict[str, Any]:
    feedback = {
        "id": f"demo-{run}-{choice.sentiment.label}",
        "channel": "web",
        "text": choice.text,
        "product_id": choice.product_id,
        "category": choice.category,
    }
    return {name: value for name, value in feedback.items() if value is not None}


def _show(connection: AwsConnection, story: Story, steps: Steps) -> None:
    assert story.reviews is not None
    assert story.package is not None
    assert story.ingested is not None
    assert story.alert is not None
    package = story.package
    say("")
    say("What happened", style="bold")
    print_table(
        ("stack", "status", "resources"),
        [(stack["name"], stack["status"], stack["resources"]) for stack in story.stacks],
    )
    say(f"{story.ingested.rows} reviews are in the lake ({len(story.reviews.skipped)} bad rows left out).")
    say(f"The crawler made the table reviews with {len(story.table)} columns.")
    say(f"Model version {package.version} ({package.run}): {package.status}, released. On its frozen test rows:")
    evaluation_tables(package.evaluation)
    print_table(
        ("answer", "sure", "text"),
        [(answer["label"], f"{answer['confidence']:.0%}", _one_line(answer["text"])) for answer in story.answers],
    )
    say("The alert, arrived exactly once (none for the others):")
    say(story.alert.text, style="yellow")
    say("Athena over reviews and feedback:")
    print_table(list(story.rows[0]), [list(row.values()) for row in story.rows])
    print_table(("step", "time"), [(title, seconds(took)) for title, took in steps.times])
    say(f"All in {seconds(steps.total_seconds)}. Everything keeps running.", style="bold")
    stage = "" if connection.stage == LOCAL else f" --stage {connection.stage}"
    if connection.stage == LOCAL:
        say(f"AWS endpoint: {Project.from_env().endpoint_url} (any credentials, region us-east-1)")
    say(f"API:          {api_url(connection)}/v1/feedback")
    given = "".join(f"{name}={os.environ[name]} " for name in SETTINGS_OF_A_RUN if name in os.environ)
    say(f"Go on with{f' ({given.strip()} in the environment)' if given else ''}:")
    for command, purpose in (
        (f'earshot send "The zip broke again"{stage}', "one more feedback"),
        (f"earshot alerts{stage}", "what arrived"),
        (f'earshot query "SELECT label, text FROM feedback"{stage}', "the lake"),  # noqa: S608 - shown, not run
        (f"earshot status{stage}", "what runs"),
        ("earshot down" if connection.stage == LOCAL else f"earshot destroy{stage}", "stop"),
    ):
        say(f"  .venv/bin/{command:<60} # {purpose}")


def _as_dict(story: Story, steps: Steps) -> dict[str, Any]:
    assert story.reviews is not None
    assert story.package is not None
    assert story.ingested is not None
    assert story.alert is not None
    return {
        "stacks": story.stacks,
        "rows": story.ingested.rows,
        "skipped": len(story.reviews.skipped),
        "table": [{"name": name, "type": kind} for name, kind in story.table],
        "trained": story.trained,
        "model": story.package.as_dict(),
        "answers": story.answers,
        "alert": {"subject": story.alert.subject, "text": story.alert.text, "feedback_id": story.alert.feedback_id},
        "lake": story.rows,
        "steps": [{"step": title, "seconds": round(took, 1)} for title, took in steps.times],
        "seconds": round(steps.total_seconds, 1),
    }
