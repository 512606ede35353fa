"""`earshot compare-variants`: the released model and the one beside it, asked the same texts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import options
from cli.connection import Connection, connect
from cli.errors import BadInput
from cli.project import LOCAL
from cli.render import console, error_console, print_json, print_table, say
from cli.reviews import read_reviews
from cli.send import batch_items
from cli.steps import Steps
from cli.variants import BATCH, SAID, Text, ask, compared, two_variants
from feedback.sentiment import Sentiment, from_stars

FEEDBACK = "feedback/"
PROBES = "probes.jsonl"
SIGNIFICANT = 0.05


def compare_variants(
    texts: Annotated[
        Path | None, typer.Option(help="CSV of reviews with stars, JSON Lines, or a text a line.", show_default=False)
    ] = None,
    probes: Annotated[bool, typer.Option("--probes", help="The labelled texts packed with the model beside.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="So many texts at most.")] = 500,
    text: options.TextColumn = None,
    rating: options.RatingColumn = None,
    title: options.TitleColumn = None,
    encoding: options.Encoding = "utf-8",
    stage: options.Stage = LOCAL,
    as_json: options.Json = False,
) -> None:
    """Ask both models behind the endpoint the same texts (by default the newest feedback) and compare the answers."""
    if texts is not None and probes:
        raise BadInput("Give either --texts FILE or --probes.")
    named = {name: header for name, header in (("text", text), ("rating", rating), ("title", title)) if header}
    connection = connect(stage)
    variants = two_variants(connection)
    if texts is not None:
        chosen = _of_file(texts, named, encoding)[:limit]
    elif probes:
        chosen = _probes(connection)[:limit]
    else:
        chosen = _newest_feedback(connection, limit)
    if not chosen:
        raise BadInput("There are no texts to ask about: give --texts FILE, or send feedback first.")
    steps = Steps(error_console() if as_json else console())
    with steps.step(f"Ask both models about {len(chosen)} texts") as step:
        ask(connection, variants, chosen, step.now)
    report = compared(*variants, chosen)
    if as_json:
        print_json(report)
    else:
        _show(report)


def _of_file(path: Path, named: dict[str, str], encoding: str) -> list[Text]:
    if path.suffix.lower() == ".csv":
        rows = read_reviews(path, named=named, skip_bad=True, encoding=encoding)
        return [
            Text(
                text=f"{review.title}. {review.text}" if review.title else review.text,
                truth=from_stars(review.rating).label,
            )
            for review in rows.reviews
        ]
    return [_text(item) for item in batch_items(path, {})]


def _text(item: dict[str, Any]) -> Text:
    """A line of JSON: the text, and its `sentiment` where it has one that is true rather than guessed by a model."""
    if not isinstance(item.get("text"), str):
        raise BadInput("A line has no text.")
    truth = item.get("sentiment") if "model_version" not in item else None
    return Text(text=item["text"], truth=Sentiment(truth).label if truth in set(Sentiment) else None)


def _probes(connection: Connection) -> list[Text]:
    name = connection.output("endpoint", "BesideParameter")
    prefix = connection.client("ssm").get_parameter(Name=name)["Parameter"]["Value"]
    bucket, _, key = f"{prefix}{PROBES}".removeprefix("s3://").partition("/")
    client = connection.client("s3")
    try:
        body: bytes = client.get_object(Bucket=bucket, Key=key)["Body"].read()
    except client.exceptions.NoSuchKey:
        raise BadInput("The model beside was packed without labelled texts: give --texts FILE.") from None
    return [_text(json.loads(line)) for line in body.splitlines() if line.strip()]


def _newest_feedback(connection: Connection, limit: int) -> list[Text]:
    """Feedback of the lake, the newest day first; its labels are a model's own and so no truth."""
    client, bucket = connection.client("s3"), connection.output("data-lake", "LakeBucket")

    def lines() -> Iterator[Text]:
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=FEEDBACK)
        for key in sorted((entry["Key"] for page in pages for entry in page.get("Contents", [])), reverse=True):
            body: bytes = client.get_object(Bucket=bucket, Key=key)["Body"].read()
            yield from (Text(text=json.loads(line)["text"]) for line in body.splitlines() if line.strip())

    return [text for _, text in zip(range(limit), lines(), strict=False)]


def _show(report: dict[str, Any]) -> None:
    first, second = report["variants"]
    print_table(
        ("", first["name"], second["name"]),
        [
            ("model", first["model_version"], second["model_version"]),
            ("weight", first["weight"], second["weight"]),
            *((f"share {label}", first["shares"][label], second["shares"][label]) for label in SAID),
            (f"p50 of {BATCH} texts, ms", first["p50_milliseconds"], second["p50_milliseconds"]),
            (f"p99 of {BATCH} texts, ms", first["p99_milliseconds"], second["p99_milliseconds"]),
        ],
    )
    print_table(
        (f"{first['name']} said", *(f"{second['name']} said {label}" for label in SAID)),
        [(label, *row) for label, row in zip(SAID, report["confusion"], strict=True)],
    )
    say(f"They agree on {report['agreement']:.1%} of {report['texts']} texts.")
    labelled = report["labelled"]
    if labelled is None:
        return
    one, other = labelled["accuracy"]
    verdict = "more than chance" if labelled["mcnemar_p"] < SIGNIFICANT else "no proof that either is better"
    say(
        f"Right on {labelled['texts']} labelled texts: {first['name']} {one:.1%}, {second['name']} {other:.1%}; only "
        f"the first {labelled['only_first_right']} times, only the second {labelled['only_second_right']} times "
        f"(McNemar p = {labelled['mcnemar_p']:.3g}: {verdict})."
    )
