"""`earshot rescore`: the feedback in the lake, scored again by a registered model, and what that would change.

Responsible for what a user asks for and is shown. How texts are read and answers compared is in `cli.rescored_texts`,
how the job runs in `cli.transform_job`. The ledger is neither read nor written: what was decided stays decided.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any

import typer

from cli import options
from cli.connection import Connection, connect
from cli.errors import BadInput
from cli.models import Package, find_package, packages
from cli.project import LOCAL
from cli.render import console, error_console, print_json, print_table, say
from cli.rescored_texts import PREFIX, Comparison, compared, written
from cli.steps import Steps
from cli.transform_job import TransformJob

RELEASED = "released"
INSTANCE_TYPE = "ml.c6i.large"


def rescore(
    model: Annotated[str, typer.Argument(help="Version, ARN, run, latest or released.")] = RELEASED,
    since: Annotated[
        str | None, typer.Option(help="Only feedback received on this day or later: YYYY-MM-DD.", show_default=False)
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only so many, the newest.", show_default=False)] = None,
    instance_type: Annotated[str, typer.Option(help="The instance that the job runs on.")] = INSTANCE_TYPE,
    stage: options.Stage = LOCAL,
    as_json: options.Json = False,
) -> None:
    """Score the classified feedback in the lake again with a model, as a batch transform job; change nothing."""
    first_day = _day(since)
    connection = connect(stage)
    steps = Steps(error_console() if as_json else console())
    report = run(
        connection, _chosen(connection, model), steps, since=first_day, limit=limit, instance_type=instance_type
    )
    if as_json:
        print_json(report)
    else:
        _show(report)


def run(
    connection: Connection,
    package: Package,
    steps: Steps,
    *,
    since: date | None = None,
    limit: int | None = None,
    instance_type: str = INSTANCE_TYPE,
) -> dict[str, Any]:
    """One job from the texts to the comparison. Each run has a folder of its own, so any may be run again."""
    name = f"earshot-{connection.stage}-rescore-{datetime.now(UTC).strftime('%Y%m%d-%H%M%S-%f')}"
    bucket = connection.output("data-lake", "LakeBucket")
    job = TransformJob(
        connection=connection,
        name=name,
        package_arn=package.arn,
        source=f"s3://{bucket}/{PREFIX}{name}/input/",
        results=f"s3://{bucket}/{PREFIX}{name}/output/",
    )
    with steps.step("Write the texts of the lake as the job's input") as step:
        before = written(connection, name, since=since, limit=limit, note=step.now)
        if not before.texts:
            raise BadInput(
                "The lake holds no classified feedback" + (f" since {since.isoformat()}." if since else " yet.")
            )
        step.result = f"{before.texts} texts in {len(before.parts)} objects"
    with steps.step(f"Score them with version {package.version}") as step:
        job.run(step, parts=len(before.parts), instance_type=instance_type)
        step.result = f"job {name}"
    with steps.step("Compare the answers with what was decided") as step:
        comparison = compared(connection, name, before)
        step.result = f"{comparison.changed} of {comparison.texts} labels differ"
    return _report(name, package, job.results, comparison)


def _day(given: str | None) -> date | None:
    if given is None:
        return None
    try:
        return date.fromisoformat(given)
    except ValueError:
        raise BadInput(f"'{given}' is no day: write YYYY-MM-DD.") from None


def _chosen(connection: Connection, name: str) -> Package:
    if name != RELEASED:
        return find_package(connection, name)
    for package in packages(connection):
        if package.released:
            return package
    raise BadInput(
        "The endpoint serves the starter, which is in no registry: name a model, or train one with `earshot train`."
    )


def _report(name: str, package: Package, results: str, comparison: Comparison) -> dict[str, Any]:
    return {
        "job": name,
        "model_package_arn": package.arn,
        "version": package.version,
        "texts": comparison.texts,
        "changed": comparison.changed,
        "refused": comparison.refused,
        "unsure_before": comparison.unsure_before,
        "unsure_after": comparison.unsure_after,
        "changes": [
            {"from": before, "to": after, "texts": count}
            for (before, after), count in sorted(comparison.changes.items(), key=lambda item: (-item[1], item[0]))
        ],
        "results": results,
    }


def _show(report: dict[str, Any]) -> None:
    if report["changes"]:
        print_table(
            ("was", "would be", "texts"), [(each["from"], each["to"], each["texts"]) for each in report["changes"]]
        )
    say(
        f"Version {report['version']} scored {report['texts']} texts: {report['changed']} would change their label; "
        f"unsure were {report['unsure_before']}, would be {report['unsure_after']}."
    )
    if report["refused"]:
        say(f"{report['refused']} texts were refused by the model.")
    say(f"The answers, one a line: {report['results']}")
