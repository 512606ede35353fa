"""A feed as a source: new entries only, older pages too, and no download where nothing has changed.

Feeds have no order to rely on, and entries appear late; so the cursor remembers which entries were seen. It does not
know a feed's format.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import urljoin

from lambdas.channels.puller.feeds import ENTRIES_LIMIT, BrokenFeedError, Feed
from lambdas.channels.puller.fetching import Fetched, NotFetchedError
from lambdas.channels.puller.source import Cursor, Page, PullError

PAGE_LIMIT: Final = 100
_OLDER_PAGES_LIMIT: Final = 100


class Fetching(Protocol):
    """What is used of a fetcher."""

    def fetch(self, url: str, *, etag: str | None = None, modified: str | None = None) -> Fetched:
        """The document at an address; NotFetchedError otherwise."""


@dataclass(frozen=True, kw_only=True)
class FeedSource:
    """The feed at an address, read by the reader of its format."""

    url: str
    read: Callable[[bytes], Feed]
    fetcher: Fetching

    def pull(self, cursor: Cursor) -> Page:
        """At most ``PAGE_LIMIT`` entries that were not seen before; PullError where the feed cannot be had."""
        url = cursor.get("next")
        is_newest = url is None
        url = url or self.url
        conditions = {name: cursor.get(name) for name in ("etag", "modified")} if is_newest else {}
        try:
            fetched = self.fetcher.fetch(url, **conditions)
            if fetched.body is None:
                return Page(entries=(), cursor=cursor)
            feed = self.read(fetched.body)
        except (NotFetchedError, BrokenFeedError) as error:
            raise PullError(str(error)) from error
        return _page(cursor, feed, fetched, url=url, is_newest=is_newest)


def _page(cursor: Cursor, feed: Feed, fetched: Fetched, *, url: str, is_newest: bool) -> Page:
    seen = dict.fromkeys(cursor.get("seen", ()))
    unseen = {digest: entry for entry in feed.entries if (digest := _digest(entry.id)) not in seen}
    taken = dict(list(unseen.items())[:PAGE_LIMIT])
    is_whole = len(taken) == len(unseen)
    depth = 0 if is_newest else int(cursor.get("depth", 0)) + 1
    going_on = {name: cursor[name] for name in ("etag", "modified") if cursor.get(name)}
    if is_newest and is_whole:
        going_on = {name: value for name in ("etag", "modified") if (value := getattr(fetched, name))}
    going_on["seen"] = _remembered(taken, feed, seen)
    older = urljoin(url, feed.next_url) if feed.next_url and taken else None
    if (following := older if is_whole else url) and depth < _OLDER_PAGES_LIMIT:
        going_on |= {"next": following, "depth": depth}
    return Page(entries=list(taken.values()), cursor=going_on, has_more="next" in going_on)


def _remembered(taken: Iterable[str], feed: Feed, seen: Mapping[str, None]) -> list[str]:
    """What was seen, that of this page first: what fell out of the feed is forgotten before what is still in it."""
    here = [digest for entry in feed.entries if (digest := _digest(entry.id)) in seen]
    return list(dict.fromkeys([*taken, *here, *seen]))[:ENTRIES_LIMIT]


def _digest(entry_id: str) -> str:
    return hashlib.sha256(entry_id.encode("utf-8", "surrogatepass")).hexdigest()[:16]
