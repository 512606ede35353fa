import json

import pytest

from faults.alarms import Alarms, TraceError, main, noticed, read_trace, ringing_on_a_healthy_day
from faults.estate import Estate
from faults.metrics import History, Metric
from policy.template import Template

ERRORS = Metric.of("AWS/Lambda", "Errors", {"FunctionName": "Worker"})


def alarm(metric, queue, **more):
    return {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "Namespace": "AWS/SQS",
            "MetricName": metric,
            "Dimensions": [{"Name": "QueueName", "Value": {"Fn::GetAtt": [queue, "QueueName"]}}],
            "Statistic": "Maximum",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 90,
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "notBreaching",
            "AlarmActions": [{"Ref": "People"}],
            **more,
        },
    }


RESOURCES = {
    "People": {"Type": "AWS::SNS::Topic"},
    "Worker": {"Type": "AWS::Lambda::Function", "Properties": {"Code": {}, "Role": "r"}},
    "Provider": {"Type": "AWS::Lambda::Function", "Properties": {"Code": {}, "Role": "r"}},
    "Made": {"Type": "Custom::Thing", "Properties": {"ServiceToken": {"Fn::GetAtt": ["Provider", "Arn"]}}},
    "Dead": {"Type": "AWS::SQS::Queue"},
    "Work": {
        "Type": "AWS::SQS::Queue",
        "Properties": {"RedrivePolicy": {"deadLetterTargetArn": {"Fn::GetAtt": ["Dead", "Arn"]}, "maxReceiveCount": 5}},
    },
    "Age": alarm("ApproximateAgeOfOldestMessage", "Work"),
    "Depth": alarm("ApproximateNumberOfMessagesVisible", "Dead", Threshold=0),
    "WorkerErrors": alarm(
        "Errors",
        "Work",
        Namespace="AWS/Lambda",
        Dimensions=[{"Name": "FunctionName", "Value": {"Ref": "Worker"}}],
        Statistic="Sum",
        Threshold=0,
    ),
    "WorkerThrottles": alarm(
        "Throttles",
        "Work",
        Namespace="AWS/Lambda",
        Dimensions=[{"Name": "FunctionName", "Value": {"Ref": "Worker"}}],
        Statistic="Sum",
        Threshold=0,
    ),
}


def estate(**changed):
    resources = {name: each for name, each in (RESOURCES | changed).items() if each}
    return Estate([Template.parse(json.dumps({"Resources": resources}), source="t.json")])


def unseen(system):
    return [each.outage for each in noticed(system, Alarms(system)) if each.seconds is None]


def test_outages_come_from_what_is_there_and_not_from_the_alarms():
    assert unseen(estate()) == []
    assert unseen(estate(Age=None)) == ["queue Work is not worked off"]
    assert unseen(estate(WorkerErrors=None)) == ["function Worker raises"]
    assert "function Provider raises" not in unseen(estate(WorkerErrors=None))


def test_an_alarm_on_another_dimension_tells_nothing():
    misnamed = alarm("ApproximateNumberOfMessagesVisible", "Work", Threshold=1000)
    assert unseen(estate(Depth=misnamed)) == ["dead letters arrive in Dead"]


def test_an_alarm_that_is_too_late_is_as_good_as_none():
    assert unseen(estate(Age=alarm("ApproximateAgeOfOldestMessage", "Work", Threshold=900))) == [
        "queue Work is not worked off"
    ]


def test_an_alarm_that_is_too_eager_rings_on_a_healthy_day():
    system = estate(Age=alarm("ApproximateAgeOfOldestMessage", "Work", Threshold=20))
    assert {ring.alarm for ring in ringing_on_a_healthy_day(system, Alarms(system), seconds=1800.0)} == {"Age"}


def test_metric_math_is_replayed():
    def query(id_, metric):
        described = {
            "Namespace": "AWS/Lambda",
            "MetricName": metric,
            "Dimensions": [{"Name": "FunctionName", "Value": {"Ref": "Worker"}}],
        }
        stat = {"Metric": described, "Period": 60, "Stat": "Sum"}
        return {"Id": id_, "MetricStat": stat, "ReturnData": False}

    metrics = [query("e", "Errors"), query("i", "Invocations"), {"Id": "share", "Expression": "e / i"}]
    properties = {"Metrics": metrics, "EvaluationPeriods": 1, "Threshold": 0.001}
    rate = {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": properties | {"ComparisonOperator": "GreaterThanThreshold", "TreatMissingData": "notBreaching"},
    }
    system = estate(WorkerErrors=rate)
    assert unseen(system) == []


