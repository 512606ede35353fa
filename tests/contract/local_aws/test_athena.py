"""Queries over crawled and declared tables give the right answers."""

from typing import Any

import pytest

from .conftest import LocalAws, eventually
from .test_crawler import Crawl, parquet

Rows = list[list[str | None]]

FEEDBACK = [
    ("feedback_id", "string"),
    ("text", "string"),
    ("product_id", "string"),
    ("rating", "int"),
    ("sentiment", "int"),
    ("label", "string"),
    ("confidence", "double"),
    ("model_version", "string"),
]


class Lake(Crawl):
    """A crawled table of reviews and a declared one of feedback."""

    def __init__(self, aws: LocalAws) -> None:
        super().__init__(aws)
        reviews = [("1", "fine", 5, "2024-01-01"), ("2", "bad", 1, "2024-01-01"), ("3", "meh", 3, "2024-01-02")]
        for day in ("2024-01-01", "2024-01-02"):
            rows = [{"review_id": r[0], "text": r[1], "rating": r[2], "title": None} for r in reviews if r[3] == day]
            self.put(f"raw/reviews/ingest_date={day}/a.parquet", parquet(rows))
        self.run()
        self._declare_feedback()

    def _declare_feedback(self) -> None:
        location = f"s3://{self.name}/feedback/"
        self.glue.create_table(
            DatabaseName=self.name,
            TableInput={
                "Name": "feedback",
                "TableType": "EXTERNAL_TABLE",
                "PartitionKeys": [{"Name": "dt", "Type": "string"}],
                "Parameters": {
                    "classification": "json",
                    "projection.enabled": "true",
                    "projection.dt.type": "date",
                    "projection.dt.format": "yyyy-MM-dd",
                    "projection.dt.range": "2024-01-01,NOW",
                    "storage.location.template": f"{location}dt=${{dt}}/",
                },
                "StorageDescriptor": {
                    "Columns": [{"Name": name, "Type": kind} for name, kind in FEEDBACK],
                    "Location": location,
                    "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
                    "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
                    "SerdeInfo": {"SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe"},
                },
            },
        )

    def query(self, sql: str) -> Rows:
        """The rows without the header; fails with the query's own reason."""
        rows, _ = self.described(sql)
        return rows

    def described(self, sql: str) -> tuple[Rows, list[tuple[str, str]]]:
        status, identity = self.started(sql)
        assert status["State"] == "SUCCEEDED", status["StateChangeReason"]
        result = self.aws.client("athena").get_query_results(QueryExecutionId=identity)["ResultSet"]
        rows = [[cell.get("VarCharValue") for cell in row["Data"]] for row in result["Rows"]]
        columns = [(each["Name"], each["Type"]) for each in result["ResultSetMetadata"]["ColumnInfo"]]
        # As on AWS, only queries have a first row with the names of the columns.
        return rows[1:] if sql.startswith(("SELECT", "WITH")) else rows, columns

    def started(self, sql: str) -> tuple[dict[str, Any], str]:
        athena = self.aws.client("athena")
        identity = athena.start_query_execution(
            QueryString=sql,
            QueryExecutionContext={"Database": self.name},
            ResultConfiguration={"OutputLocation": f"s3://{self.name}/athena/"},
        )["QueryExecutionId"]

        def over() -> dict[str, Any] | None:
            status = athena.get_query_execution(QueryExecutionId=identity)["QueryExecution"]["Status"]
            return None if status["State"] in ("QUEUED", "RUNNING") else status

        return eventually(over), identity


@pytest.fixture(scope="module")
def empty(aws: LocalAws) -> Lake:
    return Lake(aws)


@pytest.fixture(scope="module")
def lake(aws: LocalAws) -> Lake:
    made = Lake(aws)
    made.put(
        "feedback/dt=2024-01-02/a.jsonl",
        b'{"feedback_id":"f1","text":"bad","rating":1,"sentiment":-1,"label":"negative","confidence":0.9,"more":1}\n'
        b'{"feedback_id":"f2","text":"hm","sentiment":null,"label":"unsure","confidence":0.4}\n',
    )
    made.put("feedback/dt=2024-01-03/a.jsonl", b'{"feedback_id":"f3","text":"fine","sentiment":1,"label":"positive"}\n')
    return made


def test_a_declared_table_without_a_file_is_empty_and_has_its_columns(empty: Lake) -> None:
    assert empty.query("SELECT count(*) AS n FROM feedback") == [["0"]]
    assert empty.query("SELECT label, count(*) AS n FROM feedback GROUP BY label") == []
    rows, columns = empty.described("SELECT * FROM feedback")
    assert rows == []
    assert [name for name, _ in columns] == [*(name for name, _ in FEEDBACK), "dt"]


