"""What a feed says, as documents with the id that the feed itself gives them: RSS 2.0, RSS 1.0, Atom and JSON Feed.

    https://www.rssboard.org/rss-specification · RFC 4287 · https://www.jsonfeed.org/version/1.1/

What stands in a feed's HTML is cleaned of it, since that is how feeds carry text and not what somebody said. It does
not know how a feed is fetched, nor which of its entries were seen before.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from feedback.strict_json import BrokenJsonError, parse
from feedback.text import clean
from lambdas.channels.mapping import ITEM_FIELDS, ITEM_METADATA, Places, Table, UnusableEventError, dig, read_items
from lambdas.channels.puller.source import Entry
from lambdas.channels.puller.xml import BrokenXmlError, Element, read_xml

ENTRIES_LIMIT: Final = 5_000

_JSON_PLACES: Final = ("items", "reviews", "mentions", "results", "data", "")
_JSON_FIELDS: Final[Places] = {
    **ITEM_FIELDS,
    "text": ("content_text", "content_html", *ITEM_FIELDS["text"], "summary"),
    "title": ("title",),
    "rating": ("rating", "_rating", "stars"),
}
_JSON_METADATA: Final[Places] = {**ITEM_METADATA, "published_at": ("date_published", *ITEM_METADATA["published_at"])}


class BrokenFeedError(ValueError):
    """What was fetched is no feed; the message is one sentence and quotes nothing of it."""


@dataclass(frozen=True, kw_only=True)
class Feed:
    """The entries in the order of the feed, and where the older ones are."""

    entries: Sequence[Entry]
    next_url: str | None = None


def read_xml_feed(body: bytes, fields: Places) -> Feed:
    """An RSS or Atom feed; BrokenFeedError otherwise."""
    try:
        root = read_xml(body)
    except BrokenXmlError as error:
        raise BrokenFeedError(f"The feed cannot be read. {error}") from error
    channel = next(iter(root.all("channel")), root)
    items = root.all("entry") or channel.all("item") or root.all("item")
    if root.name not in ("rss", "RDF", "feed") or len(items) > ENTRIES_LIMIT:
        raise BrokenFeedError("It is no RSS or Atom feed, or too long.")
    return Feed(entries=[_xml_entry(item) for item in items], next_url=_link(root, "next") or _link(channel, "next"))


def read_json_feed(body: bytes, fields: Places) -> Feed:
    """A JSON Feed, or any JSON that holds a list of items; ``fields`` says where the items have theirs."""
    try:
        document = parse(body.decode("utf-8-sig"))
        items = read_items(document, _JSON_PLACES)
    except (UnicodeDecodeError, BrokenJsonError, UnusableEventError) as error:
        raise BrokenFeedError("It is no JSON with a list of items.") from error
    if len(items) > ENTRIES_LIMIT:
        raise BrokenFeedError("It is too long.")
    table = Table(items=("",), fields=_JSON_FIELDS, metadata=_JSON_METADATA).with_fields(fields)
    next_url = dig(document, "next_url")
    return Feed(
        entries=[_json_entry(item, table) for item in items],
        next_url=next_url if isinstance(next_url, str) and next_url else None,
    )


def _xml_entry(item: Element) -> Entry:
    title = clean(item.first("title") or "")
    content = clean(item.first("encoded", "content", "description", "summary") or "")
    url = _link(item, "alternate") or item.first("link") or ""
    facts = {
        "text": content or title,
        "title": title if content else None,
        "rating": _number(item.first("rating")),
        "id": item.first("guid", "id") or url,
        "url": url,
        "published_at": item.first("published", "pubDate", "date", "updated"),
    }
    return _json_entry({name: value for name, value in facts.items() if value}, Table(items=("",)))


def _json_entry(item: Mapping[str, Any], table: Table) -> Entry:
    # Without an id of its own, an entry is what it says.
    id_ = table.reference(item) or hashlib.sha256(json.dumps(item, sort_keys=True).encode("utf-8")).hexdigest()
    try:
        (document,) = table.read(item)
    except UnusableEventError:
        return Entry(id=id_, document=None)
    text = "\n\n".join(filter(None, map(clean, document["text"].split("\n\n"))))
    return Entry(id=id_, document={**document, "text": text} if text else None)


def _link(element: Element, relation: str) -> str | None:
    """The address of an Atom link."""
    links = element.all("link")
    return next((link.attributes["href"] for link in links if _is_link(link, relation)), None)


def _is_link(link: Element, relation: str) -> bool:
    return bool(link.attributes.get("href")) and link.attributes.get("rel", "alternate") == relation


def _number(text: str | None) -> float | None:
    """A rating; the mapping leaves out what is none."""
    try:
        return float(text) if text else None
    except ValueError:
        return None
