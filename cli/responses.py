"""`earshot responses`: what was asked of other systems after feedback, and taking it back.

Taking back raises the opposite event, under the same id, and notes who did it. It does not know what answers events.
"""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cli import options
from cli.connection import Connection, connect
from cli.errors import BadInput, Problem
from cli.project import LOCAL
from cli.render import print_json, print_table, say
from feedback.alerting.responses import ResponseState
from feedback.alerting.rules import ResponseEvent

if TYPE_CHECKING:
    from lambdas.aws.response_record import ResponseRecord

responses = typer.Typer(no_args_is_help=True, help="Automatic responses to feedback: list them, take one back.")

_COLUMNS = ("response_id", "event", "state", "rule", "feedback_id", "evidence", "at", "undone_by")


@responses.command("list")
def list_(
    limit: Annotated[int, typer.Option(min=1, help="So many at most.")] = 50,
    stage: options.Stage = LOCAL,
    as_json: options.Json = False,
) -> None:
    """Show what was raised, and what a dry run would have raised; the newest first."""
    found = sorted(_record(connect(stage)).all(limit=1000), key=lambda each: str(each["at"]), reverse=True)[:limit]
    if as_json:
        print_json([{name: each.get(name) for name in _COLUMNS} for each in found])
    elif found:
        print_table(_COLUMNS, [tuple(each.get(name, "") for name in _COLUMNS) for each in found])
    else:
        say("Nothing was asked of other systems.")


@responses.command()
def undo(
    response_id: Annotated[str, typer.Argument(metavar="ID", help="The response.", show_default=False)],
    by: Annotated[str | None, typer.Option(help="Who does it; by default the name you are logged in with.")] = None,
    stage: options.Stage = LOCAL,
) -> None:
    """Take a raised response back: the opposite event goes over the same bus."""
    from lambdas.aws.bus import Bus, NotRaisedError

    connection = connect(stage)
    record = _record(connection)
    noted = record.find(response_id)
    if noted is None:
        raise BadInput(f"There is no response {response_id}: `earshot responses list` shows them.")
    if noted["state"] != ResponseState.RAISED.value:
        raise BadInput(f"Response {response_id} is {noted['state']}: there is nothing to take back.")
    person, now = by or getpass.getuser(), datetime.now(UTC)
    bus = Bus(name=connection.output("intake", "ResponseBus"), events=connection.client("events"))
    detail = {name: noted[name] for name in ("version", "response_id", "feedback_id", "subject", "rule")}
    reverse = ResponseEvent(noted["event"]).reverse
    try:
        bus.put(reverse, {**detail, "by": person})
    except NotRaisedError as error:
        raise Problem("The bus did not take the event; nothing was taken back. Try again.") from error
    record.move(noted, ResponseState.UNDONE, now=now, undone_by=person)
    say(f"{reverse} was raised for {response_id}.")


def _record(connection: Connection) -> ResponseRecord:
    from lambdas.aws.desk import Desk
    from lambdas.aws.response_record import ResponseRecord

    return ResponseRecord(Desk(table=connection.output("intake", "Desk"), dynamodb=connection.client("dynamodb")))
