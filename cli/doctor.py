"""`earshot doctor`: what has to be true before a deploy, checked before it, and what the stage will cost.

Responsible for the checks and their sentences. A check that cannot be made (for instance because a call is denied) says
so and is not counted as passed.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

import typer

from cli import cdk, local_aws, options
from cli.connection import AwsConnection, connect, explained
from cli.errors import NOT_READY, Problem
from cli.prices import Cost, stage_cost, template_resources
from cli.project import LOCAL, ROOT, Project
from cli.render import print_json, say
from stacks.settings import STAGES, StageSettings

Outcome = Literal["ok", "missing", "unknown"]
OLDEST_NODE = 20
MARKS = {"ok": "ok     ", "missing": "MISSING", "unknown": "unknown"}
ENVIRONMENTS = {LOCAL: (".venv", ".venv-local", ".venv-serving", ".venv-training")}
BUNDLES = ("lambda", "jobs/sourcedir.tar.gz", "serving/serving.tar.gz", "starter")


@dataclass(frozen=True, kw_only=True)
class Check:
    what: str
    outcome: Outcome
    finding: str


def doctor(stage: options.Stage = LOCAL, as_json: options.Json = False) -> None:
    """Check versions, credentials, region, bootstrap and quotas before a deploy, and show the cost."""
    connection = connect(stage)
    settings = next(settings for settings in STAGES if settings.name == stage)
    project = Project.from_env()
    checks = [*_tools(project, stage), *(_local(project) if stage == LOCAL else _account(connection, settings))]
    cost = None if stage == LOCAL else stage_cost(settings, _synthesised_resources(project, stage))
    failed = any(check.outcome == "missing" for check in checks)
    if as_json:
        print_json(
            {"stage": stage, "ok": not failed, "checks": [asdict(check) for check in checks], "cost": _as_dict(cost)}
        )
    else:
        for check in checks:
            say(
                f"{MARKS[check.outcome]}  {check.what}: {check.finding}",
                style="red" if check.outcome == "missing" else None,
            )
        for line in _cost_lines(cost, settings):
            say(line)
    if failed:
        raise typer.Exit(NOT_READY)


def _synthesised_resources(project: Project, stage: str) -> dict[str, int]:
    """Counted in whatever was synthesised last: every synth writes all stages."""
    for folder in (project.assembly(stage), project.assembly(LOCAL), project.root / "cdk.out"):
        counted = template_resources(folder, stage)
        if counted:
            return counted
    return {}


def _tools(project: Project, stage: str) -> list[Check]:
    checks = [Check(what="Python", outcome="ok", finding=".".join(str(part) for part in sys.version_info[:3]))]
    checks.append(_node())
    pinned = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["devDependencies"]["aws-cdk"]
    installed = project.root / "node_modules" / "aws-cdk" / "package.json"
    if not installed.exists():
        checks.append(Check(what="CDK command line", outcome="missing", finding="run `make node_modules`"))
    else:
        version = json.loads(installed.read_text(encoding="utf-8"))["version"]
        if version == pinned:
            checks.append(Check(what="CDK command line", outcome="ok", finding=version))
        else:
            finding = f"{version} is installed and {pinned} is pinned: run `make node_modules`"
            checks.append(Check(what="CDK command line", outcome="missing", finding=finding))
    checks.extend(
        Check(what=environment, outcome="missing", finding=f"run `make {environment}`")
        for environment in ENVIRONMENTS.get(stage, (".venv",))
        if not (project.root / environment / "bin" / "python").exists()
    )
    absent = [name for name in BUNDLES if not (project.build / name).exists()]
    if absent:
        checks.append(Check(what="Bundles", outcome="missing", finding=f"no .build/{absent[0]}: run `make build`"))
    else:
        checks.append(Check(what="Bundles", outcome="ok", finding="built"))
    return checks


def _node() -> Check:
    if shutil.which("node") is None:
        return Check(what="Node", outcome="missing", finding=f"install Node {OLDEST_NODE} or newer")
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout.strip()
    number = version.removeprefix("v").split(".", maxsplit=1)[0]
    if not number.isdecimal() or int(number) < OLDEST_NODE:
        return Check(what="Node", outcome="missing", finding=f"{version} is too old: install {OLDEST_NODE} or newer")
    return Check(what="Node", outcome="ok", finding=version)


def _local(project: Project) -> list[Check]:
    status = local_aws.status(project)
    finding = "not running: `earshot up` starts it" if status is None else f"running at {project.endpoint_url}"
    return [Check(what="Local AWS", outcome="ok", finding=finding)]


def _account(connection: AwsConnection, settings: StageSettings) -> list[Check]:
    checks = [_checked("Region", lambda: connection.region)]
    if checks[0].outcome != "ok":
        return checks
    checks.append(_checked("Credentials", lambda: _identity(connection)))
    if checks[-1].outcome != "ok":
        return checks
    checks.append(_bootstrap(connection))
    training = settings.training
    training_instance = training.training_instance_type
    jobs_at_once = ("bert" in training.candidates) + training.tuning_parallel * ("tuned" in training.candidates)
    kind_of_use = "spot training" if training.train_on_spot else "training"
    wanted = {
        f"{settings.endpoint.instance_type} for endpoint usage": settings.endpoint.maximum_instances,
        f"{training_instance} for {kind_of_use} job usage": jobs_at_once * training.training_instance_count,
        # The jobs of the candidates run side by side.
        f"{training.processing_instance_type} for processing job usage": len(training.candidates) + 1,
    }
    checks.extend(_quotas(connection, wanted))
    return checks


def _checked(what: str, find: Callable[[], str]) -> Check:
    try:
        return Check(what=what, outcome="ok", finding=find())
    except Problem as problem:
        return Check(what=what, outcome="missing", finding=problem.message)
    except Exception as error:
        explanation = explained(error)
        if explanation is None:
            raise
        return Check(what=what, outcome="missing", finding=explanation.message)


def _identity(connection: AwsConnection) -> str:
    identity = connection.client("sts").get_caller_identity()
    return f"account {identity['Account']}, {identity['Arn'].rsplit(':', 1)[-1]}"


def _bootstrap(connection: AwsConnection) -> Check:
    try:
        version = cdk.bootstrap_version(connection)
    except Exception as error:
        problem = explained(error)
        if problem is None:
            raise
        return Check(what="CDK bootstrap", outcome="unknown", finding=problem.message)
    target = f"aws://{cdk.account(connection)}/{connection.region}"
    if version is None:
        return Check(what="CDK bootstrap", outcome="missing", finding=f"run `node_modules/.bin/cdk bootstrap {target}`")
    if version < cdk.BOOTSTRAP_VERSION_NEEDED:
        finding = f"version {version} is too old: run `node_modules/.bin/cdk bootstrap {target}`"
        return Check(what="CDK bootstrap", outcome="missing", finding=finding)
    return Check(what="CDK bootstrap", outcome="ok", finding=f"version {version}")


def _quotas(connection: AwsConnection, wanted: dict[str, int]) -> list[Check]:
    """A new account's quota for an instance type is often 0, which shows only when a job or an endpoint fails."""
    try:
        quotas = _quota_values(connection)
    except Exception as error:
        problem = explained(error)
        if problem is None:
            raise
        finding = f"cannot be read ({problem.message}); allow servicequotas:ListServiceQuotas, or look in the console"
        return [Check(what="Quotas", outcome="unknown", finding=finding)]
    checks: list[Check] = []
    for name, needed in wanted.items():
        value = quotas.get(name)
        if value is None:
            checks.append(Check(what=f"Quota {name}", outcome="unknown", finding="is not listed in this region"))
        elif value < needed:
            finding = f"{value:g}, but {needed} needed: ask for more in the Service Quotas console"
            checks.append(Check(what=f"Quota {name}", outcome="missing", finding=finding))
        else:
            checks.append(Check(what=f"Quota {name}", outcome="ok", finding=f"{value:g}"))
    return checks


