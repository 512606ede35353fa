"""`earshot destroy`: removes the stage's stacks and lists what stays on purpose."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import typer

from cli import cdk, local_aws, options
from cli.connection import AwsConnection, connect
from cli.errors import BadInput, Problem
from cli.project import LOCAL, STACKS, Project, stack_name
from cli.render import console, error_console, print_json, print_table, say
from cli.steps import Steps
from cli.up import build_bundles

GROUP_TYPE = "AWS::SageMaker::ModelPackageGroup"
KEPT_POLICIES = ("Retain", "RetainExceptOnCreate")


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A resource that outlives its stack."""

    stack: str
    type: str
    name: str


def destroy(
    yes: options.Yes = False,
    wipe: Annotated[
        bool, typer.Option("--wipe", help="Local only: stop the local AWS and delete all of its state.")
    ] = False,
    stage: options.Stage = LOCAL,
    as_json: options.Json = False,
) -> None:
    """Destroy every stack of the stage."""
    if wipe and stage != LOCAL:
        raise BadInput("--wipe is for the local stage; on AWS nothing is deleted that a stack keeps on purpose.")
    project = Project.from_env()
    connection = connect(stage)
    if stage == LOCAL and not wipe:
        local_aws.require_running(project)
    target = f"all state of the local AWS in {project.data_dir}" if wipe else f"every stack of stage {stage}"
    if not yes and not typer.confirm(f"Destroy {target}?", err=True):
        raise Problem("Nothing was destroyed.")
    steps = Steps(error_console() if as_json else console())
    kept: list[Kept] = []
    if wipe:
        with steps.step("Stop the local AWS and delete its state") as step:
            local_aws.stop(project)
            if project.data_dir.exists():
                shutil.rmtree(project.data_dir)
            step.result = f"deleted {project.data_dir}"
    else:
        kept = kept_resources(connection)
        with steps.step("Synthesise the stacks") as step:
            build_bundles(project, step.now)
            cdk.synthesise(connection, step.now)
        with steps.step("Delete the model packages that go with their group") as step:
            step.result = f"{delete_model_packages(connection, kept)} deleted"
        with steps.step("Destroy the stacks") as step:
            cdk.destroy(connection, step.now)
        left = [name for name in STACKS if connection.describe_stack(name) is not None]
        if left:
            raise Problem(f"These stacks are still there: {', '.join(stack_name(stage, name) for name in left)}.")
    if as_json:
        print_json({"stage": stage, "kept": [asdict(resource) for resource in kept]})
        return
    if not kept:
        say("Nothing of the stacks was kept." if not wipe else "All local state is gone.")
        return
    say("Kept on purpose; delete these yourself when you are sure:")
    print_table(("stack", "type", "name"), [(resource.stack, resource.type, resource.name) for resource in kept])


def kept_resources(connection: AwsConnection) -> list[Kept]:
    """What the deployed templates say is to outlive them, by its real name."""
    client = connection.client("cloudformation")
    kept: list[Kept] = []
    for stack in STACKS:
        if connection.describe_stack(stack) is None:
            continue
        name = stack_name(connection.stage, stack)
        template = _template(client.get_template(StackName=name, TemplateStage="Processed")["TemplateBody"])
        policies = {
            logical: resource.get("DeletionPolicy") for logical, resource in template.get("Resources", {}).items()
        }
        for page in client.get_paginator("list_stack_resources").paginate(StackName=name):
            kept.extend(
                Kept(stack=name, type=resource["ResourceType"], name=resource["PhysicalResourceId"])
                for resource in page["StackResourceSummaries"]
                if policies.get(resource["LogicalResourceId"]) in KEPT_POLICIES
            )
    return kept


def delete_model_packages(connection: AwsConnection, kept: list[Kept]) -> int:
    """Empties the model package group, which SageMaker deletes only when it is empty; how many there were."""
    if connection.describe_stack("training") is None or any(resource.type == GROUP_TYPE for resource in kept):
        return 0
    client = connection.client("sagemaker")
    group = connection.output("training", "ModelPackageGroup")
    pages = client.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group)
    arns = [package["ModelPackageArn"] for page in pages for package in page["ModelPackageSummaryList"]]
    for arn in arns:
        client.delete_model_package(ModelPackageName=arn)
    return len(arns)


def _template(body: Any) -> dict[str, Any]:
    if isinstance(body, str):
        found: dict[str, Any] = json.loads(body)
        return found
    return dict(body)
