"""What a stage costs while it runs, from a small dated table of list prices.

Responsible for the arithmetic over the stage's settings and the resources that the synthesised templates hold. It knows
only what is billed by the hour or the month whether used or not, and the jobs of a training run; requests, storage and
queries come on top and are small at rest.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cli.project import ROOT
from stacks.constructs.blazingtext_definition import BLAZINGTEXT
from stacks.settings import StageSettings, TrainingSettings

HOURS_PER_MONTH = 730
AUTOPILOT_INSTANCE = "ml.m5.4xlarge"
TABLE = Path(__file__).with_name("prices.json")
# Apart, since the jobs of a run state what they cost.
INSTANCES = ROOT / "training_code" / "instance_prices.json"
WEB_ACL_RULE = "AWS::WAFv2::WebACL rule"
ENDPOINT_INTERFACE = "AWS::EC2::VPCEndpoint interface"
MONTHLY = {
    "AWS::KMS::Key": "kms_key",
    "AWS::WAFv2::WebACL": "web_acl",
    WEB_ACL_RULE: "web_acl_rule",
    ENDPOINT_INTERFACE: "vpc_endpoint_interface",
    "AWS::CloudWatch::Alarm": "alarm",
    "AWS::CloudWatch::Dashboard": "dashboard",
}


@dataclass(frozen=True, kw_only=True)
class Item:
    what: str
    per_hour: float


@dataclass(frozen=True, kw_only=True)
class Step:
    """Jobs of a run, with an estimate of the hours that their instances are billed for in all."""

    what: str
    instance_type: str
    hours: float
    per_hour: float

    @property
    def dollars(self) -> float:
        return self.hours * self.per_hour


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Dollars per hour, item by item. `unpriced` names what the table does not know."""

    idle: tuple[Item, ...]
    training_per_hour: float | None
    run: tuple[Step, ...]
    """The jobs of one run of the model pipeline."""
    unpriced: tuple[str, ...]
    as_of: str
    region: str

    @property
    def run_dollars(self) -> float:
        return sum(step.dollars for step in self.run)

    @property
    def idle_per_hour(self) -> float:
        return sum(item.per_hour for item in self.idle)

    @property
    def idle_per_month(self) -> float:
        return self.idle_per_hour * HOURS_PER_MONTH


@cache
def price_table() -> dict[str, Any]:
    """The dated table."""
    table: dict[str, Any] = json.loads(TABLE.read_text(encoding="utf-8"))
    instances: dict[str, Any] = json.loads(INSTANCES.read_text(encoding="utf-8"))
    return {**table, "instance_hour": instances["instance_hour"]}


def stage_cost(settings: StageSettings, resources: Mapping[str, int] | None = None) -> Cost:
    """Cost of a stage at rest, and of an hour of training. `resources` counts the templates' resources by type."""
    table = price_table()
    instances: dict[str, float] = table["instance_hour"]
    idle: list[Item] = []
    unpriced: list[str] = []
    serving = settings.endpoint.instance_type
    count = settings.endpoint.minimum_instances
    if serving in instances:
        idle.append(Item(what=f"endpoint, {count} x {serving}", per_hour=count * instances[serving]))
    else:
        unpriced.append(serving)
    for kind, name in MONTHLY.items():
        found = (resources or {}).get(kind, 0)
        if found:
            per_month = found * table["month"][name]
            idle.append(Item(what=f"{found} x {kind.split('::', 1)[1]}", per_hour=per_month / HOURS_PER_MONTH))
    training = instances.get(settings.training.training_instance_type)
    run: list[Step] = []
    for what, kind, hours in _run_hours(settings.training):
        if kind in instances:
            run.append(Step(what=what, instance_type=kind, hours=hours, per_hour=instances[kind]))
        elif kind not in unpriced:
            unpriced.append(kind)
    return Cost(
        idle=tuple(idle),
        training_per_hour=training,
        run=tuple(run),
        unpriced=tuple(unpriced),
        as_of=table["as_of"],
        region=table["region"],
    )


# Of tens of thousands of reviews: what a job takes in hours, starting its instance included. A quarter of an hour is
# what a job on a CPU takes, as a round figure from above.
JOB_HOURS = 0.25
TRAINING_HOURS = 0.5
SPOT_SHARE = 0.35
"""Of the list price, about; it moves with what is free."""
AUTOPILOT_INSTANCES = 4
"""That Autopilot's jobs use at once, about."""


def _run_hours(settings: TrainingSettings) -> Iterator[tuple[str, str, float]]:
    """Name, instance type and billed hours of the steps that a run of the settings has."""
    ours, theirs = settings.processing_instance_type, settings.training_instance_type
    training = TRAINING_HOURS * settings.training_instance_count * (SPOT_SHARE if settings.train_on_spot else 1.0)
    machines = settings.spark_instance_count if settings.features_engine == "spark" else 1
    yield "features", ours, JOB_HOURS * machines
    yield "bias, comparison, explanations", ours, 4 * JOB_HOURS
    for candidate in settings.candidates:
        match candidate:
            case "baselines":
                yield candidate, ours, JOB_HOURS
            case "blazingtext":
                yield candidate, BLAZINGTEXT.instance_type, JOB_HOURS
                yield f"{candidate}, scoring", ours, JOB_HOURS
            case "autopilot":
                yield candidate, AUTOPILOT_INSTANCE, AUTOPILOT_INSTANCES * settings.autopilot_minutes / 60
                yield f"{candidate}, scoring", ours, 2 * JOB_HOURS
            case "bert":
                yield candidate, theirs, training
                yield f"{candidate}, evaluation", ours, JOB_HOURS
            case "tuned":
                yield f"{candidate}, {settings.tuning_jobs} jobs", theirs, settings.tuning_jobs * training
                yield f"{candidate}, evaluation", ours, JOB_HOURS


def template_resources(assembly: Path, stage: str) -> dict[str, int]:
    """How many resources of each type the synthesised templates of a stage hold; empty before a synth."""
    counted: Counter[str] = Counter()
    for template in assembly.rglob("*.template.json"):
        if f"assembly-{stage}" not in str(template.relative_to(assembly)):
            continue
        resources = json.loads(template.read_text(encoding="utf-8")).get("Resources", {})
        for resource in resources.values():
            counted[resource["Type"]] += 1
            if resource["Type"] == "AWS::WAFv2::WebACL":
                counted[WEB_ACL_RULE] += len(resource["Properties"].get("Rules", []))
            if resource["Type"] == "AWS::EC2::VPCEndpoint":
                counted[ENDPOINT_INTERFACE] += len(resource["Properties"].get("SubnetIds", []))  # a gateway has none
    return dict(counted)
