"""Reading a CSV of reviews: what is found by itself, and what is refused in which words."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cli.errors import BadInput
from cli.reviews import BadRow, iso_date, read_reviews

Write = Callable[[str | bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(content: str | bytes) -> Path:
        path = tmp_path / "reviews.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return written


def test_columns_of_a_published_data_set_are_found_by_name(write: Write) -> None:
    read = read_reviews(
        write("Clothing ID,Age,Title,Review Text,Rating,Department Name,Class Name\n767,33,Nice,So soft,4,Tops,Knits\n")
    )
    (review,) = read.reviews
    assert (review.text, review.rating, review.title) == ("So soft", 4, "Nice")
    assert (review.product_id, review.category, review.customer_age) == ("767", "Tops", 33)
    assert read.columns["text"] == "Review Text"


@pytest.mark.parametrize(
    ("header", "delimiter"),
    [("REVIEW_TEXT;Stars", ";"), ("body\tstar rating", "\t"), ("\ufeffcomment,Score", ","), (" text , rating ", ",")],
)
def test_names_are_compared_without_case_and_punctuation_and_other_delimiters_are_seen(
    write: Write, header: str, delimiter: str
) -> None:
    (review,) = read_reviews(write(f"{header}\ngood{delimiter}5\n")).reviews
    assert (review.text, review.rating) == ("good", 5)


def test_named_columns_win_over_found_ones(write: Write) -> None:
    path = write("text,rating,what they said,points\nno,1,yes,5\n")
    (review,) = read_reviews(path, named={"text": "what they said", "rating": "POINTS"}).reviews
    assert (review.text, review.rating) == ("yes", 5)


def test_quoted_texts_keep_line_breaks_and_quotation_marks(write: Write) -> None:
    (review, other) = read_reviews(write('text,rating\n"first\nsecond ""really""",3\nlast,2\n')).reviews
    assert review.text == 'first\nsecond "really"'
    assert other.rating == 2


def test_a_line_separator_inside_a_text_does_not_end_the_row(write: Write) -> None:
    (review,) = read_reviews(write("text,rating\nbefore\u2028after\x85end,3\n")).reviews
    assert review.text == "before\u2028after\x85end"


def test_the_same_rows_have_the_same_digest_and_others_do_not(write: Write) -> None:
    first = read_reviews(write("text,rating,id\na,1,x\n")).digest
    assert read_reviews(write("id,rating,text\nx,1.0,a\n")).digest == first
    assert read_reviews(write("text,rating,id\na,2,x\n")).digest != first
    assert len(first) == 16


def test_rows_without_an_id_get_one_that_stays(write: Write) -> None:
    ids = [review.review_id for review in read_reviews(write("text,rating\na,1\na,1\n")).reviews]
    assert len(set(ids)) == 2
    assert ids == [review.review_id for review in read_reviews(write("text,rating\na,1\na,1\n")).reviews]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("text,rating\n", "has a header but no rows"),
        ("name,rating\na,1\n", "has no text column that is known by name: give it with --text COLUMN"),
        ("text,name\na,1\n", "has no rating column that is known by name: give it with --rating COLUMN"),
        ("text,rating,text\na,1,b\n", "has the column 'text' 2 times"),
        ("Größe,text,rating\n1,a,2\n".encode("latin-1"), "is not UTF-8: try --encoding cp1252"),
        ("text,rating\na,1\n".encode("utf-16"), "looks like UTF-16: try --encoding utf-16"),
        (b"PK\x03\x04\x00\x00\x00rest of a spreadsheet", "is not a text file: export it as CSV"),
    ],
)
def test_a_file_that_is_no_table_of_reviews_is_refused_in_one_sentence(
    write: Write, content: str | bytes, sentence: str
) -> None:
    with pytest.raises(BadInput) as refused:
        read_reviews(write(content), skip_bad=True)
    assert sentence in refused.value.message
    assert refused.value.exit_code == 2


def test_a_missing_column_that_was_named_lists_the_columns_there_are(write: Write) -> None:
    with pytest.raises(BadInput, match=r"has no column 'verdict'; its columns are: text, rating\."):
        read_reviews(write("text,rating\na,1\n"), named={"text": "verdict"})


