import json

import boto3
import pytest
from moto import mock_aws
from typer.testing import CliRunner

from cli import trends as trends_module
from cli.app import app
from cli.trends import by_subject, last_days, sparkline
from feedback.trends import DayCounts, HourCounts, Subject, SubjectKind
from lambdas.aws.attributes import to_item
from tests.unit.cli import fakes

PERIOD = ["2026-03-01", "2026-03-02"]


def counts(product, day, *, negative=0, positive=0):
    return DayCounts(
        day=day,
        subject=Subject(kind=SubjectKind.PRODUCT, name=product),
        hours={9: HourCounts(counts={"negative": negative, "positive": positive})},
    )


def test_products_with_the_most_negative_feedback_come_first():
    found = by_subject(
        [
            counts("A", "2026-03-01", negative=1),
            counts("B", "2026-03-01", negative=2, positive=6),
            counts("B", "2026-03-02", negative=3),
        ],
        PERIOD,
        kind=SubjectKind.PRODUCT,
    )
    assert [(trend.subject.name, trend.totals["negative"]) for trend in found] == [("B", 5), ("A", 1)]
    assert found[0].shares == [0.25, 1.0]
    assert found[1].shares == [1.0, None]
    assert by_subject([counts("A", "2026-03-01")], PERIOD, kind=SubjectKind.CHANNEL) == []


def test_a_sparkline_shows_shares_and_where_there_was_nothing():
    assert sparkline([0.0, None, 0.5, 1.0]) == "▁·▅█"


@pytest.fixture
def desk(monkeypatch):
    """Counters of one product on the last days, in moto."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        dynamodb = boto3.client("dynamodb")
        dynamodb.create_table(
            TableName="desk",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
            BillingMode="PAY_PER_REQUEST",
        )
        outputs = {**fakes.OUTPUTS, "intake": {**fakes.OUTPUTS["intake"], "Desk": "desk"}}
        connection = fakes.connection({"dynamodb": dynamodb}, outputs)
        monkeypatch.setattr(trends_module, "connect", lambda stage: connection)
        yield dynamodb


def store(dynamodb, key, back, **counters):
    (day, *_) = last_days(trends_module.datetime.now(trends_module.UTC).date(), back + 1)
    dynamodb.put_item(TableName="desk", Item=to_item({"pk": f"trend#{day}", "sk": key, **counters}))


def test_trends_are_listed_and_printed_as_json(desk):
    store(desk, "product#P-1", 0, **{"09_negative": 3, "09_positive": 1})
    store(desk, "product#P-1", 2, **{"23_positive": 4, "23_unsure": 2})
    store(desk, "channel#web", 0, **{"09_negative": 3})
    shown = CliRunner().invoke(app, ["trends", "--days", "3"])
    assert shown.exit_code == 0, shown.output
    assert "P-1" in shown.output
    assert "38%" in shown.output
    assert "▁·▇" in shown.output
    (found,) = json.loads(CliRunner().invoke(app, ["trends", "--days", "3", "--json"]).output)
    assert (found["product"], found["negative"], found["unsure"], found["negative_share"]) == ("P-1", 3, 2, 0.375)
    assert [day["negative"] for day in found["days"]] == [0, 0, 3]


def test_one_product_is_shown_day_by_day_and_hour_by_hour(desk):
    store(desk, "product#P-1", 1, **{"09_negative": 1, "10_positive": 1})
    shown = CliRunner().invoke(app, ["trends", "--product", "P-1"])
    assert shown.exit_code == 0, shown.output
    assert "by hour of" in shown.output
    assert "·········█▁" in shown.output
    nothing = CliRunner().invoke(app, ["trends", "--product", "P-2"])
    assert "No feedback about P-2" in nothing.output