@pytest.mark.parametrize(
    ("statistic", "value"),
    [
        ("Sum", 10.0),
        ("Average", 2.5),
        ("Minimum", 1.0),
        ("Maximum", 4.0),
        ("SampleCount", 4.0),
        ("p50", 2.0),
        ("p99", 4.0),
    ],
)
def test_statistics_are_of_the_values_in_the_window(statistic, value):
    history = History()
    for at, values in ((0, [100.0]), (60, [1.0, 2.0]), (119, [3.0, 4.0]), (120, [100.0])):
        history.add(ERRORS, at, values)
    assert history.statistic(ERRORS, statistic, 60, 120) == value
    assert history.statistic(ERRORS, statistic, 200, 300) is None


def test_what_was_measured_before_is_replaced_by_the_outage():
    history = History()
    history.add(ERRORS, 0, [0.0])
    history.add(ERRORS, 60, [0.0])
    history.add(ERRORS, 60, [5.0])
    assert history.statistic(ERRORS, "Sum", 0, 120) == 5.0
    history.silence(ERRORS, 60)
    assert history.statistic(ERRORS, "Sum", 60, 120) is None


@pytest.fixture
def template(tmp_path):
    file = tmp_path / "t.template.json"
    file.write_text(json.dumps({"Resources": RESOURCES}), encoding="utf-8")
    return file


def write_trace(tmp_path, *points):
    file = tmp_path / "trace.jsonl"
    file.write_text("".join(json.dumps(point) + "\n" for point in points), encoding="utf-8")
    return file


POINT = {
    "at": 0,
    "namespace": "AWS/Lambda",
    "metric": "Errors",
    "dimensions": {"FunctionName": "Worker"},
    "values": [0],
}


def test_a_trace_is_replayed(tmp_path, template, capsys):
    quiet = write_trace(tmp_path, POINT, POINT | {"at": 60})
    assert main(["--template", str(template), "--trace", str(quiet)]) == 0
    loud = write_trace(tmp_path, POINT | {"at": 60, "values": [1]}, POINT)
    assert main(["--template", str(template), "--trace", str(loud)]) == 1
    assert "120 s  WorkerErrors" in capsys.readouterr().out


@pytest.mark.parametrize("point", [{}, [], {**POINT, "values": 1}, {**POINT, "at": "noon"}, {**POINT, "dimensions": 1}])
def test_a_trace_that_is_none_is_refused_with_its_line(tmp_path, point):
    with pytest.raises(TraceError, match="line 1"):
        read_trace(write_trace(tmp_path, point))


def test_what_cannot_be_read_ends_with_two_and_a_sentence(tmp_path, template, capsys):
    empty = write_trace(tmp_path)
    for arguments in (
        ["--template", str(tmp_path / "missing")],
        ["--template", str(empty)],
        ["--template", str(template), "--trace", str(empty)],
    ):
        assert main(arguments) == 2
    assert len(capsys.readouterr().err.splitlines()) == 3


def test_an_authorizer_that_fails_is_told_of_by_its_api():
    gate = {"Type": "AWS::Lambda::Function", "Properties": {"Code": {}, "Role": "r"}}
    uri = {"Fn::Join": ["", ["arn:", {"Fn::GetAtt": ["Gate", "Arn"]}]]}
    asking = {"Type": "AWS::ApiGateway::Authorizer", "Properties": {"AuthorizerUri": uri}}
    assert estate(Gate=gate, Asking=asking).authorizers() == ["Gate"]


def test_a_queue_of_long_work_is_late_only_beyond_the_work():
    work = {**RESOURCES["Work"]["Properties"], "VisibilityTimeout": 5400}
    late = alarm("ApproximateAgeOfOldestMessage", "Work", Threshold=990)
    system = estate(Work={"Type": "AWS::SQS::Queue", "Properties": work}, Age=late)
    assert system.working_seconds("Work") == 900
    assert ringing_on_a_healthy_day(system, Alarms(system), seconds=1800.0) == []
    assert unseen(system) == []
