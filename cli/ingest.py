"""`earshot ingest`: a CSV of reviews into the lake, whole or not at all."""

from __future__ import annotations

from dataclasses import asdict

from cli import options
from cli.connection import connect
from cli.lake import ingest as ingest_into_lake
from cli.project import LOCAL
from cli.render import print_json, say
from cli.reviews import Reviews, read_reviews
from feedback.sentiment import LABELS, from_stars


def ingest(
    file: options.ReviewsFile,
    text: options.TextColumn = None,
    rating: options.RatingColumn = None,
    title: options.TitleColumn = None,
    product: options.ProductColumn = None,
    category: options.CategoryColumn = None,
    date: options.DateColumn = None,
    channel: options.ChannelColumn = None,
    review_id: options.IdColumn = None,
    encoding: options.Encoding = "utf-8",
    skip_bad: options.SkipBad = False,
    stage: options.Stage = LOCAL,
    as_json: options.Json = False,
) -> None:
    """Load a CSV of reviews into the lake. Columns are found by name, or named with the options.

    A file with bad rows is refused as a whole (exit code 2), unless --skip-bad leaves them out. The same content is
    stored once, however often it is given.
    """
    named = options.named_columns(
        text=text,
        rating=rating,
        title=title,
        product=product,
        category=category,
        date=date,
        channel=channel,
        review_id=review_id,
    )
    reviews = read_reviews(file, named=named, skip_bad=skip_bad, encoding=encoding)
    stored = ingest_into_lake(connect(stage), reviews)
    if as_json:
        print_json(
            {
                **asdict(stored),
                "skipped": len(reviews.skipped),
                "columns": dict(reviews.columns),
                "stars": reviews.stars,
                "unread_dates": reviews.unread_dates,
            }
        )
        return
    for line in summary(reviews):
        say(line)
    where = f"s3://{stored.bucket}/{stored.key}"
    say(f"Stored as {where}." if stored.new else f"Already there, nothing to do: {where}.")


def summary(reviews: Reviews) -> list[str]:
    """What was read, in sentences."""
    counts = dict.fromkeys(LABELS, 0)
    for stars, count in reviews.stars.items():
        counts[from_stars(stars).label] += count
    total = len(reviews.reviews)
    mix = ", ".join(f"{count} {label} ({count / total:.0%})" for label, count in counts.items())
    columns = ", ".join(f"{canonical} from '{header}'" for canonical, header in reviews.columns.items())
    lines = [f"{total} reviews: {mix}", f"Columns: {columns}"]
    if reviews.skipped:
        first = "; ".join(str(row) for row in reviews.skipped[:3])
        lines.append(f"{len(reviews.skipped)} bad rows left out ({first}{'; ...' if len(reviews.skipped) > 3 else ''})")
    if reviews.unread_dates:
        lines.append(f"{reviews.unread_dates} dates could not be read and are left empty")
    return lines
