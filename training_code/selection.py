"""Which reviews become training rows, as Ibis expressions: written once for any engine, run on DuckDB by default.

A review is kept when it has a rating of 1 to 5 stars, a text that is not empty once cleaned, and is the one chosen of
all that say the same: the latest correction by a person, before anything that customers rated. Everything that looks
random is a hash of the text, so equal reviews give equal rows whatever their order, and a row never changes sides
between training, validation and test. Knows nothing of files or reports.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from feedback.sentiment import STARS, from_stars
from feedback.text import compose

REQUIRED = ("text", "rating")
OPTIONAL = ("review_id", "title", "product_id", "category", "channel", "created_at", "corrected_at")
COLUMNS = ("text_id", "text", "stars", "sentiment", "product_id", "category", "channel", "created_at")

# The first four hex digits of text_id, of 65,536 values: 80 % train, 10 % validation, 10 % test. Compared as strings,
# which every engine does alike.
VALIDATION_FROM, TEST_FROM = f"{int(0.8 * 65536):04x}", f"{int(0.9 * 65536):04x}"
SPLITS = ("train", "validation", "test")


def _compose(title: pa.ChunkedArray, text: pa.ChunkedArray) -> pa.Array:
    pairs = zip(title.to_pylist(), text.to_pylist(), strict=True)
    return pa.array([compose(first, second) for first, second in pairs], pa.string())


# The very function that the transform container calls: training and serving cannot drift apart.
composed_text = ibis.udf.scalar.pyarrow(_compose, signature=(("string", "string"), "string"))


def prepared(reviews: ir.Table) -> ir.Table:
    """Every review with its cleaned text, stars, sentiment, text_id and why it is `dropped` (null when it is not)."""
    rating = reviews.rating.try_cast("float64")
    stars = (rating == rating.floor()).ifelse(rating, ibis.null()).cast("int64")
    in_range = reviews.mutate(
        stars=stars.between(min(STARS), max(STARS)).ifelse(stars, ibis.null()),
        text=composed_text(reviews.title.fill_null(""), reviews.text.fill_null("")),
    )
    labelled = in_range.mutate(
        sentiment=in_range.stars.cases(*((number, int(from_stars(number))) for number in STARS), else_=None).cast(
            "int64"
        ),
        text_id=_normalised(in_range.text).hexdigest("sha256"),
        dropped=ibis.cases((in_range.stars.isnull(), "no_rating"), (in_range.text == "", "empty_text")),
    )
    return labelled.select("dropped", "review_id", "corrected_at", *COLUMNS)


def _normalised(text: ir.StringValue) -> ir.StringValue:
    """What two texts that say the same share: letters and digits, in lower case. Emoji stay if there is no more."""
    words = text.lower().re_replace(r"[^\p{L}\p{N}]+", " ").strip()
    return (words == "").ifelse(text, words)


def deduplicated(rows: ir.Table) -> ir.Table:
    """One row per text_id: the latest correction, else of the sentiment that most of its copies have; ties go to the
    first review_id. A feedback that is corrected again says the same, so that its earlier correction goes too."""
    counted = rows.mutate(copies=ibis._.count().over(ibis.window(group_by=["text_id", "sentiment"])))
    first = ibis.window(
        group_by="text_id",
        order_by=[
            ibis.desc(ibis._.corrected_at.fill_null("")),
            ibis.desc("copies"),
            "review_id",
            "sentiment",
            "text",
            "created_at",
            "product_id",
            "channel",
            "category",
        ],
    )
    return counted.mutate(place=ibis.row_number().over(first)).filter(ibis._.place == 0).drop("copies", "place")


def sampled(rows: ir.Table, *, maximum: int, seed: int) -> ir.Table:
    """At most `maximum` rows in their natural mix of classes."""
    return _shuffled(rows, seed).order_by("draw").limit(maximum).drop("draw")


def split(rows: ir.Table) -> ir.Table:
    """Adds `split`, from the text alone."""
    bucket = rows.text_id.substr(0, 4)
    return rows.mutate(
        split=ibis.cases((bucket < VALIDATION_FROM, "train"), (bucket < TEST_FROM, "validation"), else_="test")
    )


def undersampled(rows: ir.Table, *, seed: int) -> ir.Table:
    """Training rows with every class cut to the smallest; validation and test keep the mix that the model will meet."""
    drawn = _shuffled(rows, seed)
    ranked = drawn.mutate(
        place=ibis.row_number().over(ibis.window(group_by=["split", "sentiment"], order_by="draw")),
        size=ibis._.count().over(ibis.window(group_by=["split", "sentiment"])),
    )
    smallest = ranked.mutate(smallest=ranked["size"].min().over(ibis.window(group_by="split")))
    return smallest.filter((smallest.split != "train") | (smallest.place < smallest.smallest)).drop(
        "draw", "place", "size", "smallest"
    )


def _shuffled(rows: ir.Table, seed: int) -> ir.Table:
    return rows.mutate(draw=(ibis.literal(f"{seed}:") + rows.text_id).hexdigest("sha256"))
