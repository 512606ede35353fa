"""The crawler reads what lies in S3 and makes tables that Athena can query."""

import gzip
import io
import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from .conftest import LocalAws, eventually

Json = dict[str, Any]


def parquet(rows: list[Json]) -> bytes:
    packed = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), packed)
    return packed.getvalue()


class Crawl:
    """A bucket, a database and a crawler over it."""

    def __init__(self, aws: LocalAws, **settings: Any) -> None:
        self.aws = aws
        self.name = f"lake{uuid4().hex[:8]}"
        self.glue = aws.client("glue")
        aws.client("s3").create_bucket(Bucket=self.name)
        self.glue.create_database(DatabaseInput={"Name": self.name})
        self.glue.create_crawler(
            Name=self.name,
            Role="arn:aws:iam::000000000000:role/crawler",
            DatabaseName=self.name,
            **{"Targets": {"S3Targets": [{"Path": f"s3://{self.name}/raw/"}]}, **settings},
        )

    def put(self, key: str, body: bytes) -> None:
        self.aws.client("s3").put_object(Bucket=self.name, Key=key, Body=body)

    def remove(self, key: str) -> None:
        self.aws.client("s3").delete_object(Bucket=self.name, Key=key)

    def run(self) -> Json:
        """Crawl and wait; the last crawl's record."""
        self.glue.start_crawler(Name=self.name)
        described = eventually(lambda: self._ready(), 20)
        return dict(described["LastCrawl"])

    def _ready(self) -> Json | None:
        crawler: Json = self.glue.get_crawler(Name=self.name)["Crawler"]
        return crawler if crawler["State"] == "READY" else None

    def counts(self) -> tuple[int, int, int]:
        (metrics,) = self.glue.get_crawler_metrics(CrawlerNameList=[self.name])["CrawlerMetricsList"]
        return metrics["TablesCreated"], metrics["TablesUpdated"], metrics["TablesDeleted"]

    def tables(self) -> dict[str, Json]:
        return {each["Name"]: each for each in self.glue.get_tables(DatabaseName=self.name)["TableList"]}

    def columns(self, table: str) -> dict[str, str]:
        return {each["Name"]: each["Type"] for each in self.tables()[table]["StorageDescriptor"]["Columns"]}

    def partitions(self, table: str) -> dict[tuple[str, ...], str]:
        found = self.glue.get_partitions(DatabaseName=self.name, TableName=table)["Partitions"]
        return {tuple(each["Values"]): each["StorageDescriptor"]["Location"] for each in found}


@pytest.fixture
def crawl(aws: LocalAws) -> Callable[..., Crawl]:
    return lambda **settings: Crawl(aws, **settings)


REVIEWS = [
    {"review_id": "1", "text": "fine", "rating": 5, "created_at": None},
    {"review_id": "2", "text": "bad", "rating": 1, "created_at": "2024-01-01T00:00:00Z"},
]


def test_parquet_in_hive_folders_becomes_a_partitioned_table(crawl: Callable[..., Crawl]) -> None:
    made = crawl()
    made.put("raw/reviews/ingest_date=2024-01-01/a.parquet", parquet(REVIEWS))
    made.put("raw/reviews/ingest_date=2024-01-02/b.parquet", parquet([{**REVIEWS[1], "customer_age": 33}]))
    assert made.run()["Status"] == "SUCCEEDED"
    assert list(made.tables()) == ["reviews"]
    assert made.counts() == (1, 0, 0)
    table = made.tables()["reviews"]
    assert table["Parameters"]["classification"] == "parquet"
    assert table["Parameters"]["UPDATED_BY_CRAWLER"] == made.name
    assert table["TableType"] == "EXTERNAL_TABLE"
    assert table["PartitionKeys"] == [{"Name": "ingest_date", "Type": "string"}]
    assert made.columns("reviews") == {
        "review_id": "string",
        "text": "string",
        "rating": "bigint",
        "created_at": "string",
        "customer_age": "bigint",
    }
    location = f"s3://{made.name}/raw/reviews/"
    assert table["StorageDescriptor"]["Location"] == location
    assert made.partitions("reviews") == {
        ("2024-01-01",): f"{location}ingest_date=2024-01-01/",
        ("2024-01-02",): f"{location}ingest_date=2024-01-02/",
    }


