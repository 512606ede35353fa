"""Which reviews become training rows, as Ibis expressions: written once, run on DuckDB or on Spark.

A review is kept when it has a rating of 1 to 5 stars, a text that is not empty once cleaned, and is the one chosen of
all that say the same: the latest correction by a person, before anything that customers rated. Everything that looks
random is a hash of the text, so equal reviews give equal rows whatever their order, and a row never changes sides
between training, validation and test. Knows nothing of files or reports; near duplicates are in `near_duplicates`.
"""

from __future__ import annotations

from typing import Literal, get_args

import ibis
import ibis.expr.types as ir

from feedback.sentiment import STARS, from_stars
from training_code.features import functions

REQUIRED = ("text", "rating")
OPTIONAL = (
    *("review_id", "title", "product_id", "category", "channel", "created_at", "corrected_at", "customer_age"),
    "language",
)
KEPT = ("text_id", "text", "stars", "sentiment", "product_id", "category", "channel", "created_at")
COLUMNS = (*KEPT, "language", "words", "age_band")

EmptyRule = Literal["drop", "keep"]
EMPTY_RULES: tuple[str, ...] = get_args(EmptyRule)

# The first four hex digits of text_id, of 65,536 values: 80 % train, 10 % validation, 10 % test. Compared as strings,
# which every engine does alike.
VALIDATION_FROM, TEST_FROM = f"{int(0.8 * 65536):04x}", f"{int(0.9 * 65536):04x}"
SPLITS = ("train", "validation", "test")

AGE_BANDS = ((18, 24), (25, 34), (35, 44), (45, 54), (55, 64))
OLDEST_FROM = 65

# By pattern, since engines differ in what they take for a number ("4d" is one to Java).
_STARS = r"^[ \t\r\n]*0*([1-5])(\.0*)?[ \t\r\n]*$"
_AGE = r"^[ \t\r\n]*([0-9]{1,3})(\.[0-9]*)?[ \t\r\n]*$"


def prepared(reviews: ir.Table, *, empty: EmptyRule = "drop") -> ir.Table:
    """Every review with its cleaned text, stars, sentiment, text_id and why it is `dropped` (null when it is not)."""
    digit = reviews.rating.fill_null("").re_extract(_STARS, 1)
    cleaned = reviews.mutate(
        stars=digit.cases(*((str(number), number) for number in STARS), else_=None).cast("int64"),
        text=functions.composed(reviews.title.fill_null(""), reviews.text.fill_null("")),
    )
    same = functions.normalised(cleaned.text)
    if empty == "keep":
        # Nothing said is no duplicate of nothing said: each is told by its review.
        same = (cleaned.text == "").ifelse(ibis.literal("empty:") + cleaned.review_id.fill_null(""), same)
    why = [(cleaned.stars.isnull(), "no_rating")]
    if empty == "drop":
        why.append((cleaned.text == "", "empty_text"))
    labelled = cleaned.mutate(
        sentiment=cleaned.stars.cases(*((number, int(from_stars(number))) for number in STARS), else_=None).cast(
            "int64"
        ),
        text_id=same.hexdigest("sha256"),
        dropped=ibis.cases(*why),
        given_language=cleaned.language.fill_null("").strip().lower().re_extract("^([a-z]{2,3})([-_].*)?$", 1),
        age_band=_age_band(cleaned.customer_age),
    )
    return labelled.select("dropped", "review_id", "corrected_at", "given_language", *KEPT, "age_band")


def _age_band(age: ir.StringValue) -> ir.StringValue:
    years = age.fill_null("").re_extract(_AGE, 1).nullif("").cast("int64")
    bands = [(years.between(first, last), f"{first}-{last}") for first, last in AGE_BANDS]
    return ibis.cases(*bands, (years >= OLDEST_FROM, f"{OLDEST_FROM}+"))


def described(rows: ir.Table) -> ir.Table:
    """With `language` (as given, else as detected beyond doubt) and `words`, which only rows that stay need."""
    given = rows.given_language.nullif("")
    words = (rows.text == "").ifelse(0, rows.text.split(" ").length())
    told = rows.mutate(language=ibis.coalesce(given, functions.language(rows.text)), words=words.cast("int64"))
    return told.drop("given_language")


def repeated(rows: ir.Table) -> ir.Table:
    """The text_ids that several rows have."""
    return rows.group_by("text_id").having(ibis._.count() > 1).aggregate()


def alone(rows: ir.Table, repeated_ids: ir.Table) -> ir.Table:
    """The rows that nothing else says the same as."""
    return rows.anti_join(repeated_ids, "text_id").drop("review_id", "corrected_at")


def chosen(rows: ir.Table, repeated_ids: ir.Table) -> ir.Table:
    """One row for each repeated text_id: the latest correction, else of the sentiment that most of its copies have;
    ties go to the first review_id. A feedback that is corrected again says the same, so that its earlier correction
    goes too."""
    several = rows.semi_join(repeated_ids, "text_id")
    counted = several.mutate(copies=ibis._.count().over(ibis.window(group_by=["text_id", "sentiment"])))
    first = ibis.window(
        group_by="text_id",
        order_by=[
            ibis.desc(ibis._.corrected_at.fill_null("")),
            ibis.desc("copies"),
            *("review_id", "sentiment", "text", "created_at", "product_id", "channel", "category"),
            *("age_band", "given_language", "stars"),
        ],
    )
    placed = counted.mutate(place=ibis.row_number().over(first)).filter(ibis._.place == 0)
    return placed.drop("copies", "place", "review_id", "corrected_at")


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
    drawn = _shuffled(rows.select("text_id", "split", "sentiment"), seed)
    ranked = drawn.mutate(
        place=ibis.row_number().over(ibis.window(group_by=["split", "sentiment"], order_by="draw")),
        size=ibis._.count().over(ibis.window(group_by=["split", "sentiment"])),
    )
    smallest = ranked.mutate(smallest=ranked["size"].min().over(ibis.window(group_by="split")))
    left = smallest.filter((smallest.split != "train") | (smallest.place < smallest.smallest))
    return rows.semi_join(left.select("text_id"), "text_id")


def _shuffled(rows: ir.Table, seed: int) -> ir.Table:
    return rows.mutate(draw=(ibis.literal(f"{seed}:") + rows.text_id).hexdigest("sha256"))
