"""When an alarm is in which state."""

from collections.abc import Mapping
from typing import Any

import pytest

from local.aws.alarms import ExpressionError, decide, evaluate

NOW = 10_000.0


def alarm(**more: Any) -> dict[str, Any]:
    return {
        "Namespace": "Earshot",
        "MetricName": "Failed",
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 3,
        "Threshold": 2.0,
        "ComparisonOperator": "GreaterThanThreshold",
        **more,
    }


def state(of: Mapping[str, Any], *newest_first: float | None) -> str | None:
    """The state where the last periods had these values."""

    def statistic(metric: Mapping[str, Any], period: int, name: str, start: float, end: float) -> float | None:
        position = int((NOW - end) / period)
        return newest_first[position] if position < len(newest_first) else None

    decided = decide(of, statistic, NOW)
    return decided[0] if decided else None


def test_all_periods_must_breach_unless_fewer_are_enough() -> None:
    assert state(alarm(), 3, 3, 3) == "ALARM"
    assert state(alarm(), 3, 3, 2) == "OK"
    assert state(alarm(DatapointsToAlarm=2), 3, 0, 3) == "ALARM"


@pytest.mark.parametrize(
    ("treatment", "nothing", "one_breach"),
    [
        ("missing", "INSUFFICIENT_DATA", "OK"),
        ("notBreaching", "OK", "OK"),
        ("breaching", "ALARM", "ALARM"),
        ("ignore", None, "OK"),
    ],
)
def test_missing_data_is_treated_as_asked(treatment: str, nothing: str | None, one_breach: str) -> None:
    asked = alarm(TreatMissingData=treatment, DatapointsToAlarm=2)
    assert state(asked) == nothing
    assert state(asked, 3) == one_breach


def test_metric_math_decides_by_the_expression_that_is_returned() -> None:
    def query(name: str) -> dict[str, Any]:
        stat = {"Metric": {"Namespace": "Earshot", "MetricName": name}, "Period": 60, "Stat": "Sum"}
        return {"Id": name, "MetricStat": stat, "ReturnData": False}

    share = {"Id": "share", "Expression": "failed / accepted"}
    asked = alarm(Metrics=[query("failed"), query("accepted"), share], EvaluationPeriods=1, Threshold=0.1)

    def statistic(metric: Mapping[str, Any], *_: Any) -> float:
        return {"failed": 2.0, "accepted": 10.0}[metric["MetricName"]]

    decided = decide(asked, statistic, NOW)
    assert decided is not None
    assert decided[0] == "ALARM"


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("a + b * 2", 8.0),
        ("(a - b) / 2", -0.5),
        ("a / 0", None),
        ("a + missing", None),
        ("FILL(missing, 7)", 7.0),
        ("IF(b > a, 100 * a, 0)", 200.0),
        ("-a", -2.0),
    ],
)
def test_metric_math(expression: str, value: float | None) -> None:
    assert evaluate(expression, {"a": 2.0, "b": 3.0, "missing": None}) == value


@pytest.mark.parametrize("expression", ["SEARCH('x', 'Sum')", "a +", "__import__('os')", "unknown + 1"])
def test_anything_beyond_is_refused(expression: str) -> None:
    with pytest.raises(ExpressionError):
        evaluate(expression, {"a": 1.0})
