"""`earshot channels`: the ways in, their addresses, and a file dropped into one of them by hand."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import options
from cli.api import FeedbackApi
from cli.channel_drops import Looking, drop, feedback_ids, result_of_file, transcript_of
from cli.connection import AwsConnection, connect
from cli.errors import BadInput
from cli.parquet_rows import as_json_lines, is_parquet
from cli.project import LOCAL
from cli.render import print_json, print_table, say
from cli.send import sentence

channels = typer.Typer(invoke_without_command=True, help="The ways in: list them, or drop a file into one.")

PLACES = {"email": "email/", "calls": "calls/", "files": "files/"}
TRANSCRIPT_SUFFIX = ".json"


@channels.callback()
def addresses(context: typer.Context, stage: options.Stage = LOCAL, as_json: options.Json = False) -> None:
    """Show the channels and their addresses; or do what a verb says."""
    if context.invoked_subcommand is not None:
        return
    found = _addresses(connect(stage))
    if as_json:
        print_json([dict(zip(("channel", "takes", "address"), row, strict=True)) for row in found])
    else:
        print_table(("channel", "takes", "address"), found)


@channels.command("drop")
def drop_file(
    file: Annotated[Path, typer.Argument(help="A mail, a recording, a transcript or a table.", show_default=False)],
    channel: Annotated[str, typer.Option(help=f"{', '.join(PLACES)}.", show_default=False)],
    product: Annotated[str | None, typer.Option(help="Product of a call: the folder it is put into.")] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Wait for what becomes of it.")] = False,
    timeout: Annotated[float, typer.Option(min=1, help="So many seconds at most.")] = 120.0,
    stage: options.Stage = LOCAL,
    as_json: options.Json = False,
) -> None:
    """Put a file where the channel looks, as a partner or SES would."""
    if channel not in PLACES:
        raise BadInput(f"There is no channel '{channel}' to drop files into: choose one of {', '.join(PLACES)}.")
    if product is not None and (channel != "calls" or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", product)):
        raise BadInput("--product is for calls, and of letters, digits, dots and dashes.")
    content, name = _content(file), file.name
    if channel == "files" and is_parquet(content):
        content, name = as_json_lines(file), f"{file.name}.jsonl.gz"
    connection = connect(stage)
    bucket = connection.output("intake", "DropBucket")
    s3 = connection.client("s3")
    dropped = drop(s3, bucket=bucket, key=_key(name, channel, product), content=content)
    outcome: dict[str, Any] = {"bucket": bucket, "key": dropped.key, "version_id": dropped.version_id}
    if not as_json:
        say(f"Dropped as s3://{bucket}/{dropped.key}")
    if follow:
        looking = Looking(s3=s3, deadline=time.monotonic() + timeout)
        if channel == "files":
            outcome["result"] = result_of_file(dropped, looking)
        else:
            if channel == "calls" and file.suffix.lower() != TRANSCRIPT_SUFFIX:
                dropped, content = transcript_of(dropped, looking)
            ids = feedback_ids(dropped, content, channel=channel)
            outcome["feedback"] = [_decided(FeedbackApi(connection), id_, looking) for id_ in ids]
    if as_json:
        print_json(outcome)
    elif follow:
        for line in _lines(outcome):
            say(line)


def _addresses(connection: AwsConnection) -> list[tuple[str, str, str]]:
    api = connection.output("intake", "ApiUrl").rstrip("/")
    bucket = f"s3://{connection.output('intake', 'DropBucket')}"
    return [
        ("api", "feedback as JSON, signed by AWS credentials", f"{api}/v1/feedback"),
        ("webhooks", "events of partners, signed with their secret", f"{api}/v1/webhooks/SOURCE"),
        ("email", "mails as SES receives them", f"{bucket}/email/"),
        ("calls", "recordings", f"{bucket}/calls/audio/[PRODUCT/]"),
        ("calls", "transcripts", f"{bucket}/calls/transcripts/[PRODUCT/]"),
        ("files", "CSV, JSON Lines; Parquet with `earshot channels drop`", f"{bucket}/files/"),
        ("puller", "feeds that are asked", connection.output("channels", "Sources")),
    ]


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise BadInput(f"{file} cannot be read: {error.strerror}.") from None


def _key(name: str, channel: str, product: str | None) -> str:
    prefix = PLACES[channel]
    if channel == "calls":
        prefix += "transcripts/" if name.lower().endswith(TRANSCRIPT_SUFFIX) else "audio/"
    return f"{prefix}{f'{product}/' if product else ''}{name}"


def _decided(api: FeedbackApi, feedback_id: str, looking: Looking) -> dict[str, Any]:
    """The feedback as it is decided; as it stands where the time is up before."""
    while True:
        answer = api.call("GET", f"/v1/feedback/{feedback_id}", None)
        if answer.status == 200 and answer.body["state"] != "RECEIVED":
            return dict(answer.body)
        looking.pause(f"feedback {feedback_id} is {'not accepted' if answer.status == 404 else 'not decided'} yet")


def _lines(outcome: dict[str, Any]) -> list[str]:
    if "result" not in outcome:
        return [sentence(feedback) for feedback in outcome["feedback"]] or ["It is no feedback: nothing was taken in."]
    result = outcome["result"]
    counts = f"{result['accepted']} taken in, {result['repeated']} known before, {result['refused']} refused"
    lines = [f"{result['rows']} rows: {counts}"]
    lines += [f"  row {each['row']}: {each['reason']}" for each in result["reasons"]]
    return lines + ([f"Stopped: {result['stopped']}"] if result["stopped"] else [])
