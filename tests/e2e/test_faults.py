"""Processes die in the middle of the way: nothing that was accepted is lost, and no alert comes twice.

But for one window: a sender that dies after the inbox took an alert and before it marked that sends it again, see
docs/decisions/0016. A sender is in that window with one alert at a time, so that their number bounds the doubles.
"""

import json
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from cli.api import FeedbackApi
from cli.connection import connect
from cli.errors import Problem
from tests.e2e.product import ROOT, Product, wait_until

pytestmark = pytest.mark.usefixtures("told")

NEGATIVE = "Terrible quality, it broke after one day, I want my money back. Number {}"
FEEDBACK = 30
SENDERS = 5  # as many of the notify function as run at once
ALARMING = json.loads((ROOT / "feedback" / "alerting" / "local_policy.json").read_text())["negative_probability"]


def send_all(prefix: str, accepted: list[str]) -> None:
    """Sends FEEDBACK texts and notes the ids that were accepted; a refused or broken call promises nothing."""
    api = FeedbackApi(connect("local"))
    for number in range(FEEDBACK):
        feedback = {"id": f"{prefix}-{number}", "channel": "web", "text": NEGATIVE.format(number)}
        try:
            answer = api.call("POST", "/v1/feedback", feedback)
        except Problem:  # refused or cut off while the local AWS is harmed
            continue
        if answer.status in (200, 202):
            accepted.append(feedback["id"])


def accepted_while(product: Product, prefix: str, harm: Callable[[], object]) -> list[str]:
    """Sends feedback while `harm` is done in the middle; the accepted ids."""
    accepted: list[str] = []
    thread = threading.Thread(target=send_all, args=(prefix, accepted))
    thread.start()
    wait_until(lambda: len(accepted) >= FEEDBACK // 4 or not thread.is_alive(), "some were sent")
    harm()
    thread.join()
    return accepted


def is_done(entry: dict[str, Any]) -> bool:
    """Decided; and where the model is sure enough that it is negative, the alert went out."""
    if entry["state"] != "CLASSIFIED":
        return bool(entry["state"] == "UNSURE")
    is_alarming = float(entry["probabilities"]["negative"]) >= ALARMING
    return entry["sentiment"] != -1 or not is_alarming or entry.get("alert", {}).get("state") == "SENT"


def assert_decided_and_alerted_once(
    product: Product, prefix: str, accepted: list[str], *, killed_senders: int = 0
) -> None:
    """All accepted feedback ends decided; the inbox holds one alert for each entry that says so, and no other."""

    def is_settled() -> bool:
        ledger = product.ledger(prefix)
        return all(feedback_id in ledger and is_done(ledger[feedback_id]) for feedback_id in accepted)

    wait_until(is_settled, f"all {len(accepted)} accepted are decided", timeout_seconds=300)
    arrived = Counter(alert["feedback_id"] for alert in product.json("alerts"))
    ledger = product.ledger(prefix)
    told = {feedback_id for feedback_id in ledger if arrived[feedback_id]}
    assert told == {feedback_id for feedback_id, entry in ledger.items() if "alert" in entry}
    assert sum(arrived[feedback_id] - 1 for feedback_id in told) <= killed_senders


def test_killed_functions_lose_nothing(product: Product) -> None:
    accepted = accepted_while(product, "e2e-functions", lambda: product.kill("lambda "))
    assert accepted
    assert_decided_and_alerted_once(product, "e2e-functions", accepted, killed_senders=SENDERS)


def test_a_killed_container_loses_nothing_and_comes_back(product: Product) -> None:
    accepted = accepted_while(product, "e2e-container", lambda: product.kill("endpoint "))
    assert len(accepted) == FEEDBACK, "a sick model must not make the API refuse"
    assert_decided_and_alerted_once(product, "e2e-container", accepted)
    api = FeedbackApi(connect("local"))
    wait_until(
        lambda: api.send({"channel": "web", "text": "Lovely dress, fits perfectly"}).status == 200,
        "the model answers at once again",
    )


def test_a_restarted_local_aws_still_knows_everything(product: Product) -> None:
    def restart() -> None:
        product.run("down")
        product.run("up")

    accepted = accepted_while(product, "e2e-restart", restart)
    assert accepted
    assert_decided_and_alerted_once(product, "e2e-restart", accepted, killed_senders=SENDERS)
    assert product.json("status")["endpoint"]["release"] != "starter"
