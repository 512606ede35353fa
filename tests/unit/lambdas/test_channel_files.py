"""Files: rows of every format and any columns, bad rows by number, and files that nobody honest wrote."""

from __future__ import annotations

import gzip
import json
import time
import tracemalloc
import zlib
from itertools import count
from pathlib import Path

import pytest

from lambdas.channels import pseudonym
from lambdas.channels.batch import UnusableObjectError
from lambdas.channels.drop import UnreadableNoticeError
from lambdas.channels.files.progress import REASONS_LIMIT, Begun, Progress, read_message, result_key, write_message
from lambdas.channels.files.taking import FilesChannel
from tests.unit.lambdas.dropped import BUCKET, FakeAcceptance, FakeBucket, delivery, dropped

GOLDEN = Path(__file__).parents[2] / "golden" / "files"
KEY = "files/partner/reviews.csv"
RESULT = "results/files/partner/reviews.csv.json"


class FakeQueue:
    """Remembers what is to be gone on with."""

    def __init__(self):
        self.sent = []

    def send(self, body, *, delay_seconds):
        self.sent.append((body, delay_seconds))


class World:
    """A file in its bucket, and what became of it."""

    def __init__(self, content, *, key=KEY, has_time=lambda: True):
        self.acceptance = FakeAcceptance()
        self.bucket = FakeBucket({key: content})
        self.queue = FakeQueue()
        self.key = key
        self.content = content
        self.has_time = has_time

    def take(self, what=None):
        channel = FilesChannel(
            bucket=self.bucket, queue=self.queue, delivery=delivery(self.acceptance), has_time=self.has_time
        )
        return dict(channel.take(what or dropped(self.key, self.content)))

    @property
    def result(self):
        (result,) = self.bucket.written.values()
        return result

    @property
    def texts(self):
        return sorted(event.text for event in self.acceptance.events)


def taken(content, **more):
    world = World(content, **more)
    world.take()
    return world


def golden(name):
    return (GOLDEN / name).read_bytes()


@pytest.mark.parametrize("name", ["reviews.csv", "reviews.csv.gz"])
def test_a_csv_is_taken_row_by_row_whatever_its_columns_are_called(name):
    world = World(golden(name))
    assert world.take() == {"Files": 1, "Accepted": 4, "Replayed": 0, "Refused": 2}
    by_row = {event.metadata["row"]: event for event in world.acceptance.events}
    assert by_row["2"].text == 'Terrible\n\nThe dress tore, and the "silk" is polyester.\nI want my money back.'
    assert (by_row["2"].rating, by_row["2"].product_id, by_row["2"].category) == (1, "767", "Dresses")
    assert by_row["2"].customer_ref == "c-1"
    assert by_row["3"].customer_ref == pseudonym.of_address("ann@customer.example")
    assert by_row["3"].language == "de-DE"
    assert by_row["5"].text.startswith("=HYPERLINK")  # it is what was said; whoever writes a sheet minds
    assert by_row["5"].language is None
    assert by_row["7"].rating is None
    assert by_row["2"].metadata["created_at"] == "2026-03-01"
    assert world.result["columns"]["text"] == "Review Text"
    assert (world.result["rows"], world.result["accepted"], world.result["unread_ratings"]) == (6, 4, 1)
    assert world.result["reasons"] == [
        {"row": 4, "reason": "has no text"},
        {"row": 6, "reason": "has 2 fields where the header has 9"},
    ]


def test_json_lines_may_each_have_names_of_their_own():
    world = taken(golden("reviews.jsonl"))
    assert world.texts == ["Great light!", "Letzte Zeile ohne Ende.", "The lamp hums."]
    assert [reason["row"] for reason in world.result["reasons"]] == [3, 4, 5, 6]
    assert world.result["format"] == "jsonl"


def test_parquet_is_read_by_its_columns():
    pytest.importorskip("duckdb")
    world = taken(golden("reviews.parquet"))
    assert world.texts == ["Great light!", "The lamp hums."]
    assert {event.rating for event in world.acceptance.events} == {2, 5}
    assert world.result["format"] == "parquet"
    assert world.result["reasons"] == [{"row": 3, "reason": "has no text"}]


