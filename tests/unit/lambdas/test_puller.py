"""Sources that are pulled: declarations, feeds, cursors, and what a run does with them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback.problem import Problem
from lambdas.channels.delivery import NotDeliveredError
from lambdas.channels.puller.declaring import Declared, WrongSourcesError, read_sources
from lambdas.channels.puller.feed_source import PAGE_LIMIT, FeedSource
from lambdas.channels.puller.feeds import BrokenFeedError, Feed, read_json_feed, read_xml_feed
from lambdas.channels.puller.fetching import Fetched, NotFetchedError
from lambdas.channels.puller.pulling import PAGES_PER_RUN, Puller
from lambdas.channels.puller.source import Entry, Page, PullError
from lambdas.intake.acceptance import Accepted
from lambdas.intake.request import read_feedback
from tests.unit.lambdas.fakes import now, received

RSS = b"""<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:im="http://itunes.apple.com/rss">
<channel><title>Reviews</title><link>https://site.example/</link>
<item><title>Too &amp; tight</title><link>https://site.example/1</link><guid isPermaLink="false">r-1</guid>
<description>short</description><content:encoded><![CDATA[<p>The <b>zip</b> broke.</p>]]></content:encoded>
<im:rating>2</im:rating><pubDate>Sun, 01 Mar 2026 09:00:00 GMT</pubDate></item>
<item><title>Lovely</title><link>https://site.example/2</link></item>
<item><guid>r-3</guid></item>
</channel></rss>"""

ATOM = """<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><title>Reviews</title><link rel="next" href="page2.xml"/>
<entry><id>urn:r:1</id><title>Größe</title><link href="https://site.example/a"/><updated>2026-03-01T09:00:00Z</updated>
<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">It runs <em>small</em></div></content></entry>
</feed>""".encode()

JSON_FEED = json.dumps(
    {
        "version": "https://jsonfeed.org/version/1.1",
        "next_url": "https://site.example/older.json",
        "items": [
            {"id": "j-1", "content_html": "<p>Runs small</p>", "url": "https://site.example/j1", "language": "en-GB"},
            {"id": 7, "content_text": "Great", "rating": 5, "date_published": "2026-03-01T09:00:00Z"},
            {"id": "j-3", "content_text": "  "},
        ],
    }
).encode()


def test_rss_is_read_with_its_own_ids_and_without_its_html():
    feed = read_xml_feed(RSS, {})
    first, second, third = feed.entries
    assert first.id == "r-1"
    assert first.document == {
        "text": "Too & tight\n\nThe zip broke.",
        "rating": 2,
        "metadata": {
            "reference": "r-1",
            "url": "https://site.example/1",
            "published_at": "Sun, 01 Mar 2026 09:00:00 GMT",
        },
    }
    assert (second.id, second.document["text"]) == ("https://site.example/2", "Lovely")
    assert third.document is None


def test_atom_is_read_with_its_older_pages():
    feed = read_xml_feed(ATOM, {})
    (entry,) = feed.entries
    assert entry.id == "urn:r:1"
    assert entry.document["text"] == "Größe\n\nIt runs small"
    assert entry.document["metadata"]["url"] == "https://site.example/a"
    assert feed.next_url == "page2.xml"


def test_json_feeds_are_read():
    feed = read_json_feed(JSON_FEED, {})
    assert [entry.id for entry in feed.entries[:2]] == ["j-1", "7"]
    assert feed.entries[0].document["text"] == "Runs small"
    assert feed.entries[1].document["rating"] == 5
    assert feed.entries[2].document is None
    assert feed.next_url == "https://site.example/older.json"


def test_any_json_list_is_read_with_a_line_about_its_fields():
    body = json.dumps({"results": [{"opinion": {"words": "Good"}, "stars_of_ten": 3}]}).encode()
    (entry,) = read_json_feed(body, {"text": ("opinion.words",), "rating": ("stars_of_ten",)}).entries
    assert entry.document["text"] == "Good"
    assert entry.document["rating"] == 3


HOSTILE_XML = {
    "empty": b"",
    "no xml": b"hello",
    "html": b"<html><body>moved</body></html>",
    "truncated": RSS[:300],
    "document type": b'<!DOCTYPE rss SYSTEM "https://evil.example/x.dtd"><rss><channel/></rss>',
    "entity file": b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss><channel><item><title>&x;</title></item>'
    b"</channel></rss>",
    "billion laughs": b'<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><rss>&b;</rss>',
    "utf-16 document type": '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE r []><rss/>'.encode("utf-16"),
    "unknown entity": b"<rss><channel><item><title>&nbsp;</title></item></channel></rss>",
    "unknown encoding": b'<?xml version="1.0" encoding="klingon"?><rss/>',
    "wrong bytes": b'<?xml version="1.0" encoding="utf-8"?><rss>\xff\xfe</rss>',
    "deep": b"<rss>" + b"<a>" * 100_000,
    "many": b"<rss><channel>" + b"<item/>" * 5_001 + b"</channel></rss>",
    "NUL": b"<rss>\x00</rss>",
    "two roots": b"<rss/><rss/>",
}


@pytest.mark.parametrize("body", HOSTILE_XML.values(), ids=HOSTILE_XML)
def test_hostile_xml_is_a_broken_feed_and_nothing_else(body):
    with pytest.raises(BrokenFeedError):
        read_xml_feed(body, {})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[",
        b"3",
        b'"items"',
        b"[1]",
        b'{"items": 3}',
        b"\xff",
        b"[" * 100_000,
        b'[{"a": NaN}]',
        b"[{}" + b",{}" * 5_000,
    ],
    ids=range(10),
)
def test_hostile_json_is_a_broken_feed_and_nothing_else(body):
    try:
        feed = read_json_feed(body, {})
    except BrokenFeedError:
        return
    assert all(entry.document is None for entry in feed.entries)


@given(
    st.binary(max_size=300) | st.text(max_size=200).map(lambda text: f"<rss><channel>{text}</channel></rss>".encode())
)
def test_no_bytes_raise_anything_but_that_the_feed_is_broken(body):
    for read in (read_xml_feed, read_json_feed):
        try:
            read(body, {})
        except BrokenFeedError:
            continue


class FakeFetcher:
    """Answers by address; remembers what was asked for."""

    def __init__(self, **pages):
        self.pages = pages
        self.asked = []

    def fetch(self, url, *, etag=None, modified=None):
        self.asked.append((url, etag))
        page = self.pages.get(url.rpartition("/")[2])
        if page is None:
            raise NotFetchedError("The server answered 404.")
        if etag == "same":
            return Fetched(body=None, etag=etag, modified=modified)
        return Fetched(body=page, etag="same", modified=None)


def feed_source(fetcher, feeds=None):
    return FeedSource(
        url="https://site.example/feed", read=feeds or (lambda body: read_xml_feed(body, {})), fetcher=fetcher
    )


def test_entries_come_once_and_an_unchanged_feed_is_not_even_downloaded():
    fetcher = FakeFetcher(feed=RSS)
    source = feed_source(fetcher)
    first = source.pull({})
    assert [entry.id for entry in first.entries] == ["r-1", "https://site.example/2", "r-3"]
    again = source.pull(first.cursor)
    assert (list(again.entries), again.cursor) == ([], first.cursor)
    fetcher.pages["feed"] = RSS.replace(b"r-3", b"r-4")
    changed = source.pull({**first.cursor, "etag": "other"})
    assert [entry.id for entry in changed.entries] == ["r-4"]
    assert not changed.has_more


def _numbered(numbers):
    return [Entry(id=str(number), document={"text": str(number)}) for number in numbers]


def test_a_long_feed_is_taken_in_parts_and_its_older_pages_after_it():
    feeds = {
        b"new": Feed(entries=_numbered(range(250)), next_url="/old"),
        b"old": Feed(entries=_numbered(range(250, 260))),
    }
    source = feed_source(FakeFetcher(feed=b"new", old=b"old"), feeds.__getitem__)
    cursor, taken = {}, []
    for _ in range(10):
        page = source.pull(cursor)
        assert len(page.entries) <= PAGE_LIMIT
        taken += [entry.id for entry in page.entries]
        cursor = page.cursor
        json.dumps(cursor)
        if not page.has_more:
            break
    assert taken == [str(number) for number in range(260)]
    assert "next" not in cursor


def test_a_chain_of_pages_without_an_end_is_left_at_some_point():
    numbers = iter(range(10**6))
    source = feed_source(FakeFetcher(feed=b""), lambda body: Feed(entries=_numbered([next(numbers)]), next_url="/feed"))
    cursor, pages = {}, 0
    while pages < 200 and (not pages or "next" in cursor):
        cursor = source.pull(cursor).cursor
        pages += 1
    assert pages == 101


class FakeDesk:
    def __init__(self):
        self.items = {}
        self.writes = []

    def get(self, pk, sk):
        return self.items.get((pk, sk))

    def put(self, pk, sk, document):
        self.items[(pk, sk)] = json.loads(json.dumps(document))
        self.writes.append(sk)


class Harness:
    def __init__(self, *, answer=None):
        self.desk = FakeDesk()
        self.delivered = []
        self.answer = answer or (lambda document: Accepted(entry=received(document["id"]), is_new=True))

    def _deliver(self, documents):
        self.delivered += documents
        return [self.answer(document) for document in documents]

    def run(self, *sources, has_time=lambda: True):
        return Puller(memory=self.desk, deliver=self._deliver, now=now, has_time=has_time).run(sources)


class ScriptedSource:
    """Gives pages in turn; an exception among them is raised."""

    def __init__(self, *pages):
        self.pages = list(pages)
        self.cursors = []

    def pull(self, cursor):
        self.cursors.append(cursor)
        page = self.pages.pop(0)
        if isinstance(page, Exception):
            raise page
        return page


def page(*numbers, position, has_more=False):
    return Page(entries=_numbered(numbers), cursor={"position": position}, has_more=has_more)


def test_a_run_delivers_documents_of_the_schema_and_goes_on_where_the_last_ended():
    harness = Harness()
    source = ScriptedSource(page(1, 2, position=1, has_more=True), page(3, position=2), page(position=2))
    declared = Declared(name="site", source=source, defaults={"channel": "partner", "product_id": "P-1"})
    tally = harness.run(declared)
    harness.run(declared)
    assert tally.accepted == 3
    assert source.cursors == [{}, {"position": 1}, {"position": 2}]
    for document in harness.delivered:
        assert read_feedback(document)
    assert harness.delivered[0] == {
        "id": harness.delivered[0]["id"],
        "channel": "partner",
        "product_id": "P-1",
        "text": "1",
        "metadata": {"source": "site"},
    }


def test_the_same_entry_has_the_same_id_in_every_run_and_another_in_every_source():
    harness = Harness()
    for name in ("site", "site", "other"):
        harness.run(Declared(name=name, source=ScriptedSource(page(1, position=0))))
    first, again, other = (document["id"] for document in harness.delivered)
    assert first == again != other


def test_what_was_not_delivered_is_not_remembered():
    harness = Harness(answer=lambda document: Problem(kind="unavailable", detail="Later."))
    with pytest.raises(NotDeliveredError):
        harness.run(Declared(name="site", source=ScriptedSource(page(1, position=1))))
    assert harness.desk.writes == []


def test_what_is_refused_is_counted_and_holds_nothing_up(capsys):
    harness = Harness(answer=lambda document: Problem(kind="unusable", detail="No."))
    tally = harness.run(Declared(name="site", source=ScriptedSource(page(1, position=1))))
    assert tally.refused == 1
    assert harness.desk.writes == ["site"]
    assert "refused" in capsys.readouterr().out


def test_a_source_that_fails_holds_up_no_other():
    harness = Harness()
    tally = harness.run(
        Declared(name="a", source=ScriptedSource(PullError("The server answered 500."))),
        Declared(name="b", source=ScriptedSource(KeyError("a bug of a plug-in"))),
        Declared(name="c", source=ScriptedSource(page(1, position=1))),
    )
    assert (tally.failed, tally.accepted) == (2, 1)


def test_a_run_is_bounded_in_pages_and_time_and_the_last_visited_comes_last():
    harness = Harness()
    endless = ScriptedSource(*(page(number, position=number, has_more=True) for number in range(100)))
    harness.run(Declared(name="endless", source=endless))
    assert len(harness.delivered) == PAGES_PER_RUN
    patient = ScriptedSource(page(1, position=1))
    left = iter([True, False])
    declared = [Declared(name="endless", source=endless), Declared(name="patient", source=patient)]
    tally = harness.run(*declared, has_time=lambda: next(left, False))
    assert patient.pages == []
    assert tally.put_off == 1


def test_sources_are_declared_as_data():
    text = json.dumps(
        {
            "version": 1,
            "sources": [
                {
                    "name": "app-store",
                    "kind": "feed",
                    "url": "https://site.example/feed",
                    "defaults": {"category": "App"},
                },
                {"name": "forum", "kind": "json", "url": "https://site.example/api", "fields": {"text": "body.plain"}},
            ],
        }
    )
    sources, complaints = read_sources(text, fetcher=FakeFetcher(feed=RSS))
    assert [declared.name for declared in sources] == ["app-store", "forum"]
    assert complaints == []
    assert len(sources[0].source.pull({}).entries) == 3


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"version": 2, "sources": []}', '{"version": 1}', '{"version": 1, "sources": {}}']
)
def test_a_parameter_that_lists_nothing_is_wrong(text):
    with pytest.raises(WrongSourcesError):
        read_sources(text, fetcher=FakeFetcher())


GOOD = {"name": "site", "kind": "feed", "url": "https://site.example/"}


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        [],
        {},
        {**GOOD, "name": "Site"},
        {**GOOD, "name": "a/b"},
        {**GOOD, "kind": "ftp"},
        {**GOOD, "kind": ["feed"]},
        {**GOOD, "url": "http://site.example/"},
        {**GOOD, "url": 3},
        {**GOOD, "defaults": {"id": "x"}},
        {**GOOD, "defaults": {"category": 1}},
        {**GOOD, "fields": ["text"]},
        {**GOOD, "password": "x"},
    ],
)
def test_a_source_declared_wrongly_is_reported_and_holds_up_no_other(wrong):
    text = json.dumps({"version": 1, "sources": [wrong, GOOD, GOOD]})
    sources, complaints = read_sources(text, fetcher=FakeFetcher())
    assert [declared.name for declared in sources] == ["site"]
    assert [complaint.split()[:2] for complaint in complaints] == [["Source", "0"], ["Source", "2"]]
