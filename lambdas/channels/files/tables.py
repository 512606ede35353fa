"""CSV and JSON Lines, line by line: rows as they come, each good or bad by itself. It does not know what rows mean."""

import csv
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from feedback.strict_json import BrokenJsonError, parse
from lambdas.channels.files.content import LINE_LIMIT, BrokenFileError, Content, is_undecoded, likely_encoding, lines
from lambdas.channels.files.rows import BadRow, Row, find_columns, shown_columns

_FIELD_LIMIT: Final = 200_000
_COLUMNS_LIMIT: Final = 1_000
_DELIMITERS: Final = (",", ";", "\t", "|")
_NO_TEXT: Final = "No column is known by name as the one with the text."


class Table:
    """A file with its rows. ``columns`` says which column was taken for what, once rows were read."""

    def __init__(self, format_: str, rows: Callable[["Table"], Iterator[Row | BadRow]]) -> None:
        self.format = format_
        self.columns: Mapping[str, str] = {}
        self._rows = rows

    def rows(self) -> Iterator[Row | BadRow]:
        """Every row in order; BrokenFileError where there is no reading on."""
        return self._rows(self)


def text_table(content: Content) -> Table:
    """The table in a text; BrokenFileError where it is neither of the two."""
    beginning = content.probe.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if beginning == b"[":
        raise BrokenFileError("It is a JSON array: write one object a line.")
    if beginning == b"{":
        return Table("jsonl", lambda table: _json_rows(content, table))
    return Table("csv", lambda table: _csv_rows(content, table))


def _json_rows(content: Content, table: Table) -> Iterator[Row | BadRow]:
    columns: dict[tuple[str, ...], dict[str, int]] = {}  # by the names of a line's fields
    for number, line in enumerate(lines(content, encoding="utf-8-sig"), start=1):
        if not line.strip():
            continue
        document = _parsed(line)
        if isinstance(document, str):
            yield BadRow(number=number, reason=document)
            continue
        names = tuple(document)
        if names not in columns:
            if len(columns) >= _COLUMNS_LIMIT:
                columns.clear()
            columns[names] = find_columns(names)
        places = columns[names]
        table.columns = table.columns or shown_columns(names, places)
        values = list(document.values())
        yield Row(number=number, values={canonical: values[place] for canonical, place in places.items()})


def _parsed(line: str) -> dict[str, object] | str:
    """The object of a line, or what is wrong with it."""
    if len(line) >= LINE_LIMIT:
        return "is longer than a line may be"
    if is_undecoded(line):
        return "holds bytes that are not in the file's encoding"
    try:
        document = parse(line)
    except BrokenJsonError:
        return "is not JSON"
    if not isinstance(document, dict):
        return "is no JSON object"
    return document if len(document) <= _COLUMNS_LIMIT else "has too many fields"


def _csv_rows(content: Content, table: Table) -> Iterator[Row | BadRow]:
    source = lines(content, encoding=likely_encoding(content.probe))
    first = next(source, "")
    if not first.strip():
        if content.probe.strip():
            raise BrokenFileError("Its first line is empty where the names of the columns should be.")
        return
    csv.field_size_limit(_FIELD_LIMIT)
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(_chained(first, source), delimiter=delimiter, strict=True)
    try:
        header = [name.strip() for name in next(reader)]
    except (StopIteration, csv.Error) as error:
        raise BrokenFileError("Its first line cannot be read as the names of columns.") from error
    if len(header) > _COLUMNS_LIMIT or "\x00" in first:
        raise BrokenFileError("Its first line cannot be read as the names of columns.")
    columns = find_columns(header)
    if "text" not in columns:
        raise BrokenFileError(_NO_TEXT)
    table.columns = shown_columns(header, columns)
    number = 1
    while True:
        number += 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield BadRow(number=number, reason="is not proper CSV")
            continue
        if not fields:  # a blank line is not a row
            continue
        if len(fields) != len(header):
            yield BadRow(number=number, reason=f"has {len(fields)} fields where the header has {len(header)}")
        elif any(map(is_undecoded, fields)):
            yield BadRow(number=number, reason="holds bytes that are not in the file's encoding")
        else:
            yield Row(number=number, values={canonical: fields[place] for canonical, place in columns.items()})


def _chained(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest
