"""Options that mean the same in every command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Stage = Annotated[
    str, typer.Option("--stage", envvar="EARSHOT_STAGE", help="local, or a stage on your AWS account: dev, prod.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout and nothing else there.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

TextColumn = Annotated[str | None, typer.Option("--text", help="Column that holds the text.")]
RatingColumn = Annotated[str | None, typer.Option("--rating", help="Column that holds the stars, 1 to 5.")]
TitleColumn = Annotated[str | None, typer.Option("--title", help="Column that holds the title.")]
ProductColumn = Annotated[str | None, typer.Option("--product", help="Column that holds the product id.")]
CategoryColumn = Annotated[str | None, typer.Option("--category", help="Column that holds the department or category.")]
DateColumn = Annotated[str | None, typer.Option("--date", help="Column that holds the day of the review.")]
ChannelColumn = Annotated[str | None, typer.Option("--channel", help="Column that holds the channel.")]
IdColumn = Annotated[str | None, typer.Option("--id", help="Column that holds the id of the review.")]
Encoding = Annotated[str, typer.Option("--encoding", help="Encoding of the file.")]
SkipBad = Annotated[bool, typer.Option("--skip-bad", help="Leave bad rows out, count them and go on.")]
ReviewsFile = Annotated[Path, typer.Argument(help="CSV file of reviews with stars.", show_default=False)]


def named_columns(
    *,
    text: str | None,
    rating: str | None,
    title: str | None,
    product: str | None,
    category: str | None,
    date: str | None,
    channel: str | None,
    review_id: str | None,
) -> dict[str, str]:
    """The columns that the user named, by their canonical name."""
    given = {
        "text": text,
        "rating": rating,
        "title": title,
        "product_id": product,
        "category": category,
        "created_at": date,
        "channel": channel,
        "review_id": review_id,
    }
    return {canonical: header for canonical, header in given.items() if header is not None}
