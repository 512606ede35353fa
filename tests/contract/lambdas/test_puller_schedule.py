"""The schedule's call, from the list of sources to the ledger, the queue and the cursor, with moto in AWS's place."""

import json

import boto3
import pytest

from lambdas.channels import accepting
from lambdas.channels.puller import handler
from lambdas.channels.puller.declaring import WrongSourcesError
from lambdas.channels.puller.fetching import Fetched, NotFetchedError
from tests.unit.lambdas.fakes import FakeContext

PARAMETER = "/earshot/test/sources"
EVENT = {"version": "0", "source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}


class FakeFetcher:
    """The web: bodies by address."""

    pages: dict[str, bytes] = {}  # noqa: RUF012  # one web for all

    def __init__(self, **_):
        self.asked = []

    def fetch(self, url, *, etag=None, modified=None):
        if url not in self.pages:
            raise NotFetchedError("The server answered 404.")
        return Fetched(body=self.pages[url], etag=None, modified=None)


def rss(*texts):
    items = "".join(f"<item><guid>{text}</guid><description>{text}</description></item>" for text in texts)
    return f"<rss><channel>{items}</channel></rss>".encode()


@pytest.fixture
def puller(table, queue_url, monkeypatch):
    """The function's surroundings, and a call of it that takes the sources."""
    dynamodb, ssm = boto3.client("dynamodb"), boto3.client("ssm")
    for name, keys in {"originals": ["feedback_id"], "desk": ["pk", "sk"]}.items():
        dynamodb.create_table(
            TableName=name,
            KeySchema=[
                {"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
            ],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
            BillingMode="PAY_PER_REQUEST",
        )
    variables = {
        "ORIGINALS_TABLE": "originals",
        "ORIGINAL_DAYS": "30",
        "DESK_TABLE": "desk",
        "SOURCES_PARAMETER": PARAMETER,
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(handler, "Fetcher", FakeFetcher)
    monkeypatch.setattr(FakeFetcher, "pages", {})
    _forget()

    def call(*sources, text=None):
        value = json.dumps({"version": 1, "sources": list(sources)}) if text is None else text
        ssm.put_parameter(Name=PARAMETER, Value=value, Type="String", Overwrite=True)
        handler.handle(EVENT, FakeContext(remaining_seconds=120.0))
        return {item["event"]["text"] for item in table.scan()["Items"]}

    yield call
    _forget()


def _forget():
    for module in (handler, accepting):
        for value in vars(module).values():
            if hasattr(value, "cache_clear"):
                value.cache_clear()


def source(name="site"):
    return {"name": name, "kind": "feed", "url": f"https://{name}.example/feed"}


def test_new_entries_are_accepted_once_run_after_run(puller, capsys):
    FakeFetcher.pages = {"https://site.example/feed": rss("one", "two")}
    assert puller(source()) == {"one", "two"}
    assert '"Accepted": 2' in capsys.readouterr().out
    FakeFetcher.pages = {"https://site.example/feed": rss("three", "one", "two")}
    assert puller(source()) == {"one", "two", "three"}
    assert '"Accepted": 1' in capsys.readouterr().out


def test_a_lost_cursor_does_no_harm(puller, capsys):
    FakeFetcher.pages = {"https://site.example/feed": rss("one", "two")}
    puller(source())
    boto3.resource("dynamodb").Table("desk").delete_item(Key={"pk": "cursor", "sk": "site"})
    capsys.readouterr()
    assert puller(source()) == {"one", "two"}
    assert '"Replayed": 2' in capsys.readouterr().out


def test_sources_that_fail_or_are_declared_wrongly_hold_up_no_other(puller, capsys):
    FakeFetcher.pages = {
        "https://site.example/feed": rss("one"),
        "https://broken.example/feed": b"<!DOCTYPE x []><rss/>",
    }
    assert puller(source("away"), source("broken"), {"name": "?"}, source()) == {"one"}
    assert '"Failed": 3' in capsys.readouterr().out


def test_a_stage_without_sources_has_nothing_to_do(puller):
    assert puller() == set()


def test_a_list_that_is_none_makes_the_functions_errors_ring(puller):
    with pytest.raises(WrongSourcesError):
        puller(text="nonsense")