def test_a_declared_table_has_exactly_its_columns_whatever_the_files_hold(lake: Lake) -> None:
    rows, columns = lake.described("SELECT * FROM feedback ORDER BY feedback_id")
    assert columns[3:7] == [
        ("rating", "integer"),
        ("sentiment", "integer"),
        ("label", "varchar"),
        ("confidence", "double"),
    ]
    assert rows[0] == ["f1", "bad", None, "1", "-1", "negative", "0.9", None, "2024-01-02"]
    assert rows[2] == ["f3", "fine", None, None, "1", "positive", None, None, "2024-01-03"]
    status, _ = lake.started("SELECT more FROM feedback")
    assert status["State"] == "FAILED"


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("SELECT label, count(*) AS n FROM feedback GROUP BY label ORDER BY label",
         [["negative", "1"], ["positive", "1"], ["unsure", "1"]]),
        ("SELECT feedback_id FROM feedback WHERE dt >= '2024-01-03'", [["f3"]]),
        ("SELECT count(*) FROM feedback WHERE sentiment IS NULL", [["1"]]),
        ("SELECT ingest_date, count(*) AS n, avg(rating) AS a FROM reviews GROUP BY 1 ORDER BY 1",
         [["2024-01-01", "2", "3.0"], ["2024-01-02", "1", "3.0"]]),
        ("SELECT r.rating, f.label FROM reviews r JOIN feedback f ON r.text = f.text ORDER BY 1",
         [["1", "negative"], ["5", "positive"]]),
        ("SELECT text, 1 AS n FROM reviews WHERE rating = 3 UNION ALL SELECT text, 2 FROM feedback WHERE rating = 1",
         [["meh", "1"], ["bad", "2"]]),
        ("SELECT title FROM reviews WHERE review_id = '1'", [[None]]),
        ("WITH low AS (SELECT * FROM reviews WHERE rating < 4) SELECT count(*) FROM low", [["2"]]),
        ("SELECT approx_percentile(rating, 0.5), approx_distinct(text), count_if(rating > 2) FROM reviews",
         [["3", "3", "2"]]),
        ("SELECT date_format(date_parse('2024-05-06 07:08:09', '%Y-%m-%d %H:%i:%s'), '%H:%i')", [["07:08"]]),
        ("SELECT date_diff('day', date '2024-01-01', from_iso8601_date('2024-01-05')), day_of_week(date '2024-01-01')",
         [["4", "1"]]),
        ("SELECT to_unixtime(date_add('hour', 2, from_iso8601_timestamp('1970-01-01T00:00:00Z')))", [["7200.0"]]),
        ("SELECT json_extract_scalar('{\"a\": \"b\"}', '$.a'), element_at(array[4, 5], 2), cardinality(array[1, 2])",
         [["b", "5", "2"]]),
        ("SELECT max_by(text, rating), bool_or(regexp_like(text, '^b')) FROM reviews", [["fine", "true"]]),
        ("SHOW TABLES", [["feedback"], ["reviews"]]),
        ("SHOW PARTITIONS reviews", [["ingest_date=2024-01-01"], ["ingest_date=2024-01-02"]]),
    ],
)  # fmt: skip
def test_a_query_answers_as_on_athena(lake: Lake, sql: str, rows: Rows) -> None:
    assert lake.query(sql) == rows


def test_the_catalog_s_own_names_qualify_tables_and_columns(lake: Lake) -> None:
    name = lake.name
    assert lake.query(f'SELECT count(*) FROM "{name}"."reviews"') == [["3"]]
    assert lake.query(f"SELECT {name}.reviews.text FROM {name}.reviews WHERE rating = 5") == [["fine"]]


def test_an_expression_without_a_name_is_numbered(lake: Lake) -> None:
    _, columns = lake.described("SELECT count(*), max(rating) AS most, 1 + 1 FROM reviews")
    assert [name for name, _ in columns] == ["_col0", "most", "_col2"]


def test_a_table_is_described(lake: Lake) -> None:
    assert lake.query("DESCRIBE reviews")[:2] == [["review_id", "string", ""], ["text", "string", ""]]
    assert lake.query("DESCRIBE reviews")[-1] == ["ingest_date", "string", ""]
    status, _ = lake.started("DESCRIBE nothing")
    assert "TABLE_NOT_FOUND" in status["StateChangeReason"]


def test_new_folders_are_registered_by_a_repair(aws: LocalAws) -> None:
    made = Lake(aws)
    made.put("raw/reviews/ingest_date=2024-02-01/a.parquet", parquet([{"review_id": "9"}]))
    assert len(made.query("MSCK REPAIR TABLE reviews")) == 1
    assert ("2024-02-01",) in made.partitions("reviews")
    assert made.query("MSCK REPAIR TABLE reviews") == []
    assert made.query("SELECT text FROM reviews WHERE ingest_date = '2024-02-01'") == [[None]]


def test_the_result_is_a_file_where_the_query_says(lake: Lake) -> None:
    status, identity = lake.started("SELECT text, rating FROM reviews WHERE rating > 4")
    assert status["State"] == "SUCCEEDED"
    found = lake.aws.client("athena").get_query_execution(QueryExecutionId=identity)["QueryExecution"]
    place = found["ResultConfiguration"]["OutputLocation"]
    assert place == f"s3://{lake.name}/athena/{identity}.csv"
    written = lake.aws.client("s3").get_object(Bucket=lake.name, Key=f"athena/{identity}.csv")["Body"].read()
    assert written.decode().splitlines() == ["text,rating", "fine,5"]


def test_a_wrong_query_fails_with_a_reason(lake: Lake) -> None:
    status, _ = lake.started("SELECT nothing FROM reviews")
    assert status["State"] == "FAILED"
    assert "nothing" in status["StateChangeReason"]
