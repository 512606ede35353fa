"""Scoring the lake again with the released model: a batch transform job gives what the endpoint gave."""

import json
from typing import Any

import pytest

from tests.e2e.product import Product, wait_until

TEXTS = [f"{text}, order {number}" for number in range(4) for text in ("It broke at once", "Just a shirt", "I love it")]


def lines(product: Product, prefix: str) -> list[dict[str, Any]]:
    """All JSON lines of the lake below the prefix."""
    s3, bucket = product.client("s3"), product.output("data-lake", "LakeBucket")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    keys = sorted(entry["Key"] for page in pages for entry in page.get("Contents", []))
    bodies = [s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys]
    return [json.loads(line) for body in bodies for line in body.splitlines()]


@pytest.fixture(scope="module")
def archived(told: dict[str, Any], product: Product) -> dict[str, str]:
    """The label that the endpoint gave each of some texts, by id, once they are in the lake."""
    for number, text in enumerate(TEXTS):
        product.run("send", text, "--id", f"rescored-{number}")

    def in_lake() -> dict[str, str]:
        rows = lines(product, "feedback/")
        return {row["feedback_id"]: row["label"] for row in rows if row["feedback_id"].startswith("rescored-")}

    wait_until(lambda: len(in_lake()) == len(TEXTS), "the lake holds what was sent")
    return in_lake()


def test_the_released_model_gives_every_text_the_label_that_the_endpoint_gave(
    archived: dict[str, str], product: Product
) -> None:
    ledger = product.ledger("rescored-")
    served = product.json("status")["endpoint"]["release"]

    report = product.json("rescore", "--limit", "200")

    answers = lines(product, f"rescore/{report['job']}/output/")
    ids = [answer["id"] for answer in answers]
    assert len(ids) == len(set(ids)) == report["texts"] >= len(TEXTS)
    assert {answer["id"]: answer["label"] for answer in answers if answer["id"] in archived} == archived
    assert report["refused"] == 0
    assert f"/{report['version']}" in report["model_package_arn"]
    assert product.ledger("rescored-") == ledger
    assert product.json("status")["endpoint"]["release"] == served


@pytest.mark.usefixtures("archived")
def test_no_model_is_left_behind_and_a_second_run_has_a_folder_of_its_own(product: Product) -> None:
    sagemaker = product.client("sagemaker")
    before = {model["ModelName"] for model in sagemaker.list_models()["Models"]}

    first, second = product.json("rescore", "--limit", "2"), product.json("rescore", "latest", "--limit", "2")

    assert first["results"] != second["results"]
    assert {model["ModelName"] for model in sagemaker.list_models()["Models"]} == before
    for report in (first, second):
        job = sagemaker.describe_transform_job(TransformJobName=report["job"])
        assert job["TransformJobStatus"] == "Completed"


@pytest.mark.usefixtures("archived")
def test_a_model_that_does_not_exist_starts_no_job(product: Product) -> None:
    assert "There is no model package '999'" in product.complaint("rescore", "999", expect=2)
