"""`earshot channels`: addresses, and files dropped by hand."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from moto import mock_aws
from typer.testing import CliRunner

from cli import channels as commands
from cli.app import app
from cli.channel_drops import Looking, drop, feedback_ids, result_of_file
from cli.errors import BadInput, Problem
from cli.parquet_rows import as_json_lines, is_parquet
from tests.unit.cli.fakes import OUTPUTS, connection

GOLDEN = Path(__file__).parents[2] / "golden"
DEPLOYED = OUTPUTS | {
    "intake": OUTPUTS["intake"] | {"DropBucket": "drop"},
    "channels": {"Sources": "/earshot/dev/sources"},
}


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setattr(commands, "connect", lambda _: connection(outputs=DEPLOYED))
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket="drop")
        yield


def run(*arguments: str, exit_code: int = 0) -> str:
    answer = CliRunner().invoke(app, ["channels", *arguments])
    assert answer.exit_code == exit_code, answer.output
    return answer.stdout


def test_the_channels_are_listed_with_their_addresses() -> None:
    found = json.loads(run("--json"))
    assert {"channel": "files", "address": "s3://drop/files/"}.items() <= found[-2].items()
    assert "s3://drop/email/" in run()


@pytest.mark.parametrize(
    ("name", "arguments", "key"),
    [
        ("a.eml", ["--channel", "email"], "email/a.eml"),
        ("a b+c.csv", ["--channel", "files"], "files/a b+c.csv"),
        ("a.mp3", ["--channel", "calls"], "calls/audio/a.mp3"),
        ("a.mp3", ["--channel", "calls", "--product", "P-1"], "calls/audio/P-1/a.mp3"),
        ("a.JSON", ["--channel", "calls"], "calls/transcripts/a.JSON"),
    ],
)
def test_a_file_goes_where_its_channel_looks(tmp_path: Path, name: str, arguments: list[str], key: str) -> None:
    (tmp_path / name).write_bytes(b"content")
    assert json.loads(run("drop", str(tmp_path / name), *arguments, "--json"))["key"] == key
    assert boto3.client("s3").get_object(Bucket="drop", Key=key)["Body"].read() == b"content"


@pytest.mark.parametrize(
    "arguments",
    [
        ["missing.csv", "--channel", "files"],
        [str(GOLDEN), "--channel", "files"],
        [str(GOLDEN / "files/reviews.csv"), "--channel", "letters"],
        [str(GOLDEN / "files/reviews.csv"), "--channel", "files", "--product", "P-1"],
        [str(GOLDEN / "files/reviews.csv"), "--channel", "calls", "--product", "../P-1"],
    ],
)
def test_wrong_input_is_refused(arguments: list[str]) -> None:
    run("drop", *arguments, exit_code=2)


def test_parquet_is_sent_as_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"Review Text": ["Good.", "Bad."], "Stars": [5, None]}), path)
    outcome = json.loads(run("drop", str(path), "--channel", "files", "--json"))
    assert outcome["key"] == "files/a.parquet.jsonl.gz"
    content = boto3.client("s3").get_object(Bucket="drop", Key=outcome["key"])["Body"].read()
    rows = [json.loads(line) for line in gzip.decompress(content).splitlines()]
    assert rows == [{"Review Text": "Good.", "Stars": 5}, {"Review Text": "Bad.", "Stars": None}]


def test_broken_parquet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(b"PAR1 and nothing more")
    assert is_parquet(path.read_bytes())
    with pytest.raises(BadInput):
        as_json_lines(path)


def test_only_the_result_of_this_version_is_taken_for_the_answer() -> None:
    s3 = boto3.client("s3")
    s3.put_bucket_versioning(Bucket="drop", VersioningConfiguration={"Status": "Enabled"})
    dropped = drop(s3, bucket="drop", key="files/a.csv", content=b"text\na")
    looking = Looking(s3=s3, deadline=0.0)
    with pytest.raises(Problem):
        result_of_file(dropped, looking)
    s3.put_object(Bucket="drop", Key="results/files/a.csv.json", Body=json.dumps({"version_id": "old"}))
    with pytest.raises(Problem):
        result_of_file(dropped, looking)
    result = {"version_id": dropped.version_id, "rows": 1}
    s3.put_object(Bucket="drop", Key="results/files/a.csv.json", Body=json.dumps(result))
    assert result_of_file(dropped, looking) == result


@pytest.mark.parametrize(
    ("channel", "name", "count"),
    [
        ("email", "gmail_en.eml", 1),
        ("email", "bounce.eml", 0),
        ("email", "infected.eml", 0),
        ("calls", "plain.json", 1),
    ],
)
def test_the_id_of_what_was_dropped_is_known_beforehand(channel: str, name: str, count: int) -> None:
    content = (GOLDEN / channel / name).read_bytes()
    key = f"email/{name}" if channel == "email" else f"calls/transcripts/{name}"
    dropped = drop(boto3.client("s3"), bucket="drop", key=key, content=content)
    assert len(feedback_ids(dropped, content, channel=channel)) == count


def test_what_cannot_be_read_is_said_at_once() -> None:
    dropped = drop(boto3.client("s3"), bucket="drop", key="email/a", content=b"\x00")
    with pytest.raises(Problem):
        feedback_ids(dropped, b"\x00", channel="email")
