"""`earshot up` and `earshot down`: the local AWS with everything deployed, and its end; on AWS `up` only deploys.

Responsible for the order of the steps. Starting, synthesising and deploying are in `cli.local_aws` and `cli.cdk`.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

from cli import cdk, local_aws, options
from cli.connection import AwsConnection, connect
from cli.errors import Problem
from cli.project import LOCAL, STACKS, Project, stack_name
from cli.render import console, error_console, print_json, say
from cli.steps import Steps

Note = Callable[[str], None]


def up(stage: options.Stage = LOCAL, as_json: options.Json = False) -> None:
    """Start the local AWS and deploy everything into it; run again, it only deploys what changed."""
    connection = connect(stage)
    steps = Steps(error_console() if as_json else console())
    bring_up(connection, steps)
    stacks = deployed_stacks(connection)
    if as_json:
        print_json({"stage": stage, "stacks": stacks, "seconds": round(steps.total_seconds, 1)})
        return
    say(f"{len(stacks)} stacks are deployed in stage {stage}. API: {api_url(connection)}")
    say("Next: `earshot ingest FILE`, `earshot send TEXT`, `earshot status`.")


def down() -> None:
    """Stop the local AWS; its state is kept and comes back with `earshot up`."""
    project = Project.from_env()
    if local_aws.stop(project):
        say(f"The local AWS is stopped. Its state is kept in {project.data_dir}.")
    else:
        say("The local AWS was not running.")


def bring_up(connection: AwsConnection, steps: Steps) -> None:
    """All steps from nothing to deployed stacks, each shown and timed."""
    project = Project.from_env()
    if connection.stage == LOCAL:
        with steps.step("Start the local AWS") as step:
            started = local_aws.start(project, note=step.now)
            verb = "started" if started else "is already running"
            step.result = f"The local AWS {verb} at {project.endpoint_url}"
    with steps.step("Build the bundles and the starter model") as step:
        build_bundles(project, step.now)
    with steps.step("Bootstrap the account for the CDK") as step:
        version = cdk.bootstrap_version(connection)
        if version is None or version < cdk.BOOTSTRAP_VERSION_NEEDED:
            cdk.bootstrap(connection, step.now)
        else:
            step.result = f"done before, version {version}"
    with steps.step("Synthesise the stacks") as step:
        if not cdk.synthesise(connection, step.now):
            step.result = "unchanged"
    with steps.step("Deploy the stacks") as step:
        for line in cdk.deploy(connection, step.now):
            step.say(line)


def build_bundles(project: Project, note: Note) -> None:
    """Runs the project's build step; it does nothing when nothing changed."""
    project.logs.mkdir(parents=True, exist_ok=True)
    log = project.logs / "build.log"
    lines: list[str] = []
    with (
        log.open("w", encoding="utf-8", buffering=1) as file,
        subprocess.Popen(
            [str(project.python(".venv")), "-m", "bundles"],
            cwd=project.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process,
    ):
        assert process.stdout is not None
        for line in process.stdout:
            file.write(line)
            lines.append(line.rstrip())
            note(line.strip())
    if process.returncode != 0:
        raise Problem(f"The build failed (everything it said is in {log}).", details=tuple(lines[-20:]))


def deployed_stacks(connection: AwsConnection) -> list[dict[str, Any]]:
    """Name, status and number of resources of the stage's stacks that exist."""
    found: list[dict[str, Any]] = []
    client = connection.client("cloudformation")
    for stack in STACKS:
        described = connection.describe_stack(stack)
        if described is None:
            continue
        name = stack_name(connection.stage, stack)
        resources = client.get_paginator("list_stack_resources").paginate(StackName=name)
        count = sum(len(page["StackResourceSummaries"]) for page in resources)
        found.append({"name": name, "status": described["StackStatus"], "resources": count})
    return found


def api_url(connection: AwsConnection) -> str:
    """Address that the API answers at; the local AWS has an address of its own for it."""
    if connection.stage != LOCAL:
        return connection.output("intake", "ApiUrl").rstrip("/")
    api, stage = connection.output("intake", "ApiId"), connection.output("intake", "ApiStage")
    return f"{Project.from_env().endpoint_url}/_aws/execute-api/{api}/{stage}"
