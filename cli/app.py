"""The `earshot` command: wires the verbs, and turns what goes wrong into one line and an exit code.

Exit codes: 0 done, 1 the work failed, 2 wrong input or usage, 3 something needed is not there, 130 interrupted.
"""

from __future__ import annotations

import sys
from typing import Any

import typer
from typer.core import TyperGroup

from cli.alert_commands import alerts
from cli.channels import channels
from cli.check_template import check_template
from cli.compare_variants import compare_variants
from cli.connection import explained
from cli.demo import demo
from cli.destroy import destroy
from cli.doctor import doctor
from cli.errors import Problem
from cli.evaluate import evaluate
from cli.forget import forget
from cli.ingest import ingest
from cli.logs import logs
from cli.models_commands import models
from cli.query import query
from cli.redrive import redrive
from cli.release import release, rollback
from cli.render import print_problem
from cli.replay import replay
from cli.report import report
from cli.rescore import rescore
from cli.responses import responses
from cli.review import review
from cli.send import send
from cli.status import status
from cli.train import train
from cli.trends import trends
from cli.up import down, up

INTERRUPTED = 130


class Verbs(TyperGroup):
    """The group of all verbs; what they cannot do becomes a sentence, never a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except Problem as problem:
            print_problem(problem)
            raise typer.Exit(problem.exit_code) from None
        except KeyboardInterrupt:
            sys.stderr.write("earshot: interrupted\n")
            raise typer.Exit(INTERRUPTED) from None
        except Exception as error:
            explanation = explained(error)
            if explanation is None:
                raise
            print_problem(explanation)
            raise typer.Exit(explanation.exit_code) from None


app = typer.Typer(
    cls=Verbs,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Earshot hears what customers say: feedback intake, sentiment model, alerts and a lake to query.\n\n"
    "Exit codes: 0 done, 1 the work failed, 2 wrong input, 3 something needed is missing, 130 interrupted.",
)
for verb in (
    demo,
    up,
    down,
    status,
    ingest,
    train,
    report,
    evaluate,
    release,
    rollback,
    compare_variants,
    rescore,
    send,
    query,
    redrive,
    replay,
    forget,
    trends,
    logs,
    destroy,
    doctor,
    check_template,
):
    app.command()(verb)
app.add_typer(models, name="models")
app.add_typer(alerts, name="alerts")
app.add_typer(channels, name="channels")
app.add_typer(responses, name="responses")
app.add_typer(review, name="review")


def main() -> None:
    """The console script."""
    app()


if __name__ == "__main__":
    main()
