"""Reading the registry, comparing, approving."""

import json

import pytest
from typer.testing import CliRunner

from cli import models_commands
from cli.app import app
from cli.connection import AwsConnection
from cli.errors import BadInput
from cli.models import find_package, packages, run_of
from tests.unit.cli.fakes import FakeRegistry, FakeS3, FakeSsm, FakeStates, comparison, connection, evaluation


@pytest.fixture
def registry() -> FakeRegistry:
    registry = FakeRegistry()
    registry.add("run-1")
    registry.add("run-2", status="PendingManualApproval")
    return registry


@pytest.fixture
def aws(registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch) -> AwsConnection:
    s3 = FakeS3(
        {
            "reports/run-1/evaluation/evaluation.json": json.dumps(evaluation(0.6)).encode(),
            "reports/run-2/evaluation/evaluation.json": json.dumps(evaluation(0.75)).encode(),
            "reports/run-2/comparison/comparison.json": json.dumps(comparison()).encode(),
        }
    )
    ssm = FakeSsm("s3://artifacts/models/run-1/")
    found = connection({"sagemaker": registry, "s3": s3, "ssm": ssm, "stepfunctions": FakeStates()})
    monkeypatch.setattr(models_commands, "connect", lambda _: found)
    return found


def test_packages_come_newest_first_with_their_metrics_and_what_is_served(aws: AwsConnection) -> None:
    newest, oldest = packages(aws)
    assert (newest.version, newest.run, newest.released, newest.evaluation["macro_f1"]) == (2, "run-2", False, 0.75)
    assert (oldest.version, oldest.released, len(oldest.artifacts)) == (1, True, 3)


@pytest.mark.parametrize(("name", "version"), [("latest", 2), ("released", 1), ("1", 1), ("run-2", 2)])
def test_a_package_is_found_by_any_of_its_names(aws: AwsConnection, name: str, version: int) -> None:
    found = find_package(aws, name)
    assert found.version == version
    assert find_package(aws, found.arn) == found


def test_an_unknown_package_is_refused_with_the_known_versions(aws: AwsConnection) -> None:
    with pytest.raises(BadInput, match=r"There is no model package '9': give a version \(2, 1\)"):
        find_package(aws, "9")


def test_a_package_whose_report_is_gone_is_still_listed(aws: AwsConnection, registry: FakeRegistry) -> None:
    registry.add("run-3")
    assert packages(aws)[0].evaluation == {}


@pytest.mark.parametrize(
    ("address", "run"), [("s3://b/models/20260101-1/", "20260101-1"), ("starter", None), ("s3://b/models/", None)]
)
def test_the_run_is_read_from_an_address(address: str, run: str | None) -> None:
    assert run_of(address) == run


def test_list_prints_json_alone_on_stdout(aws: AwsConnection) -> None:
    result = CliRunner().invoke(app, ["models", "list", "--stage", "dev", "--json"])
    assert result.exit_code == 0
    assert [package["version"] for package in json.loads(result.stdout)] == [2, 1]


def test_compare_says_whether_the_test_rows_are_the_same(aws: AwsConnection) -> None:
    result = CliRunner().invoke(app, ["models", "compare", "--stage", "dev"])
    assert result.exit_code == 0
    assert "+0.150" in result.stdout
    assert "same test rows" in result.stdout


def test_approving_changes_the_registry_and_nothing_else(aws: AwsConnection, registry: FakeRegistry) -> None:
    result = CliRunner().invoke(app, ["models", "approve", "2", "--no-wait", "--stage", "dev", "--json"])
    assert result.exit_code == 0
    assert json.loads(result.stdout)["status"] == "Approved"
    assert registry.packages[1]["ModelApprovalStatus"] == "Approved"


def test_a_model_is_shown_with_the_candidates_that_it_was_better_than(
    aws: AwsConnection, registry: FakeRegistry
) -> None:
    registry.packages[1]["CustomerMetadataProperties"] = {"run": "run-2", "candidate": "tuned"}
    shown = CliRunner().invoke(app, ["models", "show", "2", "--stage", "dev"]).stdout
    assert "Version 2: tuned of run run-2, PendingManualApproval, not served." in shown
    best, *others = [line for line in shown.splitlines() if line.strip().startswith(("tuned", "bert", "tfidf"))]
    assert best.split()[:5] == ["tuned", "*", "0.710", "0.690", "to"]
    assert [line.split()[0] for line in others] == ["bert", "tfidf"]
    assert "autopilot was not scored: The step SearchModels of autopilot failed: no rows" in shown
    assert "Against the approved model m-1 on 1900 rows that both know: macro-F1 +0.020" in shown
    assert "what a customer wrote" not in shown


def test_a_model_from_before_there_were_candidates_is_shown_without(aws: AwsConnection) -> None:
    shown = CliRunner().invoke(app, ["models", "show", "1", "--stage", "dev"]).stdout
    assert "Version 1: run run-1, Approved, served." in shown
    assert "compared no candidates" in shown
    document = json.loads(CliRunner().invoke(app, ["models", "show", "--json", "--stage", "dev"]).stdout)
    assert document["comparison"]["champion"] == "tuned"
    assert "worst_mistakes" not in document["comparison"], "texts of customers stay in the lake"
