"""The kinds of sources that push, and how each one's events become feedback documents.

A new kind is a mapper here and a golden event beside its tests. It does not know who sent an event or whether it was
signed.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from lambdas.channels.mapping import (
    ITEM_METADATA,
    METADATA_LIMIT,
    Document,
    Places,
    Table,
    UnusableEventError,
    dig,
    read_items,
)

Mapper = Callable[[object, Places], list[Document]]
"""An event, and the places that its source has for fields, to documents: none where the event is no feedback,
UnusableEventError where it is broken."""

_REVIEW: Final = Table(
    items=("data.reviews", "data.review", "data", "reviews", "review", ""),
    metadata={**ITEM_METADATA, "site": ("site", "source")},
)
_MENTION: Final = Table(
    items=("data.mentions", "data.mention", "data", "mentions", "mention", ""),
    metadata={**ITEM_METADATA, "network": ("network", "platform", "source")},
)
_MESSAGE: Final = Table(
    items=("",),
    fields={"text": ("event.text",), "customer_ref": ("event.user",)},
    metadata={"reference": ("event_id",), "room": ("event.channel",), "published_at": ("event.ts",)},
)
_SLACK_MARKUP: Final = re.compile(r"<([@#!])?([^<>|\s]*)(?:\|([^<>]*))?>")


def read_feedback(event: object, fields: Places) -> list[Document]:
    """Documents of Earshot's own shape, bare or in an envelope of ``type`` and ``data``, one or a list of ``items``."""
    documents = []
    for item in read_items(event, ("data.items", "items", "data", "")):
        document: Document = dict(item)
        reference = document.pop("id", None)
        metadata = document.get("metadata", {})
        if isinstance(reference, str) and isinstance(metadata, Mapping):
            document["metadata"] = {**metadata, "reference": reference[:METADATA_LIMIT]}
        documents.append(document)
    return documents


def read_chat(event: object, fields: Places) -> list[Document]:
    """A message that a person wrote, as Slack's Events API tells it. Edits, joins and what bots say are no feedback.

    https://docs.slack.dev/reference/events/message
    """
    message = dig(event, "event")
    if not isinstance(message, Mapping):
        raise UnusableEventError("The event holds no message.")
    if message.get("type") != "message" or message.get("subtype") or message.get("bot_id"):
        return []
    (document,) = _MESSAGE.with_fields(fields).read(event)
    return [{**document, "text": _without_markup(document["text"])}]


def read_review(event: object, fields: Places) -> list[Document]:
    """One review of a partner's site, or several."""
    return _REVIEW.with_fields(fields).read(event)


def read_mention(event: object, fields: Places) -> list[Document]:
    """What a social listening service found, one mention or several."""
    return _MENTION.with_fields(fields).read(event)


MAPPERS: Final[Mapping[str, Mapper]] = {
    "feedback": read_feedback,
    "chat": read_chat,
    "review": read_review,
    "mention": read_mention,
}
CHANNELS: Final[Mapping[str, str]] = {"feedback": "partner", "chat": "chat", "review": "partner", "mention": "social"}
"""The channel that each kind's feedback came over, where neither the event nor the source says another."""


def _without_markup(text: str) -> str:
    """A message as people read it: names for references, plain addresses, and the three escaped characters back."""
    plain = _SLACK_MARKUP.sub(lambda match: match[3] or (f"{match[1]}someone" if match[1] else match[2]), text)
    return plain.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
