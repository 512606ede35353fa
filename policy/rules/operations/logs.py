"""Rules for log groups: kept for a time that somebody chose, and encrypted."""

from __future__ import annotations

from collections.abc import Iterator

from policy.parts import present
from policy.rule import Fault, Kept, rule
from policy.template import Template
from policy.values import is_known, number

LOG_GROUP = "AWS::Logs::LogGroup"
FUNCTION = "AWS::Lambda::Function"
A_YEAR_IN_DAYS = 365
A_QUARTER_IN_DAYS = 90
A_WEEK_IN_DAYS = 7


@rule(
    id="OPS-01",
    title="Log groups say how long they keep, and keep a week at the least",
    why="Without a retention logs are kept, and paid for, for ever; with a day of it they are gone before anyone looks",
    mend="Set RetentionInDays to 7 or more",
)
def logs_are_kept_for_a_time(template: Template) -> Iterator[Fault]:
    for group in template.of_type(LOG_GROUP):
        for days in group.values("RetentionInDays"):
            if not present(days):
                yield Fault(group)
            elif (number(days) or A_WEEK_IN_DAYS) < A_WEEK_IN_DAYS:
                yield Fault(group, f"RetentionInDays is {number(days):.0f}, less than a week")


@rule(
    id="OPS-02",
    title="Log groups are encrypted with a key of yours",
    why="With the service's own key nobody can say who may read the logs, or take that away",
    mend="Set KmsKeyId to a key whose policy lets logs.<region>.amazonaws.com use it",
)
def logs_are_encrypted(template: Template) -> Iterator[Fault]:
    for group in template.of_type(LOG_GROUP):
        if not all(present(value) for value in group.values("KmsKeyId")):
            yield Fault(group)


@rule(
    id="OPS-03",
    title="Log groups keep a quarter at the least where others keep a year",
    why="What happened is often asked for months later",
    mend="Set RetentionInDays to 365, or to 90 where nobody asks for a year",
    controls=("CloudWatch.16",),
    practice=True,
)
def logs_keep_a_year(template: Template) -> Iterator[Fault | Kept]:
    for group in template.of_type(LOG_GROUP):
        days = group.value("RetentionInDays")
        if present(days) and is_known(days):
            if (number(days) or 0) >= A_YEAR_IN_DAYS:
                yield Kept(group)
            elif (number(days) or 0) < A_QUARTER_IN_DAYS:
                yield Fault(group)


@rule(
    id="OPS-04",
    title="Functions have a log group of the template",
    why="A log group that Lambda makes by itself has no retention and no key",
    mend="Add an AWS::Logs::LogGroup, and name it in LoggingConfig.LogGroup of the function",
    practice=True,
)
def functions_have_log_groups(template: Template) -> Iterator[Fault | Kept]:
    for function in template.of_type(FUNCTION):
        names = [template.label(group.properties.get("LogGroupName")) for group in template.of_type(LOG_GROUP)]
        own = {f"/aws/lambda/{name}" for name in (function.name, f"${{{function.logical_id}}}") if name}
        chosen = function.has("LoggingConfig", "LogGroup") or own & set(names)
        yield Kept(function) if chosen else Fault(function)
