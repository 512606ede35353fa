import io
import urllib.error
from contextlib import contextmanager
from email.message import Message

import pytest

from lambdas.aws.webhook import NotTakenError, Webhook

ADDRESS = "https://hooks.example/services/T0/B0/secret"


class Opened:
    """Stands in for urllib's open: answers with a status, or raises."""

    def __init__(self, status=200, failure=None):
        self.status = status
        self.failure = failure
        self.requests = []

    @contextmanager
    def __call__(self, request, *, timeout):
        assert timeout <= 10
        self.requests.append(request)
        if self.failure is not None:
            raise self.failure
        yield self


def test_a_document_is_posted_as_json_under_the_deliverys_name():
    opened = Opened()
    Webhook(open_=opened).post(ADDRESS, {"text": "Zu eng"}, delivery="order 1.chat.first")
    (request,) = opened.requests
    assert (request.full_url, request.method, request.data) == (ADDRESS, "POST", b'{"text": "Zu eng"}')
    assert request.get_header("Webhook-id") == "order_1.chat.first"


@pytest.mark.parametrize("address", ["http://hooks.example/x", "file:///etc/passwd", "https://", "", "ftp://x/y"])
def test_only_https_is_spoken(address):
    opened = Opened()
    with pytest.raises(NotTakenError):
        Webhook(open_=opened).post(address, {}, delivery="d")
    assert opened.requests == []


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (urllib.error.HTTPError(ADDRESS, 503, "secret", Message(), io.BytesIO()), 503),
        (urllib.error.HTTPError(ADDRESS, 302, "elsewhere", Message(), io.BytesIO()), 302),
        (urllib.error.URLError("refused"), None),
        (TimeoutError(), None),
        (ConnectionResetError(), None),
    ],
)
def test_a_refusal_names_its_status_and_never_the_address(failure, status):
    with pytest.raises(NotTakenError) as refused:
        Webhook(open_=Opened(failure=failure)).post(ADDRESS, {}, delivery="d")
    assert refused.value.status == status
    assert "hooks.example" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_an_answer_that_is_no_success_is_a_refusal():
    with pytest.raises(NotTakenError):
        Webhook(open_=Opened(status=304)).post(ADDRESS, {}, delivery="d")


def test_no_redirect_is_followed(monkeypatch):
    handlers = Webhook()._open.__self__.handlers
    redirecting = [handler for handler in handlers if hasattr(handler, "redirect_request")]
    assert [
        handler.redirect_request(None, None, 302, "", Message(), "https://evil.example") for handler in redirecting
    ] == [None]