def test_what_a_western_office_exports_is_read():
    assert taken(golden("umsatz_cp1252.csv")).texts == ["Fürchterlich \u2013 nie wieder", "Schöne Größe"]


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        ("\ufefftext\nGut".encode(), ["Gut"]),
        ("text\nGut".encode("utf-16"), ["Gut"]),
        (b"text\r\nGut\r\n\r\n\r\nBad\r\n", ["Bad", "Gut"]),
        (b"text\tstars\nGut\t5", ["Gut"]),
        (b"text|stars\nGut|5", ["Gut"]),
        (b'{"text": "Gut"}', ["Gut"]),
        ('\ufeff{"text": "Gut"}'.encode(), ["Gut"]),
        (b'\n\n{"text": "Gut"}', ["Gut"]),
        (b"text,text\nGut,Bad", ["Gut"]),
        (b" TEXT ,x\nGut,1", ["Gut"]),
        (gzip.compress(b"text\nGut\n", mtime=0) + gzip.compress(b"Bad\n", mtime=0), ["Bad", "Gut"]),
    ],
)
def test_encodings_delimiters_and_headers(content, texts):
    assert taken(content).texts == texts


def test_an_empty_file_is_no_failure():
    for content in (b"", b"  \n ", gzip.compress(b"")):
        world = taken(content)
        assert world.result["rows"] == 0
        assert world.result["stopped"] is None


BAD_ROWS = {
    "too few fields": b"a",
    "too many fields": b"a,b,c",
    "no text": b",b",
    "blank text": b"   ,b",
    "an open quote": b'"never closed,b',
    "something behind a quote": b'"a"b,c',
    "a NUL": b"a\x00b,c",
    "a field beyond all measure": b"x" * 300_000 + b",b",
    "a line beyond all measure": b"x," * 600_000,
    "a text too long": b"x" * 10_001 + b",b",
    "nothing to read": "\u200b\u200b,b".encode(),
}


@pytest.mark.parametrize("row", BAD_ROWS.values(), ids=BAD_ROWS)
def test_a_bad_row_is_counted_with_its_number_and_stops_no_other(row):
    before = b"".join(b"good %d,x\n" % n for n in range(20))
    world = taken(b"text,more\n" + before + row + b"\n" + (b"" if row.startswith(b'"never') else b"last,x\n"))
    assert len(world.texts) == 20 + (not row.startswith(b'"never'))
    assert world.result["refused"] == 1
    assert world.result["reasons"][0]["row"] == 22
    assert world.result["stopped"] is None


BAD_LINES = {
    "no JSON": b"hello",
    "cut off": b'{"text": "a',
    "a list": b'["text"]',
    "a number": b"5",
    "nested 100,000 deep": b'{"text":' + b"[" * 100_000,
    "a number of 5,000 digits": b'{"text": "a", "rating": ' + b"9" * 5_000 + b"}",
    "NaN": b'{"text": "a", "rating": NaN}',
    "a key twice": b'{"text": "a", "text": "b"}',
    "no text": b'{"rating": 5}',
    "a text that is a number": b'{"text": 5}',
    "a text that is null": b'{"text": null}',
    "half of a pair": b'{"text": "\\ud800"}',
    "bytes that are no text": b'{"text": "\xff"}',
    "a line beyond all measure": b'{"text": "' + b"x" * 1_100_000 + b'"}',
    "10,000 fields": json.dumps({f"f{n}": n for n in range(10_000)} | {"text": "a"}).encode(),
}


@pytest.mark.parametrize("line", BAD_LINES.values(), ids=BAD_LINES)
def test_a_bad_line_is_counted_with_its_number_and_stops_no_other(line):
    world = taken(b'{"text": "first"}\n' + line + b'\n{"text": "last"}\n')
    assert world.texts == ["first", "last"]
    assert [reason["row"] for reason in world.result["reasons"]] == [2]


@pytest.mark.parametrize("value", [True, False, [], {}, [1], {"a": 1}, None, "", "x" * 1000, 1e300, -1, "11"])
def test_a_value_of_the_wrong_kind_is_left_out_and_the_text_is_taken(value):
    names = ("rating", "title", "product_id", "category", "customer_ref", "language", "created_at", "review_id")
    for name in names:
        world = taken(json.dumps({"text": "Good.", name: value}).encode())
        assert len(world.texts) == 1, name
        assert world.texts[0].endswith("Good.")


