import time

import pytest

from lambdas.channels.webhook_gate import handler
from tests.unit.lambdas.fakes import FakeContext

METHOD = "arn:aws:execute-api:us-east-1:000000000000:abc/live/POST/v1/webhooks/acme"
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def ask(headers):
    return handler.handle({"type": "REQUEST", "methodArn": METHOD, "headers": headers}, FakeContext())


def signed(**changes):
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(int(time.time())), "webhook-signature": SIGNATURE}
    return {**headers, **{name.replace("_", "-"): value for name, value in changes.items()}}


def test_a_timely_signature_may_pass_to_this_one_method():
    (statement,) = ask(signed())["policyDocument"]["Statement"]
    assert statement == {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": METHOD}


def test_slacks_signature_may_pass():
    headers = {"X-Slack-Signature": "v0=" + "a" * 64, "X-Slack-Request-Timestamp": str(int(time.time()))}
    assert ask(headers)["principalId"] == "webhook"


@pytest.mark.parametrize(
    "headers",
    [
        None,
        {},
        {"authorization": "Bearer x"},
        signed(webhook_id=""),
        signed(webhook_signature="v1,garbled"),
        signed(webhook_timestamp="yesterday"),
        signed(webhook_timestamp=str(int(time.time()) - 4000)),
        signed(webhook_timestamp=str(int(time.time()) + 4000)),
    ],
)
def test_anything_else_is_told_the_one_word_that_becomes_401(headers, capsys):
    with pytest.raises(RuntimeError, match=r"^Unauthorized$"):
        ask(headers)
    assert '"Refused": 1' in capsys.readouterr().out
