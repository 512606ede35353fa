"""`earshot alerts policy`: checks a policy, shows the one in force, and puts another in force.

What is nonsense is refused here with its place and reason, before a function ever reads it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli import options
from cli.connection import connect
from cli.errors import BadInput
from cli.project import LOCAL
from cli.render import print_json, print_table, say
from feedback.alerting.policy import Policy
from feedback.alerting.reading import PolicyError

policy = typer.Typer(no_args_is_help=True, help="Who hears of what: check, show and set the alert policy.")

PolicyFile = Annotated[Path, typer.Argument(metavar="FILE", help="A policy in JSON.", show_default=False)]


@policy.command()
def check(file: PolicyFile, as_json: options.Json = False) -> None:
    """Say whether a file is a policy, and what its rules are; exit code 2 where it is none."""
    _, parsed = _read(file)
    _show(parsed, as_json=as_json)


@policy.command()
def show(stage: options.Stage = LOCAL, as_json: options.Json = False) -> None:
    """Show the rules in force on a stage."""
    connection = connect(stage)
    answer = connection.client("ssm").get_parameter(Name=connection.output("intake", "AlertPolicy"))
    _show(_parsed(answer["Parameter"]["Value"], "The stage's policy"), as_json=as_json)


@policy.command("set")
def set_(file: PolicyFile, stage: options.Stage = LOCAL) -> None:
    """Put a policy in force within a minute. The next deployment puts the one of the settings back."""
    text, parsed = _read(file)
    connection = connect(stage)
    connection.client("ssm").put_parameter(
        Name=connection.output("intake", "AlertPolicy"), Value=text, Type="String", Overwrite=True
    )
    say(f"Stage {stage} has a new alert policy of {len(parsed.rules)} rules, in force within a minute.")


def _read(file: Path) -> tuple[str, Policy]:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{file} cannot be read as text ({type(error).__name__}).") from error
    return text, _parsed(text, str(file))


def _parsed(text: str, name: str) -> Policy:
    try:
        return Policy.parse(text)
    except PolicyError as error:
        raise BadInput(f"{name} is no alert policy: {error}.") from error


def _show(parsed: Policy, *, as_json: bool) -> None:
    rows = [
        {
            "rule": rule.name,
            "severity": rule.severity.value,
            "team": rule.team,
            "destinations": list(parsed.teams[rule.team].destinations),
            "negative_probability": rule.when.negative_probability,
            "response": None if rule.response is None else rule.response.event.value,
            "dry_run": None if rule.response is None else rule.response.dry_run,
        }
        for rule in parsed.rules
    ]
    if as_json:
        print_json(rows)
        return
    print_table(
        ("rule", "severity", "team", "told at", "from", "response"),
        [
            (
                row["rule"],
                row["severity"],
                row["team"],
                ", ".join(parsed.teams[str(row["team"])].destinations),
                f"{row['negative_probability']:.0%}",
                "" if row["response"] is None else f"{row['response']}{' (dry run)' if row['dry_run'] else ''}",
            )
            for row in rows
        ],
    )
