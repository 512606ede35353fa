"""Decides what becomes of a mail: a feedback, a mail that no customer wrote, or one that is refused with its reason.

No mail is ever answered, so that no two programs can write to each other through here. It does not know SQS, S3's
notices or how feedback is accepted.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from lambdas.aws.lake import Stream
from lambdas.channels import pseudonym
from lambdas.channels.batch import UnusableObjectError
from lambdas.channels.delivery import Delivery, settle
from lambdas.channels.drop import Dropped
from lambdas.channels.email import headers as said
from lambdas.channels.email.mail import SIZE_LIMIT_BYTES, Mail, UnreadableMailError, read_mail
from lambdas.channels.email.replies import bare_subject, forwarded_words, own_words
from lambdas.telemetry import log

_TEXT_LIMIT: Final = 10_000
_SOURCE_LIMIT: Final = 500
_SETUP_NOTICE: Final = "AMAZON_SES_SETUP_NOTIFICATION"
"""The mail that SES itself writes when a receipt rule is made."""


class Opening(Protocol):
    """What is used of the drop bucket."""

    def open(self, dropped: Dropped) -> Stream:
        """The content; ObjectGoneError."""


class RefusedMailError(Exception):
    """A mail that can be read and is no feedback; ``reason`` quotes nothing of it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class EmailChannel:
    """The use case with its collaborators."""

    bucket: Opening
    delivery: Delivery
    refuses_unverified: bool

    def take(self, dropped: Dropped) -> Mapping[str, int]:
        """Take in one mail; what became of it, by metric. UnusableObjectError where it is no mail at all."""
        if dropped.key.endswith(_SETUP_NOTICE):
            return {"Ignored": 1}
        raw = self.bucket.open(dropped).read(SIZE_LIMIT_BYTES)
        try:
            mail = read_mail(raw)
        except UnreadableMailError as error:
            raise UnusableObjectError(error.reason) from error
        if (machine := said.machine(mail.headers, report=mail.report)) is not None:
            return {machine.value: 1}
        try:
            document = self._document(mail, dropped)
        except RefusedMailError as error:
            return _refused(dropped, error.reason)
        receipt = settle(self.delivery.deliver([document]))
        if receipt.refused:
            return _refused(dropped, receipt.refused[0])
        return {"Accepted": receipt.accepted, "Replayed": receipt.repeated}

    def _document(self, mail: Mail, dropped: Dropped) -> dict[str, Any]:
        sender = said.verdict(mail.headers)
        if said.is_infected(mail.headers):
            raise RefusedMailError("A virus was found in it.")
        if said.is_spam(mail.headers):
            raise RefusedMailError("It is spam.")
        if sender is said.Sender.FALSE and self.refuses_unverified:
            raise RefusedMailError("Its sender is proven false.")
        product, subject = said.product(mail.headers, mail.header("subject"))
        text = _text(mail, subject)
        address = said.sender_address(mail.headers)
        document: dict[str, Any] = {
            "id": _id(mail, address, text),
            "channel": "email",
            "text": text[:_TEXT_LIMIT],
            "metadata": {"source": dropped.key[:_SOURCE_LIMIT], "sender": sender.value}
            | ({"attachments": str(mail.attachments)} if mail.attachments else {})
            | ({"cut": "true"} if len(text) > _TEXT_LIMIT else {}),
        }
        if product:
            document["product_id"] = product
        if address and sender is not said.Sender.FALSE:  # nothing is put down to somebody who did not write it
            document["customer_ref"] = pseudonym.of_address(address)
        return document


def _text(mail: Mail, subject: str) -> str:
    """Subject and own words; the subject of a reply is not the customer's."""
    title, is_reply, is_forward = bare_subject(subject)
    words = own_words(mail.text) or (forwarded_words(mail.text) if is_forward else "")
    if not words and (is_reply or not title):
        if mail.is_sealed:
            raise RefusedMailError("It is encrypted.")
        if mail.has_outlooks_own:
            raise RefusedMailError("Its text is in Outlook's own format only.")
        raise RefusedMailError("It holds no words of its sender.")
    return "\n\n".join(part for part in ("" if is_reply else title, words) if part).replace("\x00", "")


def _id(mail: Mail, address: str, text: str) -> str:
    """The same for the same mail however often it is delivered; another for another mail with a borrowed Message-ID."""
    parts = (mail.header("message-id"), address.lower(), mail.header("date"), text)
    return "email-" + hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()[:40]


def _refused(dropped: Dropped, reason: str) -> Mapping[str, int]:
    log("WARNING", "A mail was refused.", reason=reason, object=dropped.identity)
    return {"Refused": 1}
