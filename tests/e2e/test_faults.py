"""Processes die in the middle of the way: nothing that was accepted is lost, and no alert comes twice."""

import threading
from collections import Counter
from typing import Any

import pytest

from cli.api import Answer, FeedbackApi
from cli.connection import AwsConnection
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
        except Exception:  # noqa: BLE001, S112 - the local AWS is being killed: any failure is a refusal
            continue
        if answer.status in (200, 202):
            accepted.append(feedback_id)


def settle(product: Product, prefix: str, accepted: list[str]) -> dict[str, dict[str, Any]]:
    """Waits until everything accepted is decided, and told about where it is negative."""

    def is_settled() -> bool:
        ledger = product.ledger(prefix)
        return all(
            feedback_id in ledger
            and ledger[feedback_id]["state"] in ("CLASSIFIED", "UNSURE")
            and (ledger[feedback_id].get("sentiment") != -1 or "alert" not in ledger[feedback_id] or ledger[feedback_id]["alert"]["state"] == "SENT")
            for feedback_id in accepted
        )

    wait_until(is_settled, f"all {len(accepted)} accepted are decided", timeout_seconds=180)
    return product.ledger(prefix)


def alerts_of(product: Product, prefix: str) -> Counter[str]:
    arrived = (alert["feedback_id"] for alert in product.json("alerts"))
    return Counter(feedback_id for feedback_id in arrived if feedback_id.startswith(prefix))


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
    accepted = during(product, "e2e-functions", lambda: product.kill("lambda"))
    assert accepted
    ledger = settle(product, "e2e-functions", accepted)
    assert set(accepted) <= set(ledger)
    assert set(alerts_of(product, "e2e-functions").values()) <= {1}


def test_a_killed_container_loses_nothing_and_comes_back(product: Product) -> None:
    accepted = during(product, "e2e-container", lambda: product.kill("container"))
    assert len(accepted) == FEEDBACK, "a sick model must not make the API refuse"
    settle(product, "e2e-container", accepted)
    assert set(alerts_of(product, "e2e-container").values()) <= {1}
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
    settle(product, "e2e-restart", accepted)
    assert set(alerts_of(product, "e2e-restart").values()) <= {1}
    assert not product.json("status")["endpoint"]["release"].startswith("starter")
