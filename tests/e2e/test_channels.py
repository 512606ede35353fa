"""Every entrance but the API's own, from the outside to a sentiment in the ledger, and for one of them to its alert."""

import base64
import hashlib
import hmac
import json
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from cli.connection import connect
from cli.up import api_url
from tests.e2e.product import ROOT, Product, wait_until

GOLDEN = ROOT / "tests" / "golden"
KEY = b"a shared key of 24 bytes"
SOURCE = "acme-reviews"
LATE_SECONDS = 900

pytestmark = pytest.mark.usefixtures("told")


def dropped(product: Product, file: Path, channel: str, *more: str) -> dict[str, Any]:
    """What became of a file that was put where the channel looks."""
    found: dict[str, Any] = product.json("channels", "drop", str(file), "--channel", channel, *more, "--follow")
    return found


@pytest.mark.parametrize(("channel", "file"), [("email", "outlook_en.eml"), ("calls", "contact_lens.json")])
def test_what_is_dropped_twice_is_decided_once(product: Product, channel: str, file: str) -> None:
    ids = []
    for _ in range(2):
        (feedback,) = dropped(product, GOLDEN / channel / file, channel)["feedback"]
        assert feedback["state"] in ("CLASSIFIED", "UNSURE")
        ids.append(feedback["id"])
    assert ids[0] == ids[1]


def test_a_recording_is_transcribed_and_what_the_customer_said_is_decided(product: Product, tmp_path: Path) -> None:
    recording = tmp_path / "call.mp3"
    recording.write_bytes(b"ID3" + bytes(1000))
    (feedback,) = dropped(product, recording, "calls", "--product", "P-1")["feedback"]
    assert feedback["state"] in ("CLASSIFIED", "UNSURE")


def test_a_file_is_taken_row_by_row(product: Product) -> None:
    result = dropped(product, GOLDEN / "files" / "reviews.csv.gz", "files")["result"]
    assert (result["rows"], result["accepted"] + result["repeated"], result["refused"]) == (6, 4, 2)


@pytest.fixture(scope="module")
def partner(product: Product) -> str:
    """A source of webhooks that knows the key."""
    settings = {"kind": "review", "secrets": ["whsec_" + base64.b64encode(KEY).decode()]}
    product.client("secretsmanager").create_secret(
        Name=f"earshot/local/webhooks/{SOURCE}", SecretString=json.dumps(settings)
    )
    return SOURCE


def push(source: str, body: bytes, *, id_: str, key: bytes = KEY, late: int = 0, is_signed: bool = True) -> int:
    """One webhook as a partner sends it; the status of the answer."""
    moment = str(int(time.time()) - late)
    digest = hmac.new(key, f"{id_}.{moment}.".encode() + body, hashlib.sha256).digest()
    headers = {"Content-Type": "application/json"}
    if is_signed:
        signature = "v1," + base64.b64encode(digest).decode()
        headers |= {"webhook-id": id_, "webhook-timestamp": moment, "webhook-signature": signature}
    request = urllib.request.Request(f"{api_url(connect('local'))}/v1/webhooks/{source}", body, headers)
    try:
        with urllib.request.urlopen(request, timeout=35) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_a_signed_review_of_a_partner_is_classified_once_and_its_alert_comes_once(
    partner: str, product: Product
) -> None:
    text = "Terrible quality, it fell apart after one day and support ignored me. Really awful."
    body = json.dumps({"data": {"sku": "P-9", "text": text, "rating": 1}}).encode()
    assert push(partner, body, id_="msg_e2e_1") == 202
    assert push(partner, body, id_="msg_e2e_1") == 202  # the sender did not hear us
    id_ = "wh-" + hashlib.sha256(f"{partner}\nmsg_e2e_1".encode()).hexdigest()[:32]
    wait_until(lambda: product.ledger("wh-").get(id_, {}).get("state") == "CLASSIFIED", "the review is classified")
    (item,) = product.ledger("wh-").values()
    assert item["event"]["channel"] == "partner"
    assert item["label"] == "negative"
    wait_until(
        lambda: [alert["feedback_id"] for alert in product.json("alerts")].count(id_) == 1, "its alert arrives once"
    )


@pytest.mark.parametrize(
    "changes",
    [{"is_signed": False}, {"key": b"x" * 24}, {"late": LATE_SECONDS}],
    ids=["unsigned", "another key", "late"],
)
def test_a_stranger_is_answered_401(partner: str, product: Product, changes: dict[str, Any]) -> None:
    before = len(product.ledger("wh-"))
    assert push(partner, b'{"data": {"text": "x"}}', id_="msg_e2e_2", **changes) == 401
    assert push("nobody", b"{}", id_="msg_e2e_2") == 401
    assert len(product.ledger("wh-")) == before


def test_the_puller_runs_with_its_own_role(product: Product) -> None:
    """It reads its list and its cursors, and tells of the one source that no loopback may be: the guard holds."""
    parameter, ssm = product.output("channels", "Sources"), product.client("ssm")
    sources = [{"name": "loopback", "kind": "feed", "url": "https://localhost/feed"}]
    ssm.put_parameter(
        Name=parameter, Value=json.dumps({"version": 1, "sources": sources}), Type="String", Overwrite=True
    )
    try:
        functions = product.client("lambda").list_functions()["Functions"]
        (puller,) = (each["FunctionName"] for each in functions if "Puller" in each["FunctionName"])
        answer = product.client("lambda").invoke(FunctionName=puller, Payload=b"{}")
        assert "FunctionError" not in answer, answer["Payload"].read()
    finally:
        ssm.put_parameter(Name=parameter, Value='{"version": 1, "sources": []}', Type="String", Overwrite=True)
