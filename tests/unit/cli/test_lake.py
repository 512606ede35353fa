"""Ingesting: whole files of canonical rows, once."""

from collections.abc import Iterator
from pathlib import Path

import boto3
import pyarrow.parquet as pq
import pytest
from moto import mock_aws

from cli.lake import ingest, review_keys
from cli.reviews import Reviews, read_reviews
from tests.unit.cli.fakes import connection


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket="lake")
        yield


@pytest.fixture
def reviews(tmp_path: Path) -> Reviews:
    path = tmp_path / "reviews.csv"
    path.write_text("text,rating,title,age\nso soft,5,,41\ntoo thin,2,Hm,\n", encoding="utf-8")
    return read_reviews(path)


def test_reviews_are_stored_as_parquet_named_by_their_content(reviews: Reviews, tmp_path: Path) -> None:
    stored = ingest(connection(), reviews)
    assert stored.new
    assert stored.rows == 2
    prefix, name = stored.key.rsplit("/", 1)
    assert prefix.startswith("raw/reviews/ingest_date=")
    assert name == f"{reviews.digest}.parquet"
    boto3.client("s3").download_file("lake", stored.key, str(tmp_path / "found.parquet"))
    table = pq.read_table(tmp_path / "found.parquet", partitioning=None)
    assert table.column_names == [
        "review_id", "text", "rating", "title", "product_id", "category", "channel", "created_at", "customer_age",
    ]  # fmt: skip
    assert table.column("rating").to_pylist() == [5, 2]
    assert table.column("title").to_pylist() == [None, "Hm"]
    assert [str(table.schema.field(name).type) for name in ("text", "rating", "customer_age")] == [
        "string", "int64", "int64",
    ]  # fmt: skip


def test_the_same_content_is_stored_once_whenever_it_comes(reviews: Reviews) -> None:
    first = ingest(connection(), reviews)
    earlier = first.key.replace(first.key.split("=")[1].split("/")[0], "2001-01-01")
    client = boto3.client("s3")
    client.copy_object(Bucket="lake", Key=earlier, CopySource={"Bucket": "lake", "Key": first.key})
    client.delete_object(Bucket="lake", Key=first.key)
    again = ingest(connection(), reviews)
    assert not again.new
    assert again.key == earlier
    assert review_keys(connection()) == [earlier]
