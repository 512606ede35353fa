"""Posts a JSON document to a webhook over https. It does not know what the document says, nor who reads it.

Standard library only: urllib verifies certificates, follows no redirect here, and speaks to no address but https.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from http.client import HTTPException, HTTPMessage
from typing import IO, Any, Final
from urllib.parse import urlsplit

DELIVERY_HEADER: Final = "webhook-id"
"""Names the delivery, as the Standard Webhooks say, so that a receiver can drop one that comes twice."""

_SECONDS: Final = 5.0


class NotTakenError(RuntimeError):
    """The webhook did not take the document; ``status`` is its answer's, None where there was none."""

    def __init__(self, status: int | None) -> None:
        super().__init__("The webhook did not take the alert.")
        self.status = status


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """An address that is a secret is not to be sent elsewhere."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        return None


Open = Callable[..., Any]
"""urllib's ``open``."""


class Webhook:
    """Posts documents."""

    def __init__(self, *, open_: Open | None = None) -> None:
        self._open = open_ or urllib.request.build_opener(_NoRedirects).open

    def post(self, address: str, document: Mapping[str, Any], *, delivery: str) -> None:
        """Post; NotTakenError unless the answer is 2xx."""
        if urlsplit(address).scheme != "https" or not urlsplit(address).hostname:
            raise NotTakenError(None)
        request = urllib.request.Request(  # noqa: S310 - https, as checked
            address,
            data=json.dumps(document).encode("utf-8"),
            headers={"content-type": "application/json", DELIVERY_HEADER: _header(delivery)},
            method="POST",
        )
        try:
            with self._open(request, timeout=_SECONDS) as answer:
                if not 200 <= answer.status < 300:
                    raise NotTakenError(answer.status)
        except urllib.error.HTTPError as error:
            error.close()
            raise NotTakenError(error.code) from None  # its message may quote the address
        except (OSError, HTTPException, ValueError):
            raise NotTakenError(None) from None


def _header(delivery: str) -> str:
    """A header holds visible ASCII."""
    return "".join(character if "!" <= character <= "~" else "_" for character in delivery)
