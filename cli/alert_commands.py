"""`earshot alerts` and its verbs: what arrived, what is open, and what people do about it.

Actions go the same way as those over the API. It does not know how alerts are sent.
"""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from cli import options
from cli.alert_listing import listed
from cli.alert_policy import policy
from cli.alerts import alerts as show_inbox
from cli.connection import Connection, connect
from cli.errors import BadInput, Problem
from cli.project import LOCAL
from cli.render import print_json, print_table, say
from feedback.ledger import AlertState

alerts = typer.Typer(invoke_without_command=True, help="What arrived in the alert inbox; who takes care of what.")
alerts.add_typer(policy, name="policy")

AlertId = Annotated[str, typer.Argument(metavar="ID", help="The alert: its feedback's id, or its own.")]
By = Annotated[str | None, typer.Option(help="Who does it; by default the name you are logged in with.")]
Note = Annotated[str | None, typer.Option(help="A word for whoever reads the ledger.")]


@alerts.callback()
def arrived(context: typer.Context, stage: options.Stage = LOCAL, as_json: options.Json = False) -> None:
    """Show the alerts that arrived in the stage's inbox, oldest first; or do what a verb says."""
    if context.invoked_subcommand is None:
        show_inbox(stage, as_json)


@alerts.command("list")
def list_(
    state: Annotated[str | None, typer.Option(help=f"Only these: {', '.join(AlertState)}.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="So many, the newest first.")] = 20,
    stage: options.Stage = LOCAL,
    as_json: options.Json = False,
) -> None:
    """Show alerts as they stand in the ledger: state, severity, team and who has them."""
    if state is not None and state not in tuple(AlertState):
        raise BadInput(f"There is no state '{state}': choose one of {', '.join(AlertState)}.")
    found = listed(connect(stage), state=state, limit=limit)
    if as_json:
        print_json(found)
        return
    if not found:
        say("There is no such alert.")
        return
    columns = ("id", "kind", "state", "severity", "team", "at", "by", "assigned_to")
    print_table(columns, [tuple(alert.get(column, "") for column in columns) for alert in found])


@alerts.command()
def acknowledge(
    alert_id: AlertId,
    by: By = None,
    note: Note = None,
    stage: options.Stage = LOCAL,
    as_json: options.Json = False,
) -> None:
    """Say that somebody takes care of it: no reminder comes any more."""
    _perform(connect(stage), alert_id, {"action": "acknowledge"}, by=by, note=note, as_json=as_json)


@alerts.command()
def assign(
    alert_id: AlertId,
    to: Annotated[str, typer.Argument(metavar="PERSON", help="Who is to take care of it.")],
    by: By = None,
    note: Note = None,
    stage: options.Stage = LOCAL,
    as_json: options.Json = False,
) -> None:
    """Name who is to take care of it."""
    _perform(connect(stage), alert_id, {"action": "assign", "to": to}, by=by, note=note, as_json=as_json)


@alerts.command()
def snooze(
    alert_id: AlertId,
    minutes: Annotated[int, typer.Option(min=1, help="How long. Then it comes again.")] = 60,
    by: By = None,
    note: Note = None,
    stage: options.Stage = LOCAL,
    as_json: options.Json = False,
) -> None:
    """Quiet an alert for a while; a digest or a product's alert quiets its whole product."""
    _perform(connect(stage), alert_id, {"action": "snooze", "minutes": minutes}, by=by, note=note, as_json=as_json)


def _perform(
    connection: Connection, alert_id: str, action: dict[str, Any], *, by: str | None, note: str | None, as_json: bool
) -> None:
    from feedback.alerting.life import WrongActionError
    from lambdas.aws.alert_actions import AlertActions, NoSuchAlertError, NotPossibleError

    actions = AlertActions(
        ledger_table=connection.output("intake", "Ledger"),
        desk_table=connection.output("intake", "Desk"),
        dynamodb=connection.client("dynamodb"),
    )
    document = {**action, "by": by or getpass.getuser(), **({} if note is None else {"note": note})}
    try:
        alert = actions.perform(alert_id, document, now=datetime.now(UTC))
    except WrongActionError as error:
        raise BadInput(f"That cannot be asked for: {error}.") from error
    except NoSuchAlertError:
        raise BadInput(f"There is no alert {alert_id}: `earshot alerts list` shows them.") from None
    except NotPossibleError as error:
        raise Problem(str(error)) from error
    if as_json:
        print_json(alert)
    else:
        say(
            f"{alert_id}: {alert['state']}" + (f", with {alert['assigned_to']}" if "assigned_to" in alert else "") + "."
        )