def test_a_second_crawl_changes_nothing_and_a_third_finds_what_is_new(crawl: Callable[..., Crawl]) -> None:
    made = crawl()
    made.put("raw/reviews/ingest_date=2024-01-01/a.parquet", parquet(REVIEWS))
    made.run()
    made.run()
    assert made.counts() == (0, 0, 0)
    made.put("raw/reviews/ingest_date=2024-02-01/a.parquet", parquet([{**REVIEWS[0], "channel": "web"}]))
    made.run()
    assert made.counts() == (0, 1, 0)
    assert made.columns("reviews")["channel"] == "string"
    assert set(made.partitions("reviews")) == {("2024-01-01",), ("2024-02-01",)}


def test_text_formats_are_told_apart(crawl: Callable[..., Crawl]) -> None:
    made = crawl(TablePrefix="t_")
    made.put("raw/comma/a.csv", b"id,name,price\n1,foo,2.5\n2,bar,3.5\n")
    made.put("raw/tabs/a.tsv", b"id\tname\n1\tfoo\n2\tbar\n")
    made.put("raw/quoted/a.csv", b'id,text\n1,"a, b"\n2,"c"\n')
    lines = [{"a": 1, "nested": {"words": ["x"]}, "ok": True}, {"a": 2, "when": "2024-01-01T00:00:00Z"}]
    made.put("raw/lines/a.json.gz", gzip.compress("\n".join(json.dumps(line) for line in lines).encode()))
    assert made.run()["Status"] == "SUCCEEDED"
    assert set(made.tables()) == {"t_comma", "t_tabs", "t_quoted", "t_lines"}
    assert made.columns("t_comma") == {"id": "bigint", "name": "string", "price": "double"}
    assert made.tables()["t_comma"]["Parameters"]["skip.header.line.count"] == "1"
    assert made.tables()["t_tabs"]["Parameters"]["delimiter"] == "\t"
    assert "OpenCSVSerde" in made.tables()["t_quoted"]["StorageDescriptor"]["SerdeInfo"]["SerializationLibrary"]
    assert made.columns("t_lines") == {
        "a": "bigint",
        "nested": "struct<words:array<string>>",
        "ok": "boolean",
        "when": "string",
    }
    assert made.tables()["t_lines"]["Parameters"]["compressionType"] == "gzip"


def test_the_table_level_of_the_configuration_names_the_folder(crawl: Callable[..., Crawl]) -> None:
    configuration = json.dumps({"Version": 1.0, "Grouping": {"TableLevelConfiguration": 3}})
    made = crawl(Configuration=configuration)
    made.put("raw/reviews/2024/01/a.parquet", parquet(REVIEWS))
    made.run()
    assert [each["Name"] for each in made.tables()["reviews"]["PartitionKeys"]] == ["partition_0", "partition_1"]
    assert list(made.partitions("reviews")) == [("2024", "01")]


def test_reviews_and_corrections_beside_each_other_become_a_table_each(crawl: Callable[..., Crawl]) -> None:
    grouping = {"TableGroupingPolicy": "CombineCompatibleSchemas", "TableLevelConfiguration": 3}
    made = crawl(Configuration=json.dumps({"Version": 1.0, "Grouping": grouping}))
    made.put("raw/reviews/ingest_date=2024-01-01/a.parquet", parquet(REVIEWS))
    correction = {
        "review_id": "fb-1",
        "text": "Hm, so so",
        "rating": 1,
        "product_id": None,
        "category": None,
        "channel": "call",
        "created_at": "2024-01-02T10:00:00.000Z",
        "corrected_at": "2024-01-03T10:00:00.000Z",
    }
    made.put("raw/corrections/ingest_date=2024-01-03/a.jsonl", json.dumps(correction).encode())
    assert made.run()["Status"] == "SUCCEEDED"
    assert set(made.tables()) == {"reviews", "corrections"}
    assert made.tables()["corrections"]["Parameters"]["classification"] == "json"
    assert made.partitions("corrections").keys() == {("2024-01-03",)}
    columns = made.columns("corrections")
    assert (columns["rating"], columns["corrected_at"], columns["product_id"]) == ("bigint", "string", "string")


