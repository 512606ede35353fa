"""`earshot models`: list, show, compare, approve."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli import options
from cli.comparisons import comparison_of, comparison_tables, scores_only
from cli.connection import connect
from cli.errors import BadInput
from cli.models import Package, find_package, packages
from cli.project import LOCAL
from cli.releases import follow_release
from cli.render import METRICS, console, error_console, evaluation_tables, print_json, print_table, say
from cli.steps import Steps

models = typer.Typer(no_args_is_help=True, help="List, show, compare and approve models.")

PackageName = Annotated[str, typer.Argument(help="Version, ARN, run, latest or released.")]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Follow the release to its end.")]


@models.command("list")
def list_models(stage: options.Stage = LOCAL, as_json: options.Json = False) -> None:
    """Show all registered models, newest first."""
    found = packages(connect(stage))
    if as_json:
        print_json([package.as_dict() for package in found])
        return
    if not found:
        say("There is no model package yet: the endpoint serves the starter model. Train one with `earshot train`.")
        return
    print_table(
        ("version", "run", "candidate", "status", "served", "macro-F1", "accuracy", "negative recall", "test rows"),
        [
            (
                package.version,
                package.run,
                package.candidate or None,
                package.status,
                "yes" if package.released else "",
                package.evaluation.get("macro_f1"),
                package.evaluation.get("accuracy"),
                package.evaluation.get("negative_recall"),
                package.evaluation.get("rows"),
            )
            for package in found
        ],
    )


@models.command()
def show(package: PackageName = "latest", stage: options.Stage = LOCAL, as_json: options.Json = False) -> None:
    """Show one model, its figures, and the candidates that it was the champion of."""
    connection = connect(stage)
    chosen = find_package(connection, package)
    comparison = comparison_of(connection, chosen.run)
    if as_json:
        print_json(chosen.as_dict() | {"comparison": comparison and scores_only(comparison)})
        return
    of_run = f"{chosen.candidate} of run {chosen.run}" if chosen.candidate else f"run {chosen.run}"
    say(f"Version {chosen.version}: {of_run}, {chosen.status}, {'served' if chosen.released else 'not served'}.")
    evaluation_tables(chosen.evaluation)
    if comparison is None:
        say("Its run compared no candidates, or the comparison is not in the lake any more.")
    else:
        comparison_tables(comparison)
        say(f"What was measured, and on what: `earshot report {chosen.run}`.")


@models.command()
def compare(
    first: PackageName = "released",
    second: PackageName = "latest",
    stage: options.Stage = LOCAL,
    as_json: options.Json = False,
) -> None:
    """Show two models side by side, each on its own frozen test rows."""
    connection = connect(stage)
    left, right = find_package(connection, first), find_package(connection, second)
    same_rows = _test_rows(left) is not None and _test_rows(left) == _test_rows(right)
    if as_json:
        print_json({"models": [left.as_dict(), right.as_dict()], "same_test_rows": same_rows})
        return
    print_table(("metric", f"version {left.version}", f"version {right.version}", "difference"), _rows(left, right))
    if same_rows:
        say("Both were measured on the same test rows.")
    else:
        say("Their test rows differ; `earshot evaluate --reviews FILE --model VERSION` measures each on yours.")


@models.command()
def approve(
    package: PackageName = "latest",
    wait: Wait = True,
    stage: options.Stage = LOCAL,
    as_json: options.Json = False,
) -> None:
    """Approve a model; the approval starts its release."""
    connection = connect(stage)
    chosen = find_package(connection, package)
    if chosen.status == "Approved":
        raise BadInput(f"Version {chosen.version} is approved already: `earshot release {chosen.version}` serves it.")
    connection.client("sagemaker").update_model_package(ModelPackageArn=chosen.arn, ModelApprovalStatus="Approved")
    if wait:
        steps = Steps(error_console() if as_json else console())
        with steps.step(f"Release version {chosen.version}") as step:
            follow_release(connection, chosen, step)
    _report(find_package(connection, chosen.arn), as_json=as_json)


def _report(package: Package, *, as_json: bool) -> None:
    if as_json:
        print_json(package.as_dict())
    else:
        say(f"Version {package.version}: {package.status}, {'served' if package.released else 'not served'}.")


def _rows(left: Package, right: Package) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for name in METRICS:
        before, after = left.evaluation.get(name), right.evaluation.get(name)
        rows.append((name.replace("_", " "), before, after, _difference(before, after)))
    for label in left.evaluation.get("per_class", {}):
        before = left.evaluation["per_class"][label]["f1"]
        after = right.evaluation.get("per_class", {}).get(label, {}).get("f1")
        rows.append((f"F1 {label}", before, after, _difference(before, after)))
    return rows


def _difference(before: object, after: object) -> str:
    if isinstance(before, int | float) and isinstance(after, int | float):
        return f"{after - before:+.3f}" if isinstance(after, float) else f"{after - before:+d}"
    return "-"


def _test_rows(package: Package) -> Any:
    return package.evaluation.get("features", {}).get("fingerprint")
