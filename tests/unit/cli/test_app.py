"""The command as a whole: exit codes, one line on stderr, JSON alone on stdout."""

import json
import socket
from pathlib import Path

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError
from typer.testing import CliRunner

from cli import ingest as ingest_command
from cli import local_aws
from cli.app import app
from cli.connection import connect, explained
from cli.errors import NotReady
from cli.project import Project
from tests.unit.cli.fakes import FakeS3, connection

run = CliRunner()


@pytest.fixture(autouse=True)
def nothing_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A port where nobody listens, and a home of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("EARSHOT_PORT", str(free.getsockname()[1]))
    monkeypatch.setenv("EARSHOT_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("EARSHOT_STAGE", raising=False)


@pytest.fixture
def reviews(tmp_path: Path) -> Path:
    path = tmp_path / "reviews.csv"
    path.write_text("text,rating\nso soft,5\n,3\n", encoding="utf-8")
    return path


def test_every_verb_is_there() -> None:
    shown = run.invoke(app, ["--help"]).stdout
    for verb in (
        "up", "down", "status", "ingest", "train", "models", "evaluate", "send", "query", "alerts", "logs", "destroy",
        "doctor", "demo",
    ):  # fmt: skip
        assert f"\n  {verb} " in shown


@pytest.mark.parametrize(
    "arguments", [["status"], ["query", "SELECT 1"], ["send", "hello"], ["alerts"], ["models", "list"]]
)
def test_without_a_local_aws_every_verb_says_how_to_start_it(arguments: list[str]) -> None:
    result = run.invoke(app, arguments)
    assert result.exit_code == 3
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert "`earshot up`" in result.stderr


def test_down_without_anything_running_is_no_error() -> None:
    result = run.invoke(app, ["down"])
    assert result.exit_code == 0
    assert "was not running" in result.stdout


def test_an_unknown_stage_is_refused() -> None:
    result = run.invoke(app, ["status", "--stage", "staging"])
    assert result.exit_code == 2
    assert result.stderr == "earshot: There is no stage 'staging': choose one of local, dev, prod.\n"


def test_a_port_that_is_no_number_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EARSHOT_PORT", "http")
    result = run.invoke(app, ["status"])
    assert result.exit_code == 2
    assert "EARSHOT_PORT is 'http'" in result.stderr


def test_a_port_of_another_program_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_aws, "ANSWER_SECONDS", 0.1)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", Project.from_env().port))
        taken.listen()
        result = run.invoke(app, ["up"])
    assert result.exit_code == 3
    assert "is in use by another program: stop that, or set EARSHOT_PORT to a free port." in result.stderr


def test_a_file_with_bad_rows_loads_nothing_and_exits_2(reviews: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    s3 = FakeS3()
    monkeypatch.setattr(ingest_command, "connect", lambda _: connection({"s3": s3}))
    result = run.invoke(app, ["ingest", str(reviews)])
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "1 of 2 rows cannot be used, nothing was loaded" in result.stderr
    assert "row 3: the text is empty" in result.stderr
    assert s3.objects == {}


def test_bad_rows_are_left_out_and_counted_when_asked(reviews: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    s3 = FakeS3()
    monkeypatch.setattr(ingest_command, "connect", lambda _: connection({"s3": s3}))
    for new in (True, False):
        result = run.invoke(app, ["ingest", str(reviews), "--skip-bad", "--json"])
        assert result.exit_code == 0
        report = json.loads(result.stdout)
        assert (report["rows"], report["skipped"], report["new"]) == (1, 1, new)
    assert len(s3.objects) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["send"],
        ["send", "text", "--batch", "file"],
        ["logs", "--follow", "--json"],
        ["train", "-H", "epochs", "--no-wait"],
    ],
)
def test_options_that_do_not_go_together_are_refused(arguments: list[str]) -> None:
    result = run.invoke(app, arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith("earshot: ")


def test_the_demo_is_not_for_production() -> None:
    result = run.invoke(app, ["demo", "--stage", "prod"])
    assert result.exit_code == 2
    assert "use local" in result.stderr


def test_destroying_asks_first_and_wiping_is_local_only() -> None:
    assert run.invoke(app, ["destroy", "--wipe", "--stage", "dev"]).exit_code == 2
    refused = run.invoke(app, ["destroy", "--wipe"], input="n\n")
    assert refused.exit_code == 1
    assert "Nothing was destroyed." in refused.stderr


def test_doctor_prints_json_and_says_by_exit_code_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    result = run.invoke(app, ["doctor", "--json"])
    report = json.loads(result.stdout)
    assert result.exit_code == 3
    assert not report["ok"]
    assert {"what": "Node", "outcome": "missing", "finding": "install Node 20 or newer"} in report["checks"]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (NoCredentialsError(), "No AWS credentials were found"),
        (EndpointConnectionError(endpoint_url="http://127.0.0.1:1"), "start it with `earshot up`"),
        (EndpointConnectionError(endpoint_url="https://s3.example"), "check the network and the region"),
        (ClientError({"Error": {"Code": "ExpiredToken"}}, "GetObject"), "sign in again"),
        (ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetObject"), "GetObject was refused"),
    ],
)
def test_errors_of_aws_become_sentences(error: Exception, sentence: str) -> None:
    problem = explained(error)
    assert problem is not None
    assert sentence in problem.message


def test_an_error_of_our_own_is_not_explained_away() -> None:
    assert explained(ValueError("a defect")) is None


def test_an_output_that_is_not_there_says_what_to_run() -> None:
    aws = connection(outputs={"training": {}})
    with pytest.raises(NotReady, match="has no output ModelPipeline: bring it up to date with `make deploy STAGE=dev`"):
        aws.output("training", "ModelPipeline")


def test_the_local_stage_takes_its_address_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EARSHOT_PORT", "4999")
    monkeypatch.setenv("AWS_PROFILE", "somebody")
    assert connect("local").endpoint_url == "http://127.0.0.1:4999"
    assert connect("dev").endpoint_url is None
