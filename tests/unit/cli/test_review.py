import csv
import json

import boto3
import pytest
from moto import mock_aws
from typer.testing import CliRunner

from cli import review as review_module
from cli.app import app
from lambdas.aws.attributes import to_item
from lambdas.aws.ledger import Ledger
from tests.unit.cli import fakes
from tests.unit.lambdas.fakes import NEGATIVE, UNSURE, classified, received

COMMAND = '=HYPERLINK("http://bad.example")'


@pytest.fixture
def tables(monkeypatch):
    """A ledger with three feedbacks that wait, and the queue that names them."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        dynamodb = boto3.client("dynamodb")
        for name, keys in (("ledger", ["feedback_id"]), ("desk", ["pk", "sk"])):
            dynamodb.create_table(
                TableName=name,
                KeySchema=[
                    {"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
                ],
                AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
                BillingMode="PAY_PER_REQUEST",
            )
        for id_, prediction, reason in (
            ("f-1", UNSURE, "unsure"),
            ("f-2", NEGATIVE, "contradicted"),
            ("f-3", UNSURE, "unsure"),
        ):
            document = classified(id_, prediction).to_document() | {"review": reason}
            document["event"]["text"] = COMMAND if id_ == "f-2" else "Hm, so so"
            dynamodb.put_item(TableName="ledger", Item=to_item(document))
            key = f"{document['received_at']}#{id_}"
            dynamodb.put_item(TableName="desk", Item=to_item({"pk": "review", "sk": key, "reason": reason}))
        dynamodb.put_item(TableName="ledger", Item=to_item(received("f-9").to_document()))
        outputs = {**fakes.OUTPUTS, "intake": {**fakes.OUTPUTS["intake"], "Desk": "desk", "Ledger": "ledger"}}
        connection = fakes.connection({"dynamodb": dynamodb}, outputs)
        monkeypatch.setattr(review_module, "connect", lambda stage: connection)
        monkeypatch.setattr(review_module, "PAGE", 2)
        yield Ledger(table="ledger", dynamodb=dynamodb)


def invoke(*arguments):
    return CliRunner().invoke(app, ["review", *arguments])


def test_what_waits_is_listed_with_the_models_view(tables):
    shown = invoke("list")
    assert shown.exit_code == 0, shown.output
    for expected in ("f-1", "unsure (40%)", "contradicted", "negative (90%)", "Hm, so so"):
        assert expected in shown.output
    rows = json.loads(invoke("list", "--json").output)
    assert [row["id"] for row in rows] == ["f-1", "f-2", "f-3"]
    assert [row["id"] for row in json.loads(invoke("list", "--reason", "contradicted", "--json").output)] == ["f-2"]
    assert len(json.loads(invoke("list", "--limit", "1", "--json").output)) == 1


def test_a_correction_is_in_the_ledger_with_who_and_when_and_leaves_the_list(tables):
    shown = invoke("correct", "f-1", "negative", "--by", "ann", "--note", "irony")
    assert shown.exit_code == 0, shown.output
    entry = tables.find("f-1")
    assert entry.effective_label == "negative"
    assert (entry.correction.by, entry.correction.note) == ("ann", "irony")
    assert entry.correction.at == entry.decided_at > entry.event.received_at
    assert [row["id"] for row in json.loads(invoke("list", "--json").output)] == ["f-2", "f-3"]


def test_what_was_forgotten_is_not_listed(tables):
    boto3.client("dynamodb").delete_item(TableName="ledger", Key={"feedback_id": {"S": "f-1"}})
    assert [row["id"] for row in json.loads(invoke("list", "--json").output)] == ["f-2", "f-3"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["correct", "f-1", "angry", "--by", "ann"], "'angry' is no sentiment"),
        (["list", "--reason", "boredom"], "Nothing waits because of 'boredom'"),
        (["export", "rows.xls"], "ends in none of .csv, .jsonl"),
    ],
)
def test_wrong_input_is_told_in_a_sentence_before_anything_is_asked(arguments, told):
    shown = invoke(*arguments)
    assert (shown.exit_code, told in shown.output) == (2, True), shown.output


def test_what_is_not_there_or_not_decided_cannot_be_corrected(tables):
    unknown = invoke("correct", "f-0", "negative", "--by", "ann")
    assert (unknown.exit_code, "There is no feedback f-0" in unknown.output) == (2, True)
    undecided = invoke("correct", "f-9", "negative", "--by", "ann")
    assert (undecided.exit_code, "not decided yet" in undecided.output) == (1, True)


def test_an_exported_cell_is_no_formula(tables, tmp_path):
    file = tmp_path / "rows.csv"
    assert invoke("export", str(file)).exit_code == 0
    with file.open(newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert [row["id"] for row in rows] == ["f-1", "f-2", "f-3"]
    assert rows[1]["text"] == f"'{COMMAND}"


def test_an_export_as_json_lines_holds_the_text_as_it_is(tables, tmp_path):
    file = tmp_path / "rows.jsonl"
    assert json.loads(invoke("export", str(file), "--reason", "contradicted", "--json").output)["rows"] == 1
    (row,) = [json.loads(line) for line in file.read_text().splitlines()]
    assert (row["id"], row["text"], row["label"]) == ("f-2", COMMAND, "negative")
