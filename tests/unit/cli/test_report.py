"""Fetching a run's reports from the lake, and the page that leads to each of them."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import report as report_command
from cli.app import app
from cli.report import fetch, runs_with_reports
from tests.unit.cli.fakes import FakeS3, comparison, connection

RUNS = ("20260301-100000", "20260302-100000")
NAMES = [
    "features.html",
    "comparison/comparison.html",
    "bias/bias.html",
    "bias/explanations.html",
    "bias/pretraining/report.html",
]


@pytest.fixture
def s3() -> FakeS3:
    objects = {
        f"curated/features/{RUNS[1]}/features.html": b"<h1>data</h1>",
        f"curated/features/{RUNS[1]}/train/part.parquet": b"rows",
        f"reports/{RUNS[1]}/comparison/comparison.json": json.dumps(comparison()).encode(),
        "reports/cases/1.json": b"{}",
        f"reports/{RUNS[0]}/evaluation/bert/evaluation.json": b"{}",
    }
    return FakeS3(objects | {f"reports/{RUNS[1]}/{name}": name.encode() for name in NAMES[1:]})


@pytest.fixture
def opened(s3: FakeS3, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Addresses that the browser was given."""
    found: list[str] = []
    monkeypatch.setenv("EARSHOT_HOME", str(tmp_path))
    monkeypatch.setattr(report_command, "connect", lambda _: connection({"s3": s3}))
    monkeypatch.setattr("webbrowser.open", found.append)
    return found


def test_runs_are_listed_latest_first_and_nothing_else_is_taken_for_one(s3: FakeS3) -> None:
    assert runs_with_reports(connection({"s3": s3})) == [RUNS[1], RUNS[0]]


def test_the_latest_run_is_fetched_into_a_folder_with_a_page_that_leads_to_all(
    opened: list[str], tmp_path: Path
) -> None:
    result = CliRunner().invoke(app, ["report", "--stage", "dev", "--json"])
    assert result.exit_code == 0, result.stderr
    told = json.loads(result.stdout)
    folder = tmp_path / "reports" / "dev" / RUNS[1]
    assert told == {"run": RUNS[1], "index": str(folder / "index.html"), "reports": NAMES, "opened": False}
    index = (folder / "index.html").read_text(encoding="utf-8")
    places = [index.index(f'href="{name}"') for name in NAMES]
    assert places == sorted(places), "in the order of reading"
    assert "The champion is tuned." in index
    assert (folder / "features.html").read_bytes() == b"<h1>data</h1>"
    assert opened == [], "nobody sits before a pipe"


def test_the_browser_is_opened_where_it_is_asked_for(opened: list[str], tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["report", RUNS[1], "--open", "--output", str(tmp_path / "here")])
    assert result.exit_code == 0, result.stderr
    assert opened == [(tmp_path / "here" / "index.html").as_uri()]
    assert f"The reports of run {RUNS[1]} are at {tmp_path / 'here' / 'index.html'}" in result.stdout


def test_runs_are_listed_with_their_champions(opened: list[str]) -> None:
    rows = json.loads(CliRunner().invoke(app, ["report", "--list", "--json"]).stdout)
    assert rows[0] == {
        "run": RUNS[1],
        "champion": "tuned",
        "macro_f1": 0.71,
        "candidates": ["tfidf", "bert", "tuned", "autopilot"],
    }
    assert rows[1] == {"run": RUNS[0], "champion": None, "macro_f1": None, "candidates": []}


def test_an_unknown_run_is_refused(opened: list[str]) -> None:
    result = CliRunner().invoke(app, ["report", "20990101-000000"])
    assert result.exit_code == 2
    assert "`earshot report --list` shows which there are" in result.stderr


def test_an_empty_lake_says_what_makes_a_report(opened: list[str], s3: FakeS3) -> None:
    s3.objects.clear()
    result = CliRunner().invoke(app, ["report"])
    assert result.exit_code == 2
    assert "train a model with `earshot train`" in result.stderr


def test_names_in_the_lake_neither_leave_the_folder_nor_become_markup(s3: FakeS3, tmp_path: Path) -> None:
    s3.objects[f"reports/{RUNS[1]}/../../escape.html"] = b"out"
    s3.objects[f"reports/{RUNS[1]}/bias/<b>.html"] = b"in"
    folder = tmp_path / "a" / "b"
    assert "bias/<b>.html" in fetch(connection({"s3": s3}), RUNS[1], folder)
    assert not (tmp_path / "escape.html").exists()
    assert "<b>" not in (folder / "index.html").read_text(encoding="utf-8")
