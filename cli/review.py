"""`earshot review`: feedback that waits for a person's judgement: listed, corrected, exported.

Responsible for the verbs and what they show. What waits is in the queue that the function trends keeps; what is said
and decided is in the ledger, and only there. How rows become files is in `cli.review_files`.
"""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import options
from cli.connection import Connection, connect
from cli.errors import BadInput, Problem
from cli.project import LOCAL
from cli.render import print_json, print_table, say
from cli.review_files import Format, write_rows
from feedback.ledger import Entry, State
from feedback.review import QUEUE, REASONS, queued_id
from feedback.sentiment import LABELS, Sentiment

if TYPE_CHECKING:
    from lambdas.aws.ledger import Ledger

PAGE = 100
SHOWN_CHARACTERS = 160

review = typer.Typer(no_args_is_help=True, help="Feedback that waits for a person: unsure, or stars against text.")

Reason = Annotated[str | None, typer.Option(help=f"Only what waits because of this: {', '.join(REASONS)}.")]


@review.command("list")
def list_(
    reason: Reason = None,
    limit: Annotated[int, typer.Option(min=1, help="So many, the oldest first.")] = 20,
    stage: options.Stage = LOCAL,
    as_json: options.Json = False,
) -> None:
    """Show what waits, the oldest first: the redacted text, the model's view and the stars."""
    _check_reason(reason)
    rows = [row for _, row in zip(range(limit), waiting(connect(stage), reason=reason), strict=False)]
    if as_json:
        print_json(rows)
        return
    if not rows:
        say("Nothing waits for a review.")
        return
    print_table(
        ("id", "why", "model", "stars", "product", "text"),
        [
            (row["id"], row["reason"], _view(row), row["rating"], row["product_id"], _shortened(row["text"]))
            for row in rows
        ],
    )
    say("Decide with: earshot review correct ID " + "|".join(LABELS))


@review.command()
def correct(
    feedback_id: Annotated[str, typer.Argument(metavar="ID", help="The feedback.", show_default=False)],
    label: Annotated[str, typer.Argument(help=f"What it is: {', '.join(LABELS)}.", show_default=False)],
    by: Annotated[str | None, typer.Option(help="Who says so; by default the name you are logged in with.")] = None,
    note: Annotated[str | None, typer.Option(help="Why, for whoever reads the ledger.")] = None,
    stage: options.Stage = LOCAL,
    as_json: options.Json = False,
) -> None:
    """Say what a feedback really is. It wins over the model, leaves the queue and becomes a row to train on."""
    if label not in LABELS:
        raise BadInput(f"'{label}' is no sentiment: choose one of {', '.join(LABELS)}.")
    entry = corrected(connect(stage), feedback_id, Sentiment.from_label(label), by=by or _user(), note=note)
    assert entry.correction is not None  # the ledger has just written it
    if as_json:
        print_json(_row(entry))
    else:
        say(f"{feedback_id} is {entry.effective_label}, says {entry.correction.by} at {entry.correction.at}.")


@review.command()
def export(
    file: Annotated[Path, typer.Argument(help="The file to write: .csv or .jsonl.", show_default=False)],
    reason: Reason = None,
    stage: options.Stage = LOCAL,
    as_json: options.Json = False,
) -> None:
    """Write all that waits to a file. Cells cannot become spreadsheet formulas."""
    _check_reason(reason)
    form = Format.of(file)
    count = write_rows(file, form, waiting(connect(stage), reason=reason))
    if as_json:
        print_json({"file": str(file), "rows": count})
    else:
        say(f"{count} rows in {file}.")


def waiting(connection: Connection, *, reason: str | None = None) -> Iterator[dict[str, Any]]:
    """Rows of what waits, the oldest first. What was corrected or forgotten a moment ago is left out."""
    from lambdas.aws.desk import Desk

    ledger = _ledger(connection)
    desk = Desk(table=connection.output("intake", "Desk"), dynamodb=connection.client("dynamodb"))
    after: str | None = None
    while items := desk.query(QUEUE, after=after, limit=PAGE):
        after = items[-1]["sk"]
        wanted = {queued_id(item["sk"]): item["reason"] for item in items if reason in (None, item["reason"])}
        found = ledger.find_items(wanted)
        for feedback_id in wanted:
            if feedback_id in found and (entry := Entry.from_document(found[feedback_id])).state is not State.CORRECTED:
                yield _row(entry) | {"reason": wanted[feedback_id]}


def corrected(connection: Connection, feedback_id: str, sentiment: Sentiment, *, by: str, note: str | None) -> Entry:
    """The entry with the correction in it; a Problem where the ledger has no such feedback or it is undecided."""
    from lambdas.aws.ledger import UndecidedFeedbackError, UnknownFeedbackError

    try:
        return _ledger(connection).correct(feedback_id, sentiment, by=by, note=note, now=datetime.now(UTC))
    except UnknownFeedbackError:
        raise BadInput(f"There is no feedback {feedback_id}.") from None
    except UndecidedFeedbackError:
        raise Problem(f"Feedback {feedback_id} is not decided yet: the model comes first.") from None


def _ledger(connection: Connection) -> Ledger:
    from lambdas.aws.ledger import Ledger

    return Ledger(table=connection.output("intake", "Ledger"), dynamodb=connection.client("dynamodb"))


def _row(entry: Entry) -> dict[str, Any]:
    """What a person decides by. The text is the redacted one: the ledger knows no other."""
    event, prediction = entry.event, entry.prediction
    return {
        "id": event.id,
        "reason": entry.review,
        "received_at": event.received_at,
        "channel": event.channel,
        "product_id": event.product_id,
        "category": event.category,
        "rating": event.rating,
        "label": entry.effective_label,
        "confidence": None if prediction is None else prediction.confidence,
        "model_version": None if prediction is None else prediction.model_version,
        "text": event.text,
    }


def _check_reason(reason: str | None) -> None:
    if reason is not None and reason not in REASONS:
        raise BadInput(f"Nothing waits because of '{reason}': choose one of {', '.join(REASONS)}.")


def _view(row: dict[str, Any]) -> str:
    sure = "" if row["confidence"] is None else f" ({row['confidence']:.0%})"
    return f"{row['label']}{sure}"


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SHOWN_CHARACTERS else f"{line[: SHOWN_CHARACTERS - 1]}…"


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        raise BadInput("Who says so? There is no user name here: give --by NAME.") from None
