"""`earshot evaluate`: a labelled file against the served model or a registered one.

Responsible for asking in batches and for scoring the answers with the project's own metrics. It does not train, and it
does not touch the lake.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import options
from cli.connection import Connection, connect
from cli.errors import Problem
from cli.hosted_package import hosted
from cli.models import find_package
from cli.project import LOCAL
from cli.render import console, error_console, evaluation_tables, print_json, say
from cli.reviews import Review, Reviews, read_reviews
from cli.steps import Steps
from feedback.sentiment import LABELS, UNSURE, from_stars

BATCH = 100
CONTENT_TYPE = "application/jsonlines"

# A request of JSON Lines in, the answer's JSON Lines out.
Invoke = Callable[[bytes], bytes]
Note = Callable[[str], None]


def evaluate(
    reviews: Annotated[Path, typer.Option(help="CSV of reviews with stars.", show_default=False)],
    model: Annotated[
        str | None, typer.Option(help="A registered model (version, ARN or latest) in place of the served one.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many rows.")] = None,
    text: options.TextColumn = None,
    rating: options.RatingColumn = None,
    title: options.TitleColumn = None,
    encoding: options.Encoding = "utf-8",
    skip_bad: options.SkipBad = False,
    stage: options.Stage = LOCAL,
    as_json: options.Json = False,
) -> None:
    """Measure a model on a labelled file: accuracy, macro-F1, per class, confusion, calibration error, unsure share."""
    given = {"text": text, "rating": rating, "title": title}
    named = {canonical: header for canonical, header in given.items() if header is not None}
    rows = read_reviews(reviews, named=named, skip_bad=skip_bad, encoding=encoding)
    connection = connect(stage)
    steps = Steps(error_console() if as_json else console())
    chosen = list(rows.reviews[:limit])
    with steps.step(
        f"Ask the {'served model' if model is None else f'model {model}'} about {len(chosen)} reviews"
    ) as step:
        report = run(connection, chosen, model, step.now)
    report |= {"reviews": str(reviews), "skipped": len(rows.skipped)}
    if as_json:
        print_json(report)
        return
    _show(report, rows)


def run(connection: Connection, reviews: Sequence[Review], model: str | None, note: Note) -> dict[str, Any]:
    """The evaluation of the served endpoint, or of a named package hosted on this machine for the while."""
    if model is None:
        return measured(reviews, endpoint(connection), note)
    package = find_package(connection, model)
    with hosted(connection, package) as invoke:
        return {**measured(reviews, invoke, note), "model_package_arn": package.arn}


def endpoint(connection: Connection) -> Invoke:
    """The stage's endpoint, asked through the SageMaker runtime."""
    name = connection.output("endpoint", "EndpointName")
    client = connection.client("sagemaker-runtime")

    def invoke(body: bytes) -> bytes:
        answer = client.invoke_endpoint(EndpointName=name, Body=body, ContentType=CONTENT_TYPE, Accept=CONTENT_TYPE)
        content: bytes = answer["Body"].read()
        return content

    return invoke


def measured(reviews: Sequence[Review], invoke: Invoke, note: Note) -> dict[str, Any]:
    """Scores of what the model decided; rows that it refuses are counted and left out of the scores.

    Where it is unsure, the most probable class stands for its answer.
    """
    import numpy as np

    from training_code.metrics import score

    truth: list[int] = []
    decided: list[int] = []
    probabilities: list[list[float]] = []
    unsure = refused = asked = 0
    version = ""
    for batch in _batches(reviews):
        body = "".join(
            json.dumps({"text": review.text, **({"title": review.title} if review.title else {})}) + "\n"
            for review in batch
        )
        answers = [json.loads(line) for line in invoke(body.encode()).splitlines() if line.strip()]
        if len(answers) != len(batch):
            raise Problem(f"The endpoint answered {len(answers)} lines to {len(batch)} texts.")
        for review, answer in zip(batch, answers, strict=True):
            if "error" in answer:
                refused += 1
                continue
            truth.append(from_stars(review.rating).class_index)
            shares = [answer["probabilities"][label] for label in LABELS]
            probabilities.append(shares)
            label = answer["label"]
            decided.append(LABELS.index(label) if label in LABELS else shares.index(max(shares)))
            unsure += answer["label"] == UNSURE
            version = answer["model_version"]
        asked += len(batch)
        note(f"{asked} of {len(reviews)}")
    if not truth:
        raise Problem("The model refused every row: there is nothing to score.")
    scores = score(np.array(truth), np.array(probabilities), np.array(decided))
    return {**asdict(scores), "unsure_share": unsure / len(truth), "refused": refused, "model_version": version}


def _batches(reviews: Sequence[Review]) -> Iterator[Sequence[Review]]:
    for start in range(0, len(reviews), BATCH):
        yield reviews[start : start + BATCH]


def _show(report: dict[str, Any], rows: Reviews) -> None:
    say(f"Model {report['model_version']}")
    evaluation_tables(report)
    low, high = report["macro_f1_interval"]
    say(f"95 % interval of macro-F1: {low:.3f} to {high:.3f}")
    if rows.skipped:
        say(f"{len(rows.skipped)} bad rows were left out.")
    if report["refused"]:
        say(f"{report['refused']} rows were refused by the model.")
