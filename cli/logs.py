"""`earshot logs`: lines of the functions, the jobs and the endpoint, in one stream."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Annotated

import typer

from cli import options
from cli.connection import AwsConnection, connect
from cli.errors import BadInput, NotReady
from cli.log_events import LogTail
from cli.project import LOCAL, STACKS, stack_name
from cli.render import print_json, say

FOLLOW_SECONDS = 1.0
JOB_GROUPS = tuple(f"/aws/sagemaker/{kind}Jobs" for kind in ("Processing", "Training", "Transform"))


def logs(
    source: Annotated[
        str | None, typer.Argument(help="A function (intake, router, ...), job or endpoint; all when left out.")
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on showing new lines until interrupted.")] = False,
    minutes: Annotated[int, typer.Option(min=1, help="How far back to begin.")] = 60,
    stage: options.Stage = LOCAL,
    as_json: options.Json = False,
) -> None:
    """Show log lines."""
    if follow and as_json:
        raise BadInput("--follow never ends: leave --json out.")
    connection = connect(stage)
    sources = log_groups(connection)
    if source is not None and source not in sources:
        raise BadInput(f"There are no logs of '{source}': choose one of {', '.join(sorted(sources))}.")
    chosen = sources if source is None else {source: sources[source]}
    since = int((time.time() - minutes * 60) * 1000)
    prefix = f"earshot-{stage}-"
    tails = [
        (
            name,
            LogTail(
                connection=connection,
                group=group,
                since_milliseconds=since,
                stream_prefix=prefix if name == "job" else None,
            ),
        )
        for name, groups in chosen.items()
        for group in groups
    ]
    while True:
        lines = sorted(
            ((line.timestamp_milliseconds, name, line) for name, tail in tails for line in tail.read()),
            key=lambda entry: entry[0],
        )
        if as_json:
            print_json(
                [
                    {"time": _moment(milliseconds), "source": name, "stream": line.stream, "line": line.text}
                    for milliseconds, name, line in lines
                ]
            )
            return
        for milliseconds, name, line in lines:
            say(f"{_moment(milliseconds)} {name:<10} {line.text}")
        if not follow:
            return
        time.sleep(FOLLOW_SECONDS)


def log_groups(connection: AwsConnection) -> dict[str, list[str]]:
    """Log groups by the short name of what writes them."""
    found: dict[str, list[str]] = {"job": list(JOB_GROUPS)}
    cloudformation = connection.client("cloudformation")
    for stack in STACKS:
        if connection.describe_stack(stack) is None:
            continue
        pages = cloudformation.get_paginator("list_stack_resources").paginate(
            StackName=stack_name(connection.stage, stack)
        )
        for page in pages:
            for resource in page["StackResourceSummaries"]:
                if resource["ResourceType"] != "AWS::Lambda::Function":
                    continue
                function = connection.client("lambda").get_function_configuration(
                    FunctionName=resource["PhysicalResourceId"]
                )
                package = function.get("Handler", "").split(".")
                if package[0] != "lambdas" or len(package) < 3:
                    continue
                group = function.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{function['FunctionName']}"
                found[".".join(package[1:-2])] = [group]
    try:
        name = connection.output("endpoint", "EndpointName")
    except NotReady:
        return found
    found["endpoint"] = [f"/aws/sagemaker/Endpoints/{name}"]
    return found


def _moment(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
