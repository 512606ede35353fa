"""`earshot send`: feedback through the API, as any client would send it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import options
from cli.api import FeedbackApi
from cli.connection import connect
from cli.errors import BadInput
from cli.project import LOCAL
from cli.render import print_json, print_table, say

BATCH_LIMIT = 100


def send(
    text: Annotated[
        str | None, typer.Argument(help="What the customer said; - reads stdin.", show_default=False)
    ] = None,
    channel: Annotated[str, typer.Option(help="email, chat, app, call, social, partner, file or web.")] = "web",
    product: Annotated[str | None, typer.Option(help="Product id.")] = None,
    category: Annotated[str | None, typer.Option(help="Category.")] = None,
    feedback_id: Annotated[str | None, typer.Option("--id", help="Your id: sent twice, it is taken once.")] = None,
    batch: Annotated[
        Path | None, typer.Option(help="File to send in place of TEXT: JSON Lines of feedback, or a text a line.")
    ] = None,
    stage: options.Stage = LOCAL,
    as_json: options.Json = False,
) -> None:
    """Send feedback and show the sentiment that came back."""
    if (text is None) == (batch is None):
        raise BadInput("Give either TEXT or --batch FILE.")
    given = {"channel": channel, "product_id": product, "category": category}
    defaults = {name: value for name, value in given.items() if value is not None}
    api = FeedbackApi(connect(stage))
    if batch is not None:
        answers: list[dict[str, Any]] = []
        items = batch_items(batch, defaults)
        for start in range(0, len(items), BATCH_LIMIT):
            answers.extend(api.send_batch(items[start : start + BATCH_LIMIT]).body["results"])
        if as_json:
            print_json(answers)
        else:
            _show_batch(answers)
        return
    content = sys.stdin.read() if text == "-" else text
    feedback = {**defaults, "text": content} | ({"id": feedback_id} if feedback_id is not None else {})
    answer = api.send(feedback).body
    if as_json:
        print_json(answer)
    else:
        say(sentence(answer))


def sentence(answer: dict[str, Any]) -> str:
    """An answer of the API as one line."""
    if answer.get("label"):
        sureness = f" ({answer['confidence']:.0%} sure)" if answer.get("confidence") is not None else ""
        return f"{answer['label']}{sureness}  id {answer['id']}  model {answer.get('model_version', '?')}"
    return f"accepted, not classified yet  id {answer['id']}  state {answer['state']}"


def batch_items(path: Path, defaults: dict[str, str]) -> list[dict[str, Any]]:
    """The feedback of a file; a line that is a JSON object is taken as it is, any other line is a text."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise BadInput(f"{path} is not UTF-8 text.") from None
    items: list[dict[str, Any]] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        if line.lstrip().startswith("{"):
            try:
                found = json.loads(line)
            except ValueError:
                raise BadInput(f"{path}, line {number} is not a JSON object.") from None
            items.append({**defaults, **found})
        else:
            items.append({**defaults, "text": line})
    if not items:
        raise BadInput(f"{path} holds no feedback.")
    return items


def _show_batch(answers: list[dict[str, Any]]) -> None:
    rows: list[tuple[object, ...]] = []
    for answer in answers:
        problem = answer.get("problem")
        if problem is not None:
            rows.append(("-", f"refused: {problem['detail']}", None, None))
        else:
            rows.append((answer["id"], answer["state"], answer.get("label"), answer.get("confidence")))
    print_table(("id", "state", "label", "confidence"), rows)
