"""What functions log and raise, and how fast that is told."""

import json
import time
from typing import Any

from .conftest import LocalAws, eventually
from .test_process import invoke, make_function

EMBEDDED = """
import json, time
def handle(event, context):
    for number in event["numbers"]:
        print(json.dumps({
            "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [{
                "Namespace": "Earshot", "Dimensions": [["Function"], []],
                "Metrics": [{"Name": "Accepted", "Unit": "Count"}]}]},
            "Function": "intake", "Accepted": number, "note": "not a metric"}))
    return "done"
"""


def points(aws: LocalAws, dimensions: list[dict[str, str]]) -> list[dict[str, Any]]:
    statistics = aws.client("cloudwatch").get_metric_statistics(
        Namespace="Earshot",
        MetricName="Accepted",
        Dimensions=dimensions,
        StartTime=time.time() - 300,
        EndTime=time.time() + 300,
        Period=600,
        Statistics=["Sum", "SampleCount"],
    )
    return list(statistics["Datapoints"])


def test_metrics_in_a_function_s_log_reach_cloudwatch_with_dimensions_and_unit(aws: LocalAws) -> None:
    make_function(aws, "embedded", EMBEDDED)
    assert invoke(aws, "embedded", {"numbers": [3, 4]}) == "done"
    dimensioned = eventually(lambda: points(aws, [{"Name": "Function", "Value": "intake"}]))
    assert sum(each["Sum"] for each in dimensioned) == 7
    assert sum(each["SampleCount"] for each in dimensioned) == 2
    assert dimensioned[0]["Unit"] == "Count"
    names = {each["MetricName"] for each in aws.client("cloudwatch").list_metrics(Namespace="Earshot")["Metrics"]}
    assert names == {"Accepted"}


def test_every_line_of_an_invocation_is_in_its_log_even_right_before_the_answer(aws: LocalAws) -> None:
    make_function(aws, "chatty", "def handle(event, context):\n    print('line', event['n'])\n    return event['n']\n")
    for number in range(20):
        assert invoke(aws, "chatty", {"n": number}) == number
    logs = aws.client("logs")
    events = logs.filter_log_events(logGroupName="/aws/lambda/chatty")["events"]
    lines = [each["message"] for each in events if each["message"].startswith("line ")]
    assert sorted(lines) == sorted(f"line {number}" for number in range(20))
    assert not any("earshot-end" in each["message"] for each in events)


def test_a_silent_function_answers_without_waiting_for_a_log(aws: LocalAws) -> None:
    make_function(aws, "silent", "def handle(event, context):\n    return 1\n")
    invoke(aws, "silent")
    took = []
    for _ in range(15):
        started = time.perf_counter()
        invoke(aws, "silent")
        took.append(time.perf_counter() - started)
    assert sorted(took)[len(took) // 2] < 0.045


def test_an_error_carries_the_exception_s_own_name(aws: LocalAws) -> None:
    code = "class Refused(Exception):\n    pass\ndef handle(event, context):\n    raise Refused('no: not this')\n"
    make_function(aws, "raising", code)
    answer = aws.client("lambda").invoke(FunctionName="raising", Payload="{}")
    assert answer["FunctionError"] == "Unhandled"
    told = json.loads(answer["Payload"].read())
    assert told["errorType"] == "Refused"
    assert told["errorMessage"] == "no: not this"
