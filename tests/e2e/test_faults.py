"""Processes die in the middle of the way: nothing that was accepted is lost, and no alert comes twice."""

import threading
from collections import Counter
from typing import Any

import pytest

from cli.api import Answer, FeedbackApi
from cli.connection import AwsConnection
from cli.errors import Problem
from stacks.settings import LOCAL
from tests.e2e.product import Product, wait_until

pytestmark = pytest.mark.usefixtures("told")

NEGATIVE = "Terrible quality, it broke after one day, I want my money back. Number {}"
FEEDBACK = 30


def sender(product: Product) -> FeedbackApi:
    return FeedbackApi(_Connection(product))


class _Connection(AwsConnection):
    """The command line's own connection, with the address given and not read from the environment."""

    def __init__(self, product: Product) -> None:
        super().__init__(stage="local", endpoint_url=product.endpoint_url)
        self.product = product


def send_all(api: FeedbackApi, prefix: str, accepted: list[str]) -> None:
    """Sends FEEDBACK texts and notes the ids that were accepted; a refused or broken call promises nothing."""
    for number in range(FEEDBACK):
        feedback_id = f"{prefix}-{number}"
        try:
            answer: Answer = api.call(
                "POST", "/v1/feedback", {"id": feedback_id, "channel": "web", "text": NEGATIVE.format(number)}
            )
        except Exception:
            continue
        if answer.status in (200, 202):
            accepted.append(feedback_id)


def settle(product: Product, prefix: str, accepted: list[str]) -> dict[str, dict[str, Any]]:
    """Waits until everything accepted is decided, and told about where it is surely negative."""

    def is_settled() -> bool:
        ledger = product.ledger(prefix)
        return all(
            feedback_id in ledger
            and ledger[feedback_id]["state"] in ("CLASSIFIED", "UNSURE")
            and (
                ledger[feedback_id].get("sentiment") != -1
                or "alert" not in ledger[feedback_id]
                or ledger[feedback_id]["alert"]["state"] == "SENT"
            )
            for feedback_id in accepted
        )

    wait_until(is_settled, f"all {len(accepted)} accepted are decided", timeout_seconds=180)
    return product.ledger(prefix)


def is_done(entry: dict[str, Any]) -> bool:
    """Decided; and where the model is sure enough that it is negative, the alert went out."""
    if entry["state"] != "CLASSIFIED":
        return bool(entry["state"] == "UNSURE")
    is_alarming = float(entry["probabilities"]["negative"]) >= LOCAL.intake.alert_threshold
    return entry["sentiment"] != -1 or not is_alarming or entry.get("alert", {}).get("state") == "SENT"


def assert_alerted_once(product: Product, ledger: dict[str, dict[str, Any]]) -> None:
    """The inbox holds exactly one alert for each entry that says that one was sent, and none for the others."""
    arrived = Counter(alert["feedback_id"] for alert in product.json("alerts"))
    assert {feedback_id: arrived[feedback_id] for feedback_id in ledger} == {
        feedback_id: int("alert" in entry) for feedback_id, entry in ledger.items()
    }


def during(product: Product, prefix: str, harm: Any) -> list[str]:
    """Sends feedback while `harm` is done in the middle; the accepted ids."""
    accepted: list[str] = []
    thread = threading.Thread(target=send_all, args=(sender(product), prefix, accepted))
    thread.start()
    wait_until(lambda: len(accepted) >= FEEDBACK // 4 or not thread.is_alive(), "some were sent")
    harm()
    thread.join()
    return accepted


def test_killed_functions_lose_nothing(product: Product) -> None:
    accepted = during(product, "e2e-functions", lambda: product.kill("lambda "))
    assert accepted
    assert_alerted_once(product, settle(product, "e2e-functions", accepted))


def test_a_killed_container_loses_nothing_and_comes_back(product: Product) -> None:
    accepted = during(product, "e2e-container", lambda: product.kill("endpoint "))
    assert len(accepted) == FEEDBACK, "a sick model must not make the API refuse"
    assert_alerted_once(product, settle(product, "e2e-container", accepted))
    wait_until(
        lambda: sender(product).send({"channel": "web", "text": "Lovely dress, fits perfectly"}).status == 200,
        "the model answers at once again",
    )


def test_a_restarted_local_aws_still_knows_everything(product: Product) -> None:
    def restart() -> None:
        product.run("down")
        product.run("up")

    accepted = during(product, "e2e-restart", restart)
    assert accepted
    assert_alerted_once(product, settle(product, "e2e-restart", accepted))
    assert not product.json("status")["endpoint"]["release"].startswith("starter")
