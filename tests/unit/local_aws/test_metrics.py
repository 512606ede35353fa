"""Log lines in the embedded metric format."""

import json
from typing import Any

import pytest

from local.aws.metrics import DataPoint, data_points


def line(**members: Any) -> str:
    directive = {
        "Namespace": "Earshot",
        "Dimensions": [["Stage"], ["Stage", "Channel"]],
        "Metrics": [{"Name": "Accepted", "Unit": "Count"}],
    }
    metadata = {"Timestamp": 1, "CloudWatchMetrics": [directive]}
    return json.dumps({"_aws": metadata, "Stage": "local", "Channel": "web", "Accepted": 2, **members})


def test_each_set_of_dimensions_gets_the_value() -> None:
    told = list(data_points(line()))
    assert told == [
        DataPoint(namespace="Earshot", name="Accepted", value=2.0, unit="Count", dimensions={"Stage": "local"}),
        DataPoint(
            namespace="Earshot",
            name="Accepted",
            value=2.0,
            unit="Count",
            dimensions={"Stage": "local", "Channel": "web"},
        ),
    ]


def test_a_list_is_a_value_each() -> None:
    assert [point.value for point in data_points(line(Accepted=[1, 2.5]))] == [1.0, 1.0, 2.5, 2.5]


def test_a_set_whose_dimension_is_missing_is_left_out() -> None:
    document = json.loads(line())
    del document["Channel"]
    assert [point.dimensions for point in data_points(json.dumps(document))] == [{"Stage": "local"}]


@pytest.mark.parametrize(
    "text",
    [
        "plain text",
        '{"message": "no metrics"}',
        '{"_aws": "not an object"}',
        '{"_aws": {"CloudWatchMetrics": "not a list"}}',
        '{"_aws": {"CloudWatchMetrics": [{"Namespace": 3}]}}',
        '{"_aws": {broken',
    ],
)
def test_anything_else_measures_nothing(text: str) -> None:
    assert list(data_points(text)) == []


def test_a_value_that_is_no_number_is_left_out() -> None:
    assert list(data_points(line(Accepted="two"))) == []
    assert list(data_points(line(Accepted=True))) == []
