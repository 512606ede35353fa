"""The sources that a stage pulls, as its parameter lists them:

    {"version": 1, "sources": [{"name": "app-store", "kind": "feed", "url": "https://...",
                                "defaults": {"product_id": "APP"}, "fields": {}}]}

A kind of source is one line in ``KINDS``. One that is declared wrongly is reported and holds up no other.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from feedback.strict_json import BrokenJsonError, parse
from lambdas.channels.mapping import Places
from lambdas.channels.puller.feed_source import FeedSource, Fetching
from lambdas.channels.puller.feeds import read_json_feed, read_xml_feed
from lambdas.channels.puller.source import Source

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_DEFAULTS: Final = ("channel", "product_id", "category", "language")
_FIELDS: Final = ("name", "kind", "url", "defaults", "fields")


class WrongSourcesError(ValueError):
    """The parameter, or one source in it, is declared wrongly; the message says how and quotes no address."""


@dataclass(frozen=True, kw_only=True)
class Declared:
    """One source, with the fields that all its feedback has."""

    name: str
    source: Source
    defaults: Mapping[str, str] = field(default_factory=dict)


def _feed(url: str, fields: Places, fetcher: Fetching) -> Source:
    return FeedSource(url=url, read=partial(read_xml_feed, fields=fields), fetcher=fetcher)


def _json(url: str, fields: Places, fetcher: Fetching) -> Source:
    return FeedSource(url=url, read=partial(read_json_feed, fields=fields), fetcher=fetcher)


KINDS: Final[Mapping[str, Callable[[str, Places, Fetching], Source]]] = {"feed": _feed, "json": _json}


def read_sources(text: str, *, fetcher: Fetching) -> tuple[list[Declared], list[str]]:
    """The sources, and what is wrong with the others; WrongSourcesError where the parameter as a whole is none."""
    try:
        document = parse(text)
    except BrokenJsonError as error:
        raise WrongSourcesError("The parameter is not JSON.") from error
    entries = document.get("sources") if isinstance(document, dict) and document.get("version") == 1 else None
    if not isinstance(entries, list):
        raise WrongSourcesError('The parameter is an object with "version": 1 and a list of "sources".')
    declared: dict[str, Declared] = {}
    complaints = []
    for place, entry in enumerate(entries):
        try:
            one = _read_one(entry, fetcher)
            if one.name in declared:
                raise WrongSourcesError("has the name of another source")
            declared[one.name] = one
        except WrongSourcesError as error:
            complaints.append(f"Source {place} {error}.")
    return list(declared.values()), complaints


def _read_one(entry: object, fetcher: Fetching) -> Declared:
    if not isinstance(entry, dict) or not set(entry) <= set(_FIELDS):
        raise WrongSourcesError(f"is no object with {', '.join(_FIELDS)}")
    name, kind, url = entry.get("name"), entry.get("kind"), entry.get("url")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise WrongSourcesError("needs a name of small letters, digits and hyphens")
    if not isinstance(kind, str) or kind not in KINDS:
        raise WrongSourcesError(f"needs a kind that is one of {', '.join(KINDS)}")
    if not isinstance(url, str) or not url.startswith("https://"):
        raise WrongSourcesError("needs a url of https")
    defaults, fields = _texts(entry, "defaults"), _texts(entry, "fields")
    if not set(defaults) <= set(_DEFAULTS):
        raise WrongSourcesError(f"has defaults other than {', '.join(_DEFAULTS)}")
    source = KINDS[kind](url, {place: (path,) for place, path in fields.items()}, fetcher)
    return Declared(name=name, source=source, defaults=defaults)


def _texts(entry: Mapping[str, Any], name: str) -> dict[str, str]:
    texts = entry.get(name, {})
    if not isinstance(texts, dict) or not all(isinstance(value, str) and value for value in texts.values()):
        raise WrongSourcesError(f"has {name} that are no texts")
    return texts