def bomb(size):
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = bytes(1 << 20)
    return b"".join(packer.compress(block) for _ in range(size >> 20)) + packer.flush()


UNREADABLE = {
    "no column of texts": b"a,b\n1,2",
    "a JSON array": b'[{"text": "a"}]',
    "an empty first line": b"\n\ntext\na",
    "a first line of NULs": b"text\x00,b\na,b",
    "2,000 columns": b",".join(b"c%d" % n for n in range(2_000)) + b"\n",
    "an open quote in the header": b'"text,b\na,b',
    "a zip": b"PK\x03\x04" + bytes(range(256)),
    "a program": b"\x7fELF" + bytes(200),
    "gzip that is cut off": gzip.compress(b"text\n" + b"".join(b"row %d\n" % n for n in range(9_999)))[:-500],
    "gzip with something behind": gzip.compress(b"text\na\n") + b"PK\x03\x04 and more",
    "gzip that is damaged": gzip.compress(b"text\na\n")[:-8] + b"12345678",
    "a bomb": bomb(200 << 20),
    "a bomb in a bomb": gzip.compress(bomb(100 << 20)),
    "Parquet that is none": b"PAR1" + b"\x00" * 100 + b"PAR1",
    "Parquet that is cut off": golden("reviews.parquet")[:-30],
    "Parquet with a name that is no text": golden("reviews.parquet").replace(b"SKU", b"\xffKU"),
    "Parquet of a magic only": b"PAR1",
}


@pytest.mark.parametrize("content", UNREADABLE.values(), ids=UNREADABLE)
def test_a_file_that_cannot_be_read_says_why_and_goes_to_the_dead_letters(content):
    if content.startswith(b"PAR1"):
        pytest.importorskip("duckdb")
    world = World(content)
    began = time.perf_counter()
    with pytest.raises(UnusableObjectError) as raised:
        world.take()
    assert time.perf_counter() - began < 5.0
    assert world.result["stopped"] == raised.value.reason


def test_what_stood_before_the_damage_is_taken_once():
    content = gzip.compress(b"text\n" + b"".join(b"row %d %d\n" % (n, n**9) for n in range(3_000)))[:-9_000]
    world = World(content)
    for _ in range(2):
        with pytest.raises(UnusableObjectError):
            world.take()
    assert 0 < len(world.acceptance.entries) == world.result["repeated"]


def test_a_long_file_goes_on_from_its_position_without_taking_a_row_twice():
    content = b"text,stars\n" + b"".join(b"row %d,%d\n" % (n, n % 7) for n in range(1_000))
    calls = count(1)
    world = World(content, has_time=lambda: next(calls) % 3 != 0)
    metrics = world.take()
    rounds = 1
    while "Continued" in metrics:
        begun = read_message(world.queue.sent[-1][0], bucket=BUCKET)
        metrics = world.take(begun)
        rounds += 1
    assert rounds == 3
    assert metrics["Files"] == 1
    assert len(world.acceptance.entries) == 1_000
    assert (world.result["rows"], world.result["accepted"], world.result["repeated"]) == (1_000, 1_000, 0)
    assert world.result["unread_ratings"] == 285


def test_a_file_that_gets_no_time_at_all_does_not_go_round_for_ever():
    with pytest.raises(UnusableObjectError):
        World(b"text\na", has_time=lambda: False).take()


def test_when_acceptance_is_away_the_file_goes_on_later_and_its_receives_are_not_used_up():
    world = World(golden("reviews.csv"))
    world.acceptance.is_away = True
    assert world.take()["Unavailable"] == 1
    (body, delay), world.acceptance.is_away = world.queue.sent[0], False
    assert delay == 60
    world.take(read_message(body, bucket=BUCKET))
    assert world.result["accepted"] == 4


def test_the_same_event_again_has_no_second_effect_and_a_new_version_without_ids_has():
    world = World(b"text\nGood.")
    world.take()
    world.take()
    assert len(world.acceptance.entries) == 1
    world.take(dropped(KEY, version_id="v2"))
    assert len(world.acceptance.entries) == 2


