"""Reading a CSV of reviews: finds the columns, checks every row, and says exactly what is wrong.

Responsible for turning a file that somebody exported from somewhere into canonical rows, or into an error that names
the first bad rows. Pure: it reads one file and writes nothing. It does not know the lake, and it does not clean texts
(that is the features step's work, so that training and serving agree).

Rows are numbered as a spreadsheet shows them: the header is row 1.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from cli.errors import BadInput
from feedback.columns import SYNONYMS, simple
from feedback.sentiment import STARS

LONGEST_FIELD = 10_000_000
SHOWN_BAD_ROWS = 5


REQUIRED = {"text": "--text", "rating": "--rating"}
DATE_FORMATS = ("%m/%d/%Y", "%d.%m.%Y", "%Y/%m/%d", "%B %d, %Y", "%d %b %Y", "%d %B %Y")
OTHER_ENCODINGS = ("cp1252", "utf-16")


@dataclass(frozen=True, kw_only=True)
class Review:
    """A row as the lake keeps it."""

    review_id: str
    text: str
    rating: int
    title: str | None
    product_id: str | None
    category: str | None
    channel: str | None
    created_at: str | None
    customer_age: int | None


@dataclass(frozen=True)
class BadRow:
    row: int
    why: str

    def __str__(self) -> str:
        return f"row {self.row}: {self.why}"


@dataclass(frozen=True, kw_only=True)
class Reviews:
    """The good rows of a file, what was left out, and which header each canonical column was read from."""

    reviews: tuple[Review, ...]
    skipped: tuple[BadRow, ...]
    columns: Mapping[str, str]
    unread_dates: int

    @property
    def digest(self) -> str:
        """Hash of the content: 16 hex digits. The same rows have the same digest, whatever the file was called."""
        content = hashlib.sha256()
        for review in self.reviews:
            content.update(json.dumps(asdict(review), ensure_ascii=True, sort_keys=True).encode())
            content.update(b"\n")
        return content.hexdigest()[:16]

    @property
    def stars(self) -> dict[int, int]:
        """How many reviews gave how many stars."""
        counted = Counter(review.rating for review in self.reviews)
        return {rating: counted[rating] for rating in STARS}


class _UnreadableError(Exception):
    """One row that cannot be used."""


def read_reviews(
    path: Path, *, named: Mapping[str, str] | None = None, skip_bad: bool = False, encoding: str = "utf-8"
) -> Reviews:
    """The reviews of a CSV file.

    `named` maps canonical columns to headers of the file; what it leaves out is found by name. Bad rows raise BadInput
    that lists the first of them; with `skip_bad` they are left out and returned. A file without a single good row is
    refused in both cases.
    """
    content = _content(path)
    text = _decoded(content, path, encoding)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    limit = csv.field_size_limit(LONGEST_FIELD)
    try:
        header, table = _rows(lines, path)
        columns = find_columns(header, named or {}, path)
        file_digest = hashlib.sha256(content).hexdigest()[:12]
        reviews: list[Review] = []
        bad: list[BadRow] = []
        unread_dates = 0
        for number, row in table:
            try:
                if isinstance(row, csv.Error):
                    raise _UnreadableError(_csv_complaint(row))
                review = _review(row, header, columns, fallback_id=f"{file_digest}-{number}")
            except _UnreadableError as complaint:
                bad.append(BadRow(number, str(complaint)))
                continue
            date_column = columns.get("created_at")
            if date_column is not None and review.created_at is None and row[header.index(date_column)].strip():
                unread_dates += 1
            reviews.append(review)
    finally:
        csv.field_size_limit(limit)
    _judge(path, reviews, bad, skip_bad=skip_bad, content=content, encoding=encoding)
    return Reviews(reviews=tuple(reviews), skipped=tuple(bad), columns=columns, unread_dates=unread_dates)


def find_columns(header: list[str], named: Mapping[str, str], path: Path) -> dict[str, str]:
    """Canonical column -> header; BadInput when one that is needed or named is not there or is there twice."""
    by_simple_name: dict[str, str] = {}
    for column in header:
        by_simple_name.setdefault(simple(column), column)
    columns: dict[str, str] = {}
    for canonical, names in SYNONYMS.items():
        if canonical in named:
            wanted = named[canonical]
            found = wanted if wanted in header else by_simple_name.get(simple(wanted))
            if found is None:
                raise BadInput(f"{path} has no column '{wanted}'; its columns are: {_listed(header)}.")
        else:
            found = next((by_simple_name[name] for name in names if name in by_simple_name), None)
        if found is None:
            continue
        if header.count(found) > 1:
            raise BadInput(f"{path} has the column '{found}' {header.count(found)} times: rename one of them.")
        columns[canonical] = found
    for canonical, flag in REQUIRED.items():
        if canonical not in columns:
            raise BadInput(
                f"{path} has no {canonical} column that is known by name: give it with {flag} COLUMN; "
                f"its columns are: {_listed(header)}."
            )
    return columns


def _content(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise BadInput(f"There is no file {path}.") from None
    except IsADirectoryError:
        raise BadInput(f"{path} is a folder: give a CSV file.") from None
    except PermissionError:
        raise BadInput(f"{path} cannot be read: you have no permission.") from None
    if not content.strip():
        raise BadInput(f"{path} is empty.")
    return content


def _decoded(content: bytes, path: Path, encoding: str) -> str:
    """The text; bytes that are not in the encoding become lone surrogates, which make their row a bad one."""
    name = "utf-8-sig" if encoding.lower().replace("_", "-") in {"utf-8", "utf8"} else encoding
    if name == "utf-8-sig" and content[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        raise BadInput(f"{path} is not UTF-8 but looks like UTF-16: try --encoding utf-16.")
    if name == "utf-8-sig" and b"\0" in content[:4096]:
        raise BadInput(f"{path} is not a text file: export it as CSV in UTF-8 first.")
    try:
        return content.decode(name, errors="surrogateescape")
    except LookupError:
        raise BadInput(f"There is no encoding '{encoding}': try utf-8 or cp1252.") from None
    except UnicodeError as error:
        raise BadInput(f"{path} is not in {encoding}: {error}.") from None


def _delimiter(text: str) -> str:
    first_line = text.split("\n", 1)[0]
    return max((",", ";", "\t"), key=first_line.count)


def _rows(lines: Iterator[list[str]], path: Path) -> tuple[list[str], Iterator[tuple[int, list[str] | csv.Error]]]:
    try:
        header = [column.strip() for column in next(lines)]
    except (StopIteration, csv.Error):
        raise BadInput(f"{path} has no readable header row.") from None
    if any(_undecoded(column) for column in header):
        raise BadInput(f"The header of {path} is not UTF-8: try --encoding cp1252.")

    def table() -> Iterator[tuple[int, list[str] | csv.Error]]:
        number = 1
        while True:
            number += 1
            try:
                row = next(lines)
            except StopIteration:
                return
            except csv.Error as error:
                yield number, error
                continue
            if row:  # a blank line is not a row
                yield number, row

    return header, table()


def _review(row: list[str], header: list[str], columns: Mapping[str, str], *, fallback_id: str) -> Review:
    if len(row) != len(header):
        raise _UnreadableError(f"has {len(row)} fields where the header has {len(header)}")
    if any(_undecoded(value) for value in row):
        raise _UnreadableError("holds bytes that are not in the file's encoding")
    fields = {canonical: row[header.index(column)].strip() for canonical, column in columns.items()}
    text = row[header.index(columns["text"])]
    if not text.strip():
        raise _UnreadableError("the text is empty")
    return Review(
        review_id=fields.get("review_id") or fallback_id,
        text=text,
        rating=_rating(fields["rating"]),
        title=fields.get("title") or None,
        product_id=fields.get("product_id") or None,
        category=fields.get("category") or None,
        channel=fields.get("channel") or None,
        created_at=iso_date(fields.get("created_at", "")),
        customer_age=_age(fields.get("customer_age", "")),
    )


def _rating(value: str) -> int:
    if not value:
        raise _UnreadableError("the rating is empty")
    if re.fullmatch(r"[0-9]{1,3}(\.0+)?", value) is None:
        raise _UnreadableError(f"the rating '{_shortened(value)}' is not a whole number from 1 to 5")
    rating = int(value.split(".")[0])
    if rating not in STARS:
        raise _UnreadableError(f"the rating {rating} is not from 1 to 5")
    return rating


def _age(value: str) -> int | None:
    return int(value) if re.fullmatch(r"[0-9]{1,3}", value) else None


def iso_date(value: str) -> str | None:
    """The moment in ISO 8601, or None when it cannot be read; a moment without zone is kept without one."""
    if not value:
        return None
    try:
        moment = datetime.fromisoformat(value)
        return moment.date().isoformat() if len(value) == 10 else moment.isoformat()
    except ValueError:
        pass
    for form in DATE_FORMATS:
        try:
            return datetime.strptime(value, form).replace(tzinfo=UTC).date().isoformat()
        except ValueError:
            continue
    return None


def _judge(
    path: Path, reviews: list[Review], bad: list[BadRow], *, skip_bad: bool, content: bytes, encoding: str
) -> None:
    if not reviews and not bad:
        raise BadInput(f"{path} has a header but no rows.")
    if not bad or (skip_bad and reviews):
        return
    shown = [str(row) for row in bad[:SHOWN_BAD_ROWS]]
    if len(bad) > len(shown):
        shown.append(f"... and {len(bad) - len(shown)} more")
    wrong_encoding = sum("encoding" in row.why for row in bad)
    if wrong_encoding and wrong_encoding * 2 > len(bad) and (better := _better_encoding(content, encoding)):
        advice = f"it looks like {better}: try --encoding {better}"
    elif not reviews:
        advice = "no row is left to load: check the columns and the file"
    else:
        advice = "mend them, or leave them out with --skip-bad"
    total = len(reviews) + len(bad)
    raise BadInput(
        f"{path}: {len(bad)} of {total} rows cannot be used, nothing was loaded; {advice}.", details=tuple(shown)
    )


def _better_encoding(content: bytes, encoding: str) -> str | None:
    for candidate in OTHER_ENCODINGS:
        if candidate == encoding:
            continue
        try:
            content.decode(candidate)
        except UnicodeError:
            continue
        return candidate
    return None


def _csv_complaint(error: csv.Error) -> str:
    if "unexpected end of data" in str(error):
        return "a quotation mark is opened here and never closed"
    return f"is not proper CSV ({error})"


def _undecoded(value: str) -> bool:
    return any("\udc80" <= character <= "\udcff" for character in value)


def _shortened(value: str) -> str:
    return value if len(value) <= 20 else f"{value[:20]}..."


def _listed(header: list[str]) -> str:
    return ", ".join(header[:30]) + (", ..." if len(header) > 30 else "")
