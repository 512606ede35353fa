"""`features.html`: what became of the reviews, for a person. Knows the report's figures; counts nothing itself."""

from __future__ import annotations

from collections.abc import Mapping

from training_code.features.job import Report
from training_code.features.selection import SPLITS
from training_code.reports.charts import bars
from training_code.reports.page import Section, figure, note, page, paragraph, table

REASONS = {
    "no_rating": "no rating of 1 to 5 stars",
    "empty_text": "no text once cleaned",
    "duplicate_text": "the same words as another review",
    "near_duplicate": "all but the same words as another review",
    "over_max_rows": "beyond the limit of rows",
    "balancing": "cut so that training classes are of equal size",
}
MOST_SHOWN = 15
BARS_OF_LENGTHS = 20


def page_of(report: Report) -> str:
    """The whole page. Names of products and categories are the customers' and are escaped."""
    summary = f"{report.rows:,} of {report.rows_read:,} reviews in {report.files:,} files became rows."
    sections = [*_balance(report), _dropped(report), *_described(report)]
    return str(page("Features", summary=summary, sections=sections))


def _balance(report: Report) -> list[Section]:
    totals = {split: sum(counts.values()) for split, counts in report.splits.items()}
    rows = [[split, totals[split], *report.splits[split].values()] for split in SPLITS]
    parts = [
        table(["rows", "all", *report.classes], rows),
        figure(
            bars(list(report.classes), list(report.classes.values()), title="Rows of each class"),
            caption="Classes, all rows",
            alt="bars: " + _told(report.classes),
        ),
        figure(
            bars(list(report.stars), list(report.stars.values()), title="Rows of each rating"),
            caption="Stars, all rows",
            alt="bars: " + _told(report.stars),
        ),
    ]
    if report.class_weights:
        weights = [[label, f"{weight:.3f}"] for label, weight in report.class_weights.items()]
        parts.append(table(["class", "weight in training"], weights))
    return [Section(title="Class balance", parts=parts)]


def _dropped(report: Report) -> Section:
    rows = [[REASONS[reason], count] for reason, count in report.dropped.items()]
    parts = [
        table(["why", "reviews"], rows),
        figure(
            bars(
                [REASONS[reason] for reason in report.dropped], list(report.dropped.values()), title="Dropped reviews"
            ),
            caption="Reviews that became no row, by reason",
            alt="bars: " + _told(report.dropped),
        ),
        paragraph(
            f"{report.texts_with_conflicting_stars:,} texts were rated both well and badly by different people; each "
            "has the sentiment of most."
        ),
    ]
    if report.texts_cut["texts"]:
        parts.append(
            note(f"{report.texts_cut['texts']:,} texts were cut at {report.texts_cut['at_characters']:,} characters.")
        )
    return Section(title="Dropped, and why", parts=parts)


def _described(report: Report) -> list[Section]:
    lengths = [
        [name, figures["median"], figures["p95"], figures["longest"]]
        for name, figures in (("words", report.words), ("characters", report.characters))
    ]
    labels, counts = _grouped(report.words_counted, longest=max(report.words["p95"], 1))
    sections = [
        Section(
            title="Lengths",
            parts=[
                table(["length in", "median", "95th percentile", "longest"], lengths),
                figure(bars(labels, counts, title="Words of a text"), caption="Texts by their words", alt="bars"),
            ],
        ),
        Section(title="Products", parts=_products(report)),
    ]
    for title, counted in (
        ("Languages", report.languages),
        ("Categories", report.categories),
        ("Channels", report.channels),
        ("Age bands", report.age_bands),
    ):
        shown = dict(list(counted.items())[:MOST_SHOWN])
        parts = [
            figure(
                bars(list(shown), list(shown.values()), title=title),
                caption=f"Rows by {title.lower()}",
                alt=_told(shown),
            )
        ]
        if len(counted) > len(shown):
            parts.append(note(f"{len(counted) - len(shown):,} more are in features.json."))
        sections.append(Section(title=title, parts=parts))
    how = [[name, text] for name, text in report.columns.items()]
    sections.append(
        Section(
            title="Columns and fingerprint",
            parts=[table(["column", "type"], how), paragraph(f"Fingerprint {report.fingerprint}")],
        )
    )
    return sections


def _products(report: Report) -> list[object]:
    rows = [
        [each["product_id"], each["rows"], f"{each['mean_stars']:.2f}", f"{100 * each['negative_share']:.1f} %"]
        for each in report.products["most_reviewed"]
    ]
    told = paragraph(f"{report.products['distinct']:,} products. What follows is no input of a model.")
    return [told, table(["most reviewed", "rows", "mean stars", "negative"], rows)] if rows else [told]


def _grouped(counted: Mapping[str, int], *, longest: int) -> tuple[list[str], list[int]]:
    """Counts by groups of equal width; what is longer than `longest` is one group."""
    width = -(-longest // BARS_OF_LENGTHS)
    groups = -(-longest // width)
    found = [0] * (groups + 1)
    for words, rows in counted.items():
        found[min(int(words) // width, groups)] += rows
    labels = [f"{place * width}-{place * width + width - 1}" for place in range(groups)]
    return [*labels, f"{groups * width}+"], found


def _told(counted: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counted.items())
