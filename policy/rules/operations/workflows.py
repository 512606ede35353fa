"""Rules for state machines: they log what fails, without what they work on, and can be traced."""

from __future__ import annotations

from collections.abc import Iterator

from policy.parts import Part
from policy.rule import Fault, Kept, rule
from policy.template import Template
from policy.values import UNKNOWN, is_known, is_true, text

MACHINE = "AWS::StepFunctions::StateMachine"
LEVELS = ("ALL", "ERROR", "FATAL")


@rule(
    id="OPS-30",
    title="State machines log",
    why="Why an execution failed is forgotten with its history, after 90 days (of express ones at once)",
    mend="Set LoggingConfiguration with Level ALL or ERROR and a log group as its destination",
    controls=("StepFunctions.1",),
)
def state_machines_log(template: Template) -> Iterator[Fault]:
    for machine in template.of_type(MACHINE):
        for level in machine.values("LoggingConfiguration", "Level"):
            if level is None or (is_known(level) and level not in LEVELS):
                yield Fault(machine, f"Level is {text(level) or 'not set'}")
        named = [
            destination.has("CloudWatchLogsLogGroup.LogGroupArn")
            for destination in Part.of(machine).each("LoggingConfiguration.Destinations")
        ]
        if machine.value("LoggingConfiguration", "Destinations") is not UNKNOWN and not (named and all(named)):
            yield Fault(machine, "no log group")


@rule(
    id="OPS-31",
    title="State machines do not log what they work on",
    why="With execution data the log holds every input and output: texts, names, tokens",
    mend="Set LoggingConfiguration.IncludeExecutionData to false",
    practice=True,
)
def state_machines_do_not_log_data(template: Template) -> Iterator[Fault | Kept]:
    for machine in template.of_type(MACHINE):
        included = machine.value("LoggingConfiguration", "IncludeExecutionData")
        if is_known(included):
            yield Fault(machine) if is_true(included) else Kept(machine)


@rule(
    id="OPS-32",
    title="State machines are traced",
    why="Which of many calls made an execution slow stands in its trace",
    mend="Set TracingConfiguration.Enabled to true",
    practice=True,
)
def state_machines_are_traced(template: Template) -> Iterator[Fault | Kept]:
    for machine in template.of_type(MACHINE):
        traced = machine.value("TracingConfiguration", "Enabled")
        yield Kept(machine) if is_true(traced) or not is_known(traced) else Fault(machine)


@rule(
    id="OPS-33",
    title="Tracing is not switched off",
    why="Which of many calls made an execution slow stands in its trace",
    mend="Set it on, or leave it out",
)
def tracing_is_not_off(template: Template) -> Iterator[Fault]:
    for machine in template.of_type(MACHINE):
        if any(text(value) == "false" for value in machine.values("TracingConfiguration", "Enabled")):
            yield Fault(machine)