def _quota_values(connection: AwsConnection) -> dict[str, float]:
    client = connection.client("service-quotas")
    values: dict[str, float] = {}
    # The defaults first: list_service_quotas leaves out what was never asked for or used.
    for operation in ("list_aws_default_service_quotas", "list_service_quotas"):
        for page in client.get_paginator(operation).paginate(ServiceCode="sagemaker"):
            values |= {quota["QuotaName"]: float(quota["Value"]) for quota in page["Quotas"]}
    return values


def _cost_lines(cost: Cost | None, settings: StageSettings) -> list[str]:
    if cost is None:
        return ["Cost: nothing, everything runs on this machine."]
    lines = [f"Cost at rest, list prices of {cost.as_of} in {cost.region}:"]
    lines += [f"  {item.what}: ${item.per_hour:.3f} per hour" for item in cost.idle]
    lines.append(
        f"  together: ${cost.idle_per_hour:.2f} per hour, about ${cost.idle_per_month:.0f} per month, also when idle"
    )
    if cost.training_per_hour is not None:
        kind = settings.training.training_instance_type
        lines.append(f"  training on {kind}: ${cost.training_per_hour:.2f} per hour while it runs, on demand")
    spot = ", trained on spare capacity" if settings.training.train_on_spot else ""
    lines.append(f"A training run of some ten thousand reviews, estimated: ${cost.run_dollars:.2f}{spot}")
    lines += [f"  {step.what} on {step.instance_type}: ${step.dollars:.2f}" for step in cost.run]
    if cost.unpriced:
        lines.append(f"  not in the price table: {', '.join(cost.unpriced)}")
    lines.append("  requests, storage, logs and queries come on top, by use")
    return lines


def _as_dict(cost: Cost | None) -> dict[str, Any] | None:
    if cost is None:
        return None
    return {
        **asdict(cost),
        "idle_per_hour": cost.idle_per_hour,
        "idle_per_month": cost.idle_per_month,
        "run_dollars": cost.run_dollars,
    }