@pytest.mark.parametrize(
    ("name", "sentence"), [("nothing.csv", "There is no file"), ("", "is a folder: give a CSV file")]
)
def test_a_path_that_is_no_file_is_refused(tmp_path: Path, name: str, sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        read_reviews(tmp_path / name)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("good", "has 1 fields where the header has 3"),
        ("good,5,x,y", "has 4 fields where the header has 3"),
        (",5,x", "the text is empty"),
        ('"  \t ",5,x', "the text is empty"),
        ("good,,x", "the rating is empty"),
        ("good,0,x", "the rating 0 is not from 1 to 5"),
        ("good,6,x", "the rating 6 is not from 1 to 5"),
        ("good,-1,x", "the rating '-1' is not a whole number from 1 to 5"),
        ("good,3.5,x", "the rating '3.5' is not a whole number from 1 to 5"),
        ("good,five,x", "the rating 'five' is not a whole number from 1 to 5"),
        ("good,\u0665,x", "the rating '\u0665' is not a whole number from 1 to 5"),
        ('"good"oops,5,x', "is not proper CSV"),
    ],
)
def test_a_bad_row_is_named_with_its_number_and_the_reason(write: Write, row: str, why: str) -> None:
    path = write(f"text,rating,title\nfine,4,a\n{row}\nalso fine,2,b\n")
    with pytest.raises(BadInput) as refused:
        read_reviews(path)
    assert "1 of 3 rows cannot be used, nothing was loaded" in refused.value.message
    assert "--skip-bad" in refused.value.message
    assert refused.value.details[0].startswith("row 3: ")
    assert why in refused.value.details[0]

    read = read_reviews(path, skip_bad=True)
    assert [review.text for review in read.reviews] == ["fine", "also fine"]
    assert [bad.row for bad in read.skipped] == [3]


def test_only_the_first_bad_rows_are_listed(write: Write) -> None:
    with pytest.raises(BadInput) as refused:
        read_reviews(write("text,rating\nok,1\n" + ",3\n" * 9))
    assert len(refused.value.details) == 6
    assert refused.value.details[-1] == "... and 4 more"


def test_a_file_without_a_single_good_row_is_refused_even_when_bad_ones_may_be_skipped(write: Write) -> None:
    with pytest.raises(BadInput, match="no row is left to load"):
        read_reviews(write("text,rating\na,9\n"), skip_bad=True)


def test_rows_in_another_encoding_are_bad_rows_and_the_encoding_is_guessed(write: Write) -> None:
    path = write("text,rating\nplain,4\nschön,5\nnaïve,1\n".encode("cp1252"))
    with pytest.raises(BadInput, match="it looks like cp1252: try --encoding cp1252"):
        read_reviews(path)
    assert [review.text for review in read_reviews(path, encoding="cp1252").reviews] == ["plain", "schön", "naïve"]
    read = read_reviews(path, skip_bad=True)
    assert read.skipped[0] == BadRow(3, "holds bytes that are not in the file's encoding")


def test_an_unknown_encoding_is_refused(write: Write) -> None:
    with pytest.raises(BadInput, match="There is no encoding 'klingon'"):
        read_reviews(write("text,rating\na,1\n"), encoding="klingon")


def test_a_quotation_mark_that_is_never_closed_is_found(write: Write) -> None:
    with pytest.raises(BadInput) as refused:
        read_reviews(write('text,rating\na,1\n"open,2\nb,3\n'))
    assert "a quotation mark is opened here and never closed" in refused.value.details[0]


def test_blank_lines_are_not_rows(write: Write) -> None:
    assert len(read_reviews(write("text,rating\n\na,1\n\n\nb,2\n\n")).reviews) == 2


def test_a_very_long_text_is_read(write: Write) -> None:
    (review,) = read_reviews(write(f"text,rating\n{'x' * 300_000},1\n")).reviews
    assert len(review.text) == 300_000


@pytest.mark.parametrize(
    ("written", "iso"),
    [
        ("2025-03-04", "2025-03-04"),
        ("2025-03-04T10:11:12Z", "2025-03-04T10:11:12+00:00"),
        ("8/3/2017", "2017-08-03"),
        ("3.8.2017", "2017-08-03"),
        ("March 4, 2025", "2025-03-04"),
        ("last week", None),
        ("", None),
    ],
)
def test_dates_become_iso_8601_where_they_can_be_read(written: str, iso: str | None) -> None:
    assert iso_date(written) == iso


def test_a_date_that_cannot_be_read_is_left_empty_and_counted(write: Write) -> None:
    read = read_reviews(write("text,rating,date\na,1,last week\nb,2,2025-01-01\nc,3,\n"))
    assert [review.created_at for review in read.reviews] == [None, "2025-01-01", None]
    assert read.unread_dates == 1


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(content=st.binary(max_size=300), skip_bad=st.booleans())
def test_whatever_the_bytes_are_they_are_read_or_refused(write: Write, content: bytes, skip_bad: bool) -> None:
    try:
        read = read_reviews(write(b"text,rating\n" + content), skip_bad=skip_bad)
    except BadInput:
        return
    assert all(review.text.strip() and 1 <= review.rating <= 5 for review in read.reviews)
