"""`earshot release` and `earshot rollback`: which model the endpoint serves, and a second one beside it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli import options
from cli.connection import Connection, connect
from cli.errors import BadInput
from cli.models import Package, find_package, packages, released_run, run_of
from cli.project import LOCAL
from cli.release_history import release_before, values
from cli.releases import change_models, start_release
from cli.render import console, error_console, print_json, say
from cli.steps import Steps

LATEST_APPROVED = "latest approved"

Model = Annotated[
    str,
    typer.Argument(help="Version, ARN or run of an approved model; beside the released one it may wait for approval."),
]
Weight = Annotated[float | None, typer.Option(min=0.0, max=0.99, help="Share of the traffic for the model beside.")]


def release(
    model: Model = LATEST_APPROVED,
    beside: Annotated[
        bool, typer.Option("--beside", help="Serve it beside the released model, for a share of the traffic.")
    ] = False,
    weight: Weight = None,
    shadow: Annotated[
        bool, typer.Option("--shadow", help="The same without traffic: only `compare-variants` asks it.")
    ] = False,
    alone: Annotated[bool, typer.Option("--alone", help="End the comparison: no model beside any more.")] = False,
    stage: options.Stage = LOCAL,
    as_json: options.Json = False,
) -> None:
    """Serve an approved model: a canary first, taken back by alarms on errors, latency and model quality.

    Ends with code 1 and the reason when the model was taken back.
    """
    if beside + shadow + alone > 1:
        raise BadInput("Give one of --beside, --shadow and --alone.")
    if beside != (weight is not None):
        raise BadInput("--beside and --weight belong together, for instance --beside --weight 0.1.")
    if alone and model != LATEST_APPROVED:
        raise BadInput("--alone takes no model: the released one goes on.")
    connection = connect(stage)
    steps = Steps(error_console() if as_json else console())
    if alone:
        with steps.step("End the comparison") as step:
            change_models(connection, {"mode": "alone"}, step)
            step.result = "only the released model is served"
        _report({"beside": None}, "Only the released model is served.", as_json=as_json)
        return
    chosen = _chosen(connection, model, may_wait=beside or shadow)
    if beside or shadow:
        share = weight or 0.0
        with steps.step(f"Serve version {chosen.version} beside the released model") as step:
            request = {"mode": "beside", "model_package_arn": chosen.arn, "share": share}
            change_models(connection, request, step)
            step.result = f"model package version {chosen.version} gets {share:.0%} of the traffic"
        _report(
            {"beside": chosen.as_dict(), "share": share},
            f"Version {chosen.version} is served beside the released model: `earshot compare-variants` asks both.",
            as_json=as_json,
        )
        return
    with steps.step(f"Release version {chosen.version}") as step:
        canary = start_release(connection, chosen, step)
    served = find_package(connection, chosen.arn)
    _report({**served.as_dict(), "canary": canary}, f"Version {served.version} is served.", as_json=as_json)


def rollback(stage: options.Stage = LOCAL, as_json: options.Json = False) -> None:
    """Serve the release before the present one again, at once: no canary, and no alarm is waited for."""
    connection = connect(stage)
    before = release_before(values(connection))
    if before is None:
        raise BadInput("There is no release before the present one.")
    run = run_of(before)
    request: dict[str, Any] = {"mode": "rollback"}
    what = "the starter"
    if run is not None:
        package = _package_of(connection, run)
        request["model_package_arn"] = package.arn
        what = f"version {package.version}"
    steps = Steps(error_console() if as_json else console())
    with steps.step(f"Go back to {what}") as step:
        change_models(connection, request, step)
        step.result = f"{what} is served"
    _report({"released_run": released_run(connection), "release": before}, f"Served again: {what}.", as_json=as_json)


def _chosen(connection: Connection, name: str, *, may_wait: bool) -> Package:
    """The named model, which must be approved, unless it `may_wait` for that."""
    if name == LATEST_APPROVED:
        for package in packages(connection):
            if package.status == "Approved":
                return package
        raise BadInput("There is no approved model package: train one with `earshot train`, or approve one.")
    chosen = find_package(connection, name)
    if chosen.status == "Approved" or (may_wait and chosen.status == "PendingManualApproval"):
        return chosen
    raise BadInput(f"Version {chosen.version} is {chosen.status}: run `earshot models approve {chosen.version}`.")


def _package_of(connection: Connection, run: str) -> Package:
    for package in packages(connection):
        if package.run == run and package.status == "Approved":
            return package
    raise BadInput(f"The release before was run {run}, which has no approved model package any more.")


def _report(document: dict[str, Any], sentence: str, *, as_json: bool) -> None:
    if as_json:
        print_json(document)
    else:
        say(sentence)