def test_exclusions_and_hidden_files_are_left_out(crawl: Callable[..., Crawl]) -> None:
    made = crawl(Targets={"S3Targets": [{"Path": "s3://placeholder/raw/", "Exclusions": ["drafts/**"]}]})
    target = {"S3Targets": [{"Path": f"s3://{made.name}/raw/", "Exclusions": ["drafts/**"]}]}
    made.glue.update_crawler(Name=made.name, Targets=target)
    made.put("raw/reviews/a.parquet", parquet(REVIEWS))
    made.put("raw/reviews/_SUCCESS", b"done")
    made.put("raw/drafts/a.parquet", parquet(REVIEWS))
    assert made.run()["Status"] == "SUCCEEDED"
    assert list(made.tables()) == ["reviews"]
    assert made.tables()["reviews"]["Parameters"]["objectCount"] == "1"


@pytest.mark.parametrize(
    ("behaviour", "left", "counts"),
    [("LOG", ["other", "reviews"], (0, 0, 0)), ("DELETE_FROM_DATABASE", ["other"], (0, 0, 1))],
)
def test_tables_whose_objects_are_gone_follow_the_policy(
    crawl: Callable[..., Crawl], behaviour: str, left: list[str], counts: tuple[int, int, int]
) -> None:
    made = crawl(SchemaChangePolicy={"UpdateBehavior": "UPDATE_IN_DATABASE", "DeleteBehavior": behaviour})
    made.put("raw/reviews/a.parquet", parquet(REVIEWS))
    made.put("raw/other/a.parquet", parquet(REVIEWS))
    made.run()
    made.remove("raw/reviews/a.parquet")
    made.run()
    assert sorted(made.tables()) == left
    assert made.counts() == counts


def test_a_schema_that_may_not_change_stays(crawl: Callable[..., Crawl]) -> None:
    made = crawl(SchemaChangePolicy={"UpdateBehavior": "LOG", "DeleteBehavior": "LOG"})
    made.put("raw/reviews/day=1/a.parquet", parquet(REVIEWS))
    made.run()
    made.put("raw/reviews/day=2/a.parquet", parquet([{"something": "else"}]))
    made.run()
    assert "something" not in made.columns("reviews")
    assert set(made.partitions("reviews")) == {("1",), ("2",)}


def test_an_empty_target_is_no_failure(crawl: Callable[..., Crawl]) -> None:
    made = crawl()
    assert made.run()["Status"] == "SUCCEEDED"
    assert made.tables() == {}


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"Targets": {"S3Targets": [{"Path": "s3://nowhere-at-all/raw/"}]}}, "nowhere-at-all does not exist"),
        ({"DatabaseName": "no_such_database"}, "no_such_database does not exist"),
    ],
)
def test_a_crawl_that_cannot_be_done_fails_with_a_message(
    aws: LocalAws, crawl: Callable[..., Crawl], settings: Json, told: str
) -> None:
    made = crawl()
    made.glue.update_crawler(Name=made.name, **settings)
    last = made.run()
    assert last["Status"] == "FAILED"
    assert told in last["ErrorMessage"]


def test_a_running_crawler_is_not_started_again(crawl: Callable[..., Crawl]) -> None:
    made = crawl()
    for number in range(3):
        made.put(f"raw/table{number}/a.parquet", parquet(REVIEWS))
    made.glue.start_crawler(Name=made.name)
    with pytest.raises(made.glue.exceptions.CrawlerRunningException):
        made.glue.start_crawler(Name=made.name)
    eventually(made._ready, 20)


def test_an_unknown_crawler_is_refused(aws: LocalAws) -> None:
    with pytest.raises(aws.client("glue").exceptions.EntityNotFoundException):
        aws.client("glue").start_crawler(Name="nobody")
