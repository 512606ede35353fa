"""Rules on the template itself: what CloudFormation would refuse, or would not find."""

from __future__ import annotations

from collections.abc import Iterator

from policy.rule import Fault, rule
from policy.template import Template


@rule(
    id="TEMPLATE-01",
    title="Resources do not depend on each other in a circle",
    why="CloudFormation refuses resources, and conditions, that depend on each other in a circle",
    mend="Take one of the references out, for instance into a resource of its own (a policy, a permission)",
)
def no_circles(template: Template) -> Iterator[Fault]:
    for circle in template.circles():
        yield Fault(circle[0], " -> ".join((*circle, circle[0])))
    for name in template.conditions:
        template.resolver.condition(name)
    for name in sorted(template.resolver.circular_conditions):
        yield Fault(name, "a condition that refers to itself")


@rule(
    id="TEMPLATE-02",
    title="Every reference leads to something",
    why="A reference to what the template does not hold: CloudFormation refuses it",
    mend="Name a resource, parameter or condition of this template, or import the value",
)
def no_undefined_names(template: Template) -> Iterator[Fault]:
    for logical_id, name in template.undefined_names():
        yield Fault(logical_id, name)
