import json

import pytest
from botocore.exceptions import ClientError

from lambdas.telemetry import count, log, log_error
from tests.unit.lambdas.fakes import FakeContext


def lines(capsys):
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_counts_are_one_embedded_metric_line_without_zeros(capsys):
    count(FakeContext(), Accepted=2, Refused=0)
    (line,) = lines(capsys)
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive == {
        "Namespace": "Earshot",
        "Dimensions": [["FunctionName"]],
        "Metrics": [{"Name": "Accepted", "Unit": "Count"}],
    }
    assert (line["Accepted"], line["FunctionName"]) == (2, "earshot-test")
    assert line["_aws"]["Timestamp"] > 1_700_000_000_000
    count(FakeContext(), Accepted=0)
    assert lines(capsys) == []


def test_a_log_line_is_one_line_whatever_is_in_it(capsys):
    log("INFO", "A step.", feedback_id="a\nb\u2028c")
    assert lines(capsys) == [{"level": "INFO", "message": "A step.", "feedback_id": "a\nb\u2028c"}]


def test_an_error_is_logged_by_type_code_and_place_but_not_by_its_message(capsys):
    cause = ClientError({"Error": {"Code": "Throttled", "Message": "private words"}}, "PutItem")
    with pytest.raises(ValueError, match="private") as raised:
        raise ValueError("private words") from cause
    log_error("It failed.", raised.value, feedback_id="a")
    (line,) = lines(capsys)
    assert (line["error"], line["code"], line["feedback_id"]) == ("ValueError", "Throttled", "a")
    assert line["where"].startswith("test_telemetry.py:")
    assert "private" not in json.dumps(line)
