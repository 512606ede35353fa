"""`earshot status`: what runs, what is deployed, where it answers, what it weighs."""

from __future__ import annotations

from typing import Any

from cli import local_aws, options
from cli.connection import AwsConnection, connect
from cli.errors import NotReady
from cli.project import LOCAL, STACKS, Project, stack_name
from cli.render import print_json, print_table, say, size
from cli.up import api_url, deployed_stacks


def status(stage: options.Stage = LOCAL, as_json: options.Json = False) -> None:
    """Show processes, memory, stacks, endpoint and addresses."""
    connection = connect(stage)
    report: dict[str, Any] = {"stage": stage}
    if stage == LOCAL:
        report["local"] = local_aws.require_running(Project.from_env())
    report["stacks"] = deployed_stacks(connection)
    report["endpoint"] = endpoint(connection)
    report["addresses"] = addresses(connection)
    if as_json:
        print_json(report)
        return
    _show(report)


def endpoint(connection: AwsConnection) -> dict[str, Any] | None:
    """Name, status and released model of the endpoint; None when it is not deployed."""
    if connection.describe_stack("endpoint") is None:
        return None
    name = connection.output("endpoint", "EndpointName")
    described = connection.client("sagemaker").describe_endpoint(EndpointName=name)
    release = connection.client("ssm").get_parameter(Name=connection.output("endpoint", "ReleaseParameter"))
    return {
        "name": name,
        "status": described["EndpointStatus"],
        "instances": sum(variant.get("CurrentInstanceCount", 0) for variant in described.get("ProductionVariants", [])),
        "release": release["Parameter"]["Value"],
    }


def addresses(connection: AwsConnection) -> dict[str, str]:
    """Where a person or a client finds things; only of stacks that are deployed."""
    found: dict[str, str] = {}
    if connection.stage == LOCAL:
        found["AWS endpoint"] = Project.from_env().endpoint_url
    for name, stack, key in (
        ("Lake", "data-lake", "LakeBucket"),
        ("Database", "data-lake", "Database"),
        ("Artifacts", "data-lake", "ArtifactBucket"),
    ):
        try:
            found[name] = connection.output(stack, key)
        except NotReady:
            continue
    try:
        found["API"] = f"{api_url(connection)}/v1/feedback"
    except NotReady:
        return found
    return found


def _show(report: dict[str, Any]) -> None:
    local = report.get("local")
    if local is not None:
        say(f"Local AWS: process {local['pid']} on port {local['port']}, {size(local['rss_bytes'])} resident in all")
        print_table(
            ("process", "what", "memory"),
            [(process["pid"], process["what"], size(process["rss_bytes"])) for process in local["processes"]],
        )
    if report["stacks"]:
        print_table(
            ("stack", "status", "resources"),
            [(stack["name"], stack["status"], stack["resources"]) for stack in report["stacks"]],
        )
    missing = {stack_name(report["stage"], stack) for stack in STACKS} - {stack["name"] for stack in report["stacks"]}
    if missing:
        say(f"Not deployed: {', '.join(sorted(missing))}.")
    endpoint_found = report["endpoint"]
    if endpoint_found is not None:
        say(
            f"Endpoint {endpoint_found['name']}: {endpoint_found['status']}, instances {endpoint_found['instances']}, "
            f"serving {endpoint_found['release']}"
        )
    for name, address in report["addresses"].items():
        say(f"{name}: {address}")
    if local is not None and local.get("inert"):
        say("Taken by the local AWS, but without the effect it has on AWS:")
        for entry in local["inert"]:
            say(f"  {entry}", style="dim")
