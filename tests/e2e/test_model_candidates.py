"""One run with every candidate: trained, searched, tuned, compared on the same rows, and refused by the gate.

BERT learns here from so few rows that the gate must say no; what is released stays what it was.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.product import Product

ALL = "baselines,blazingtext,autopilot,bert,tuned"
HARDLY_TRAINED = ("max-train-rows=96", "epochs=1", "freeze-layers=6")


@pytest.fixture(scope="module")
def refused(told: dict[str, Any], product: Product) -> str:
    """What the command says on its standard error."""
    assert told["model"]["evaluation"]["macro_f1"] > 0.4
    chosen = [word for pair in HARDLY_TRAINED for word in ("-H", pair)]
    return product.complaint("train", "--candidates", ALL, "--max-rows", "1500", *chosen, expect=1, timeout=580)


@pytest.fixture(scope="module")
def compared(refused: str, product: Product) -> dict[str, Any]:
    """The comparison of that run, from the lake."""
    lake, s3 = product.output("data-lake", "LakeBucket"), product.client("s3")
    found = s3.get_paginator("list_objects_v2").paginate(Bucket=lake, Prefix="reports/")
    keys = [entry["Key"] for page in found for entry in page["Contents"]]
    latest = max(key for key in keys if key.endswith("/comparison/comparison.json"))
    document: dict[str, Any] = json.load(s3.get_object(Bucket=lake, Key=latest)["Body"])
    return document


def test_every_candidate_answers_the_same_test_rows(compared: dict[str, Any]) -> None:
    status = {one["name"]: one["status"] for one in compared["candidates"]}
    assert status == dict.fromkeys(("majority", "tfidf", "blazingtext", "autopilot", "bert", "tuned"), "scored")
    assert {one["metrics"]["rows"] for one in compared["candidates"]} == {compared["test_rows"]}


def test_the_champion_is_held_against_the_model_that_is_served(told: dict[str, Any], compared: dict[str, Any]) -> None:
    against = compared["against_current"]
    assert against["model_version"] == told["model"]["evaluation"]["model_version"]


def test_the_gate_says_which_rule_refused_and_nothing_is_registered(refused: str, product: Product) -> None:
    assert "minimum-macro-f1: macro-F1 is 0." in refused
    group = product.output("training", "ModelPackageGroup")
    listed = product.client("sagemaker").list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"]
    assert len(listed) == 1


def test_the_reports_of_a_run_open_from_the_command_line(
    compared: dict[str, Any], product: Product, tmp_path: Path
) -> None:
    product.run("report", compared["run"], "--no-open", "--output", str(tmp_path))
    pages = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.html")}
    assert {
        "index.html",
        "features.html",
        "comparison/comparison.html",
        "bias/bias.html",
        "bias/explanations.html",
        "bias/pretraining/report.html",
        "bias/posttraining/report.html",
    } <= pages
