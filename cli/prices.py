"""What a stage costs while it runs, from a small dated table of list prices.

Responsible for the arithmetic over the stage's settings and the resources that the synthesised templates hold. It knows
only what is billed by the hour or the month whether used or not, and the jobs of a training run; requests, storage and
queries come on top and are small at rest.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from stacks.settings import StageSettings

HOURS_PER_MONTH = 730
TABLE = Path(__file__).with_name("prices.json")
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
class Cost:
    """Dollars per hour, item by item. `unpriced` names what the table does not know."""

    idle: tuple[Item, ...]
    training_per_hour: float | None
    unpriced: tuple[str, ...]
    as_of: str
    region: str

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
    return table


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
    if training is None:
        unpriced.append(settings.training.training_instance_type)
    return Cost(
        idle=tuple(idle),
        training_per_hour=training,
        unpriced=tuple(unpriced),
        as_of=table["as_of"],
        region=table["region"],
    )


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