def test_rows_with_ids_of_their_own_are_known_again_in_the_next_export():
    world = World(b"id,text\n1,Good.\n2,Bad.")
    world.take()
    world.bucket.objects["files/partner/next.csv"] = b"id,text\n2,Bad.\n3,New.\n1,Changed my mind."
    assert world.take(dropped("files/partner/next.csv"))["Accepted"] == 2
    assert world.texts == ["Bad.", "Changed my mind.", "Good.", "New."]


def test_memory_stays_bounded_whatever_the_size_of_the_file():
    class Nothing(FakeAcceptance):
        def take_in(self, documents, *, ask_model=True):
            answers = super().take_in(documents, ask_model=ask_model)
            self.entries.clear()
            return answers

    class Rows:
        """A file of 18 MB that is nowhere."""

        left = 2_000
        begun = b"text,stars\n"

        def read(self, size, /):
            if not self.begun and self.left:
                self.left -= 1
                self.begun = b"x" * 9_000 + b",5\n"
            read, self.begun = self.begun[:size], self.begun[size:]
            return read

    world = World(b"")
    world.acceptance = Nothing()
    world.bucket.open = lambda _: Rows()
    tracemalloc.start()
    world.take()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert world.result["rows"] == 2_000
    assert peak < 12 * 1024 * 1024


def test_bytes_that_are_no_text_are_found_wherever_they_stand():
    world = taken(b"text,b\n" + ("gr\u00fcn" * 20 + ",x\n").encode() * 700 + b"\xff\xfe\xfd,b\nlast,x\n")
    assert world.result["reasons"] == [{"row": 702, "reason": "holds bytes that are not in the file's encoding"}]


def test_only_the_first_reasons_are_kept():
    world = taken(b"text,b\n" + b"a\n" * 1_000)
    assert world.result["refused"] == 1_000
    assert len(world.result["reasons"]) == REASONS_LIMIT


def test_a_result_quotes_nothing_of_a_row():
    secret = "canary-1234567890"
    content = f'text,rating\n"{secret}\n{secret}\n{secret},{secret},{secret}\n,{secret}\n'.encode()
    world = taken(content)
    assert secret not in json.dumps(world.result)


@pytest.mark.parametrize(
    ("key", "result"),
    [
        ("files/a.csv", "results/files/a.csv.json"),
        ("files/a/b/c.parquet", "results/files/a/b/c.parquet.json"),
        ("files/" + "k" * 1018, None),
        ("files/" + "\u20ac" * 339, None),
    ],
)
def test_a_result_lies_under_the_name_of_its_file(key, result):
    found = result_key(dropped(key))
    assert len(found.encode()) <= 1024
    assert found == (result or f"results/files/{dropped(key).identity}.json")


def test_the_message_to_go_on_with_is_read_as_it_was_written():
    progress = Progress(row=7, rows=6, accepted=5, refused=1, reasons=[(3, "has no text")])
    begun = read_message(write_message(dropped(KEY, etag="e"), progress), bucket=BUCKET)
    assert begun == Begun(bucket=BUCKET, key=KEY, version_id="v1", etag="e", size=1, progress=progress)


@pytest.mark.parametrize(
    "body",
    [
        '{"continue": {}}',
        '{"continue": null}',
        '{"continue": []}',
        '{"continue": {"file": {}, "progress": {}}}',
        '{"continue": {"file": {"bucket": "drop"}, "progress": {"row": "x"}}}',
        write_message(dropped("email/a"), Progress()),
        write_message(dropped(KEY, bucket="another"), Progress()),
        write_message(dropped(KEY), Progress()).replace('"version": 1', '"version": 2'),
        write_message(dropped(KEY), Progress()).replace('"row": 0', '"row": []'),
        write_message(dropped(KEY), Progress()).replace('"reasons": []', '"reasons": [5]'),
    ],
)
def test_a_message_to_go_on_with_that_is_broken_is_refused(body):
    with pytest.raises(UnreadableNoticeError):
        read_message(body, bucket=BUCKET)
