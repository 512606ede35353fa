"""From a CSV of reviews to an alert that arrives: what the demo claims, asked again from the services themselves."""

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from cli.project import STACKS
from tests.e2e.product import ROOT, Product, wait_until

NAMES = [f"earshot-local-{stack}" for stack in STACKS]


def test_every_stack_is_deployed(told: dict[str, Any]) -> None:
    assert [stack["name"] for stack in told["stacks"]] == NAMES
    assert {stack["status"] for stack in told["stacks"]} <= {"CREATE_COMPLETE", "UPDATE_COMPLETE"}


def test_all_reviews_are_in_the_table_that_the_crawler_made(told: dict[str, Any], product: Product) -> None:
    counted = product.json("query", "SELECT count(*) AS reviews FROM reviews")
    assert int(counted[0]["reviews"]) == told["rows"] > 1000
    columns = {column["name"]: column["type"] for column in told["table"]}
    assert columns["text"] == "string"
    assert columns["rating"] == "bigint"
    assert "ingest_date" in columns


def test_the_released_model_is_the_approved_package_and_beats_guessing(told: dict[str, Any], product: Product) -> None:
    group = product.output("training", "ModelPackageGroup")
    packages = product.client("sagemaker").list_model_packages(
        ModelPackageGroupName=group, ModelApprovalStatus="Approved"
    )["ModelPackageSummaryList"]
    assert len(packages) == 1
    release = product.json("status")["endpoint"]["release"]
    assert release.startswith("s3://")
    assert release != "starter"
    assert told["model"]["evaluation"]["macro_f1"] > 0.4  # always saying "positive" scores below 0.3


def test_each_sentiment_is_answered_by_the_released_model(told: dict[str, Any]) -> None:
    assert {answer["sentiment"] for answer in told["answers"]} == {-1, 0, 1}
    assert not any(answer["model_version"].startswith("starter-") for answer in told["answers"])


def test_the_alert_says_what_was_said_and_came_once(told: dict[str, Any], product: Product) -> None:
    negative = next(answer for answer in told["answers"] if answer["sentiment"] == -1)
    assert negative["text"][:40] in told["alert"]["text"]
    assert negative["id"] in told["alert"]["text"]
    arrived = [alert["feedback_id"] for alert in product.json("alerts")]
    assert arrived.count(negative["id"]) == 1
    assert not {answer["id"] for answer in told["answers"] if answer["sentiment"] != -1} & set(arrived)


def test_athena_counts_reviews_and_classified_feedback(told: dict[str, Any]) -> None:
    counts = {(row["source"], row["sentiment"]): int(row["texts"]) for row in told["lake"]}
    assert {counts["feedback today", label] for label in ("negative", "neutral", "positive")} == {1}
    assert sum(count for (source, _), count in counts.items() if source == "reviews") == told["rows"]


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize("saved", sorted((ROOT / "stacks/queries").glob("*.sql")), ids=lambda path: path.stem)
def test_every_saved_query_runs(saved: Path, product: Product) -> None:
    assert isinstance(json.loads(product.run("query", "--json", "--", saved.read_text())), list)


def test_telling_the_demo_again_trains_and_loads_nothing_anew(
    told: dict[str, Any], product: Product, reviews: Path
) -> None:
    again = product.json("demo", "--reviews", str(reviews))
    assert again["trained"] is False
    assert again["rows"] == told["rows"]
    assert int(product.json("query", "SELECT count(*) AS reviews FROM reviews")[0]["reviews"]) == told["rows"]
    assert again["model"]["evaluation"] == told["model"]["evaluation"]


def test_nothing_differs_after_a_deploy(told: dict[str, Any], product: Product) -> None:
    done = subprocess.run(
        [
            ROOT / "node_modules/.bin/cdk",
            "diff",
            "local/*",
            "--app",
            str(product.home / "cdk.out" / "local"),
            "--fail",
            "--no-color",
            "--no-notices",
        ],
        cwd=ROOT,
        env={**product.client_environment, "CDK_DEFAULT_ACCOUNT": "000000000000", "CDK_DEFAULT_REGION": "us-east-1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Number of stacks with differences: 0" in done.stdout + done.stderr


def test_the_aws_command_line_is_a_client_like_any_other(told: dict[str, Any], product: Product) -> None:
    done = subprocess.run(
        [ROOT / ".venv/bin/aws", "sagemaker", "list-endpoints", "--output", "json"],
        env=product.client_environment,
        capture_output=True,
        text=True,
        check=True,
    )
    (endpoint,) = json.loads(done.stdout)["Endpoints"]
    assert endpoint["EndpointStatus"] == "InService"


def test_the_same_feedback_sent_twice_is_one_feedback(told: dict[str, Any], product: Product) -> None:
    send = ("send", "Terrible quality, it broke after one day and nobody answers", "--id", "e2e-twice")
    first, second = product.json(*send), product.json(*send)
    assert first == second
    refused = product.run("send", "Quite another text", "--id", "e2e-twice", expect=2)
    assert refused == ""
    assert len(product.ledger("e2e-twice")) == 1


def test_bad_feedback_is_refused_with_a_problem_and_leaves_no_trace(told: dict[str, Any], product: Product) -> None:
    before = len(product.ledger(""))
    for arguments in (("send", "   "), ("send", "x" * 10_001), ("send", "fine", "--channel", "smoke signals")):
        assert product.run(*arguments, expect=2) == ""
    assert len(product.ledger("")) == before


def test_the_model_is_measured_on_a_labelled_file(told: dict[str, Any], product: Product, reviews: Path) -> None:
    measured = product.json("evaluate", "--reviews", str(reviews))
    assert measured["rows"] > 2000
    assert measured["macro_f1"] > 0.4
    assert set(measured["per_class"]) == {"negative", "neutral", "positive"}


@pytest.mark.usefixtures("told")
def test_what_the_local_aws_weighs_is_within_its_limit(product: Product) -> None:
    time.sleep(5)
    assert product.json("status")["local"]["rss_bytes"] < 2.2 * 1024**3


@pytest.mark.usefixtures("told")
def test_captured_requests_lie_in_the_lake(product: Product) -> None:
    lake = product.output("data-lake", "LakeBucket")
    s3 = product.client("s3")
    wait_until(
        lambda: s3.list_objects_v2(Bucket=lake, Prefix="capture/").get("KeyCount", 0) > 0, "captured requests are there"
    )
