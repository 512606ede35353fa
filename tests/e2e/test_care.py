"""What people do about feedback: an alert taken care of, an answer corrected, a product watched, a customer gone."""

import json
from typing import Any

import pytest

from cli.api import FeedbackApi
from cli.connection import connect
from tests.e2e.product import Product, wait_until

CUSTOMER = "customer-4711"
MAIL = "jane.doe@example.com"
ANGRY = "Terrible quality, the zip broke after one day and nobody answers. Awful, I want my money back."

pytestmark = pytest.mark.usefixtures("told")


@pytest.fixture(scope="module")
def api(product: Product) -> FeedbackApi:
    return FeedbackApi(connect("local"))


@pytest.fixture(scope="module")
def complaint(api: FeedbackApi, product: Product) -> str:
    """The id of a negative feedback with a mail address in it, whose alert has arrived."""
    id_ = "care-complaint"
    feedback = {
        "id": id_,
        "channel": "web",
        "text": f"{ANGRY} Write to {MAIL}.",
        "product_id": "P-CARE",
        "customer_ref": CUSTOMER,
    }
    api.send(feedback)
    wait_until(lambda: bool(alerts_about(product, id_)), "the complaint's alert has arrived")
    return id_


def alerts_about(product: Product, id_: str) -> list[dict[str, Any]]:
    return [alert for alert in product.json("alerts") if alert["feedback_id"] == id_]


def test_personal_data_is_in_neither_ledger_nor_alert(complaint: str, product: Product) -> None:
    (item,) = product.ledger(complaint).values()
    (alert,) = alerts_about(product, complaint)
    assert MAIL not in str(item) + str(alert)
    assert "[email]" in item["event"]["text"]
    originals = product.client("dynamodb").scan(TableName=product.output("intake", "Originals"))["Items"]
    assert [item["feedback_id"]["S"] for item in originals if MAIL in str(item)] == [complaint]


def test_an_alert_is_acknowledged(complaint: str, product: Product) -> None:
    product.run("alerts", "acknowledge", complaint, "--by", "ann")
    (item,) = product.ledger(complaint).values()
    assert item["alert"]["state"] == "ACKNOWLEDGED"
    assert item["alert"]["by"] == "ann"


def test_a_product_s_feedback_is_counted_once(complaint: str, product: Product) -> None:
    def counted() -> list[dict[str, Any]]:
        return [row for row in product.json("trends") if row["product"] == "P-CARE"]

    wait_until(lambda: bool(counted()), "the complaint is counted")
    (row,) = counted()
    assert [row[label] for label in ("negative", "neutral", "positive", "unsure")] == [1, 0, 0, 0]


def test_a_correction_wins_and_becomes_a_row_to_train_on(complaint: str, product: Product) -> None:
    product.run("review", "correct", complaint, "neutral", "--by", "ann")
    (item,) = product.ledger(complaint).values()
    assert item["state"] == "CORRECTED"
    assert item["correction"]["sentiment"] == 0
    s3, lake = product.client("s3"), product.output("data-lake", "LakeBucket")

    def rows() -> str:
        found = s3.list_objects_v2(Bucket=lake, Prefix="raw/corrections/").get("Contents", [])
        return "".join(s3.get_object(Bucket=lake, Key=each["Key"])["Body"].read().decode() for each in found)

    wait_until(lambda: complaint in rows(), "the correction lies among the reviews")


def test_feedback_whose_stars_contradict_its_words_waits_until_a_person_has_decided(
    api: FeedbackApi, product: Product
) -> None:
    id_ = "care-contradicted"
    api.send({"id": id_, "channel": "web", "text": "Lovely dress, it fits perfectly and I love it.", "rating": 1})

    def waits() -> bool:
        return id_ in {row["id"] for row in product.json("review", "list", "--limit", "100")}

    wait_until(waits, "it waits for a review")
    product.run("review", "correct", id_, "positive", "--by", "ann")
    wait_until(lambda: not waits(), "it waits no more")


def test_a_safety_complaint_opens_a_case_by_itself(api: FeedbackApi, product: Product) -> None:
    """By the local policy's own rule: over the bus to the example target, which writes the case into the lake."""
    text = f"{ANGRY} It caught fire on my desk, there was smoke everywhere."
    api.send({"id": "care-fire", "channel": "chat", "text": text, "product_id": "P-FIRE"})
    lake, s3 = product.output("data-lake", "LakeBucket"), product.client("s3")

    def cases() -> list[dict[str, Any]]:
        found = s3.list_objects_v2(Bucket=lake, Prefix="reports/cases/").get("Contents", [])
        bodies = (s3.get_object(Bucket=lake, Key=each["Key"])["Body"].read() for each in found)
        return [case for case in map(json.loads, bodies) if "care-fire" in json.dumps(case)]

    wait_until(lambda: bool(cases()), "the case is open")
    (case,) = cases()
    assert (case["event"], case["status"]) == ("SupportCaseWanted", "open")


def test_all_products_are_looked_at_for_spikes(complaint: str, product: Product) -> None:
    """With the role that the schedule gives it, and without waiting a quarter of an hour for the schedule."""
    functions = product.client("lambda").list_functions()["Functions"]
    (spikes,) = (each["FunctionName"] for each in functions if "SpikesFunction" in each["FunctionName"])
    answer = product.client("lambda").invoke(FunctionName=spikes, Payload=b"{}")
    assert "FunctionError" not in answer, answer["Payload"].read()


def test_the_api_describes_itself(api: FeedbackApi) -> None:
    described = api.call("GET", "/v1/openapi.json", None).body
    assert "/v1/feedback" in described["paths"]


def test_a_customer_is_forgotten_everywhere(complaint: str, product: Product) -> None:
    receipt = product.json("forget", CUSTOMER, "--yes")
    assert product.ledger(complaint) == {}
    assert CUSTOMER not in str(receipt)
    s3, lake = product.client("s3"), product.output("data-lake", "LakeBucket")
    versions = s3.get_paginator("list_object_versions").paginate(Bucket=lake)
    for version in (version for page in versions for version in page.get("Versions", [])):
        if version["Key"].startswith(("feedback/", "raw/corrections/", "capture/", "athena/")):
            body = s3.get_object(Bucket=lake, Key=version["Key"], VersionId=version["VersionId"])["Body"].read()
            assert complaint.encode() not in body, version["Key"]
    for table in ("Originals", "Desk"):
        items = product.client("dynamodb").scan(TableName=product.output("intake", table))["Items"]
        assert complaint not in str(items)
    assert product.json("forget", CUSTOMER, "--yes")["receipt"]  # again, with nothing left to do
