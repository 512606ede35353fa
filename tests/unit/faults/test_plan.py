import json

import pytest

from faults.plan import Fault, Plan, PlanError, load, parse

CALL = (("dynamodb",), "PutItem")


def test_words_say_a_fault():
    words = "service=dynamodb,operation=PutItem,probability=0.2,from=10s,to=2m,count=3,latency=250ms,error=Broken"
    assert parse(words) == Fault(
        service="dynamodb",
        operation="PutItem",
        probability=0.2,
        from_seconds=10.0,
        to_seconds=120.0,
        count=3,
        latency_seconds=0.25,
        error="Broken",
    )


@pytest.mark.parametrize(
    "words",
    [
        "",
        "service=sqs",
        "service",
        "latency=",
        "latency=soon",
        "latency=-1s",
        "error=A,error=B",
        "error=A,reset=before",
        "keep=0.5,partial=0.5",
        "error=A,probability=2",
        "error=A,probability=nan",
        "error=A,count=0",
        "error=A,status=200",
        "reset=often",
        "error=A,from=10s,to=10s",
        "error=A,colour=blue",
    ],
)
def test_a_fault_that_cannot_be_is_refused_in_a_sentence(words):
    with pytest.raises(PlanError, match=r"\S+ \S+"):
        parse(words)


def test_a_file_holds_the_same_words(tmp_path):
    file = tmp_path / "plan.json"
    file.write_text(json.dumps({"faults": [{"service": "s3", "status": 503, "latency": "1s"}]}), encoding="utf-8")
    assert load(file) == [Fault(service="s3", status=503, latency_seconds=1.0)]


@pytest.mark.parametrize("text", ["", "[]", '{"faults": {}}', '{"faults": [1]}'])
def test_another_file_is_refused(tmp_path, text):
    file = tmp_path / "plan.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(PlanError):
        load(file)


def chosen(plan, times, seconds=0.0):
    return [plan.choose(*CALL, seconds) is not None for _ in range(times)]


def test_the_same_seed_meets_the_same_calls():
    faults = [parse("error=Broken,probability=0.2")]
    first, again, other = (chosen(Plan(faults, seed=seed), 500) for seed in (1, 1, 2))
    assert first == again != other
    assert 70 <= sum(first) <= 130


def test_a_count_runs_out():
    assert chosen(Plan([parse("error=Broken,count=2")]), 4) == [True, True, False, False]


@pytest.mark.parametrize(("seconds", "fails"), [(9.9, False), (10.0, True), (59.9, True), (60.0, False)])
def test_a_window_opens_and_closes(seconds, fails):
    assert chosen(Plan([parse("error=Broken,from=10s,to=60s")]), 1, seconds) == [fails]


@pytest.mark.parametrize("words", ["error=A,service=sqs", "error=A,operation=GetItem"])
def test_other_calls_are_left_alone(words):
    assert chosen(Plan([parse(words)]), 1) == [False]


def test_the_first_fault_that_concerns_a_call_is_taken():
    plan = Plan([parse("error=A,service=sqs"), parse("error=B,count=1"), parse("error=C")])
    assert [plan.choose(*CALL, 0.0).error for _ in range(2)] == ["B", "C"]


def test_some_entry_fails_where_any_is_to():
    assert sum(Plan([]).entries(0.0001, 10)) == 1
    assert Plan([]).entries(1.0, 3) == [True] * 3
    assert Plan([]).entries(0.0, 3) == [False] * 3
    assert Plan([]).entries(0.5, 0) == []
