"""From counters on the desk to a message on the alert queue, on services as moto keeps them."""

from datetime import UTC, datetime, timedelta

import boto3
import pytest

from feedback.alerting.messages import ProductMessage, read_message
from feedback.event import timestamp
from lambdas.aws.attributes import to_item
from lambdas.spikes import handler
from lambdas.spikes.handler import SpikesUntoldError, handle
from tests.unit.lambdas.fakes import FakeContext, classified

CACHED = (handler._settings, handler._watching)


@pytest.fixture
def alert_queue(table, monkeypatch):
    """The desk, the ledger and the alert queue, and a handler that has cached nothing."""
    boto3.client("dynamodb").create_table(
        TableName="desk",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
    )
    url = boto3.client("sqs").create_queue(QueueName="alerts")["QueueUrl"]
    monkeypatch.setenv("DESK_TABLE", "desk")
    monkeypatch.setenv("ALERT_QUEUE_URL", url)
    for cached in CACHED:
        cached.cache_clear()
    yield boto3.resource("sqs").Queue(url)
    for cached in CACHED:
        cached.cache_clear()


def count(moment, product, *, negative, positive):
    day, hour = moment.date().isoformat(), f"{moment:%H}"
    item = {f"{hour}_negative": negative, f"{hour}_positive": positive, "example1": "f-1"}
    for sk in (f"product#{product}", "channel#web"):
        document = {"pk": f"trend#{day}", "sk": sk, **item}
        boto3.client("dynamodb").put_item(TableName="desk", Item=to_item(document))


def a_shop_in_which_one_product_goes_wrong():
    now = datetime.now(UTC)
    for back in range(10, -1, -1):
        for number in range(4):
            bad = back == 0 and number == 3
            count(now - timedelta(days=back), f"P-{number}", negative=18 if bad else 4, positive=2 if bad else 16)
    entry = classified("f-1").to_document() | {"received_at": timestamp(now)}
    boto3.client("dynamodb").put_item(TableName="ledger", Item=to_item(entry))


def test_a_product_that_goes_wrong_is_one_message_however_often_it_is_looked_at(alert_queue):
    a_shop_in_which_one_product_goes_wrong()
    for _ in range(3):
        handle({}, FakeContext())
    (queued,) = alert_queue.receive_messages(MaxNumberOfMessages=10)
    message = read_message(queued.body)
    assert isinstance(message, ProductMessage)
    assert message.scope == {"kind": "product", "name": "P-3"}
    assert (message.figures["negatives"], message.figures["feedbacks"]) == (18, 20)
    assert message.examples == ("f-1",)
    assert "Too tight" not in queued.body


def test_an_alert_queue_that_is_away_makes_the_look_fail_and_the_next_one_tells(alert_queue, monkeypatch):
    a_shop_in_which_one_product_goes_wrong()
    monkeypatch.setenv("ALERT_QUEUE_URL", f"{alert_queue.url}-away")
    with pytest.raises(SpikesUntoldError):
        handle({}, FakeContext())
    monkeypatch.setenv("ALERT_QUEUE_URL", alert_queue.url)
    for cached in CACHED:
        cached.cache_clear()
    handle({}, FakeContext())
    assert len(alert_queue.receive_messages(MaxNumberOfMessages=10)) == 1
