"""Templates that nobody would write: the rules answer, whatever stands where, and in time."""

import copy
import random
import time
from collections.abc import Iterator
from typing import Any

import pytest

from policy import Template, TemplateError, check
from tests.unit.policy.faults import read

SEEDS = range(60)
JUNK: tuple[Any, ...] = (
    None, 1, -1, True, "", [], {}, "x", [1], [[]], [None], {"a": 1}, {"Ref": 1}, {"Ref": "X"}, {"Fn::If": 1},
    {"Fn::If": ["A", 1, 2]}, {"Fn::GetAtt": []}, {"Fn::GetAtt": 1}, {"Fn::GetAtt": [1, 2]}, {"Fn::Sub": 1},
    {"Fn::Sub": ["a"]}, {"Fn::Join": 1}, {"Fn::Select": [0]}, {"Fn::Select": ["x", [1]]}, {"Fn::Split": [1, 2]},
    {"Fn::FindInMap": [1, 2, 3]}, {"Ref": "AWS::NoValue"}, [{"Ref": "AWS::NoValue"}], {"Fn::Transform": 1},
    {"Fn::Sub": "${A.B.C} ${} ${!}"}, {"Fn::Equals": [1]}, {"Condition": 1}, "*", 1e300, "{{resolve:x}}", "{\"a\": [",
    {"Statement": [1, None, {"Effect": 1, "Principal": [1], "Action": {"a": 1}, "Condition": [1]}]},
)  # fmt: skip
GOOD = [read(f"{name}.yaml") for name in ("access", "delivery", "edge", "operations")]
SECONDS = 5


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """(container, key) of everything inside."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield value, key
        yield from places(inner)


@pytest.mark.parametrize("seed", SEEDS)
def test_junk_anywhere_is_judged_or_refused_in_a_sentence(seed: int) -> None:
    chosen = random.Random(seed)
    template = copy.deepcopy(GOOD[seed % len(GOOD)])
    for container, key in chosen.sample(list(places(template["Resources"])), 12):
        container[key] = copy.deepcopy(chosen.choice(JUNK))
    assert stumble(template) is None


def stumble(template: dict[str, Any]) -> BaseException | None:
    """What a rule stumbled over; a template whose parts are no parts is refused without a cause."""
    try:
        check(Template(template, source="test"), strict=True)
    except TemplateError as refused:
        return refused.__cause__
    return None


def queues(count: int) -> dict[str, Any]:
    """Queues with dead letters, consumers and alarms that name them by their names: four resources each."""
    resources: dict[str, Any] = {}
    for position in range(count):
        arn = {"Fn::Sub": f"arn:aws:sqs:${{AWS::Region}}:${{AWS::AccountId}}:jobs-{position}"}
        redrive = {"deadLetterTargetArn": {"Fn::GetAtt": [f"Dead{position}", "Arn"]}, "maxReceiveCount": 3}
        made = {
            "Jobs": ("SQS::Queue", {"QueueName": f"jobs-{position}", "RedrivePolicy": redrive}),
            "Dead": ("SQS::Queue", {"QueueName": f"dead-{position}"}),
            "Mapping": ("Lambda::EventSourceMapping", {"EventSourceArn": arn, "FunctionName": "imported"}),
            "Depth": ("CloudWatch::Alarm", {"Dimensions": [{"Name": "QueueName", "Value": f"dead-{position}"}]}),
        }
        for name, (kind, properties) in made.items():
            resources[f"{name}{position}"] = {"Type": f"AWS::{kind}", "Properties": properties}
    return {"Resources": resources}


def test_five_hundred_resources_are_judged_in_time() -> None:
    template = queues(125)
    started = time.perf_counter()
    found = check(Template(template, source="test"), strict=True)
    assert time.perf_counter() - started < SECONDS
    assert found
