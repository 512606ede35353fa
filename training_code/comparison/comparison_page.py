"""`comparison.html`: which model is better, on what rows, for whom it fails, and what it costs.

Reads what `document` made; knows nothing of how it was measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from feedback.sentiment import LABELS
from training_code.comparison.costs import SERVED_ON
from training_code.comparison.costs import table as price_table
from training_code.reports.charts import bars, heatmap, lines
from training_code.reports.numbers import dollars, score, scored, seconds, share, size
from training_code.reports.page import Section, figure, note, page, paragraph, table

SIGNIFICANT = 0.05
NAMES = {
    "category": "Category",
    "channel": "Channel",
    "age_band": "Age",
    "language": "Language",
    "length": "Length",
}

Document = Mapping[str, Any]


def page_of(found: Document) -> str:
    """The page as HTML."""
    models = [one for one in found["candidates"] if one["status"] == "scored"]
    champion = next(one for one in models if one["name"] == found["champion"])
    return page(
        "Which model is better",
        summary=_summary(found, champion),
        sections=[
            Section("All candidates", _all(found, models)),
            Section("More than chance?", _pairs(found, models)),
            Section("By class", _classes(models, champion)),
            Section("Can its confidence be believed?", _calibration(models, champion)),
            *_parts(champion),
            Section("What it costs", _costs(models)),
            Section("Sure and wrong", _doubtful(found["worst_mistakes"], "The champion's surest mistakes.")),
            Section(
                "Stars against text",
                _doubtful(
                    found["conflicts"],
                    "All models agree, and the stars say otherwise. Often the stars and the words of such a review do "
                    "not fit together, so that no model can be right here.",
                ),
            ),
            Section("How this was measured", _method(found)),
        ],
    )


def _summary(found: Document, champion: Document) -> str:
    metrics = champion["metrics"]
    return (
        f"Run {found['run']}: {champion['title']} is the champion. On {found['test_rows']:,} test rows that no model "
        f"has learned from it reaches macro-F1 {scored(metrics['macro_f1'], metrics['macro_f1_interval'])} and finds "
        f"{share(metrics['negative_recall'])} of the negative texts."
    )


def _all(found: Document, models: Sequence[Document]) -> list[Markup]:
    ordered = sorted(models, key=lambda one: -one["metrics"]["macro_f1"])
    rows = [
        [
            one["title"],
            score(one["metrics"]["macro_f1"]),
            f"{one['metrics']['macro_f1_interval'][0]:.3f} to {one['metrics']['macro_f1_interval'][1]:.3f}",
            score(one["metrics"]["balanced_accuracy"]),
            share(one["metrics"]["accuracy"]),
            share(one["metrics"]["negative_recall"]),
            f"{one['metrics']['calibration_error']:.3f}",
            score(one["validation"]["macro_f1"]),
        ]
        for one in ordered
    ]
    headers = (
        *("Candidate", "Macro-F1", "95% interval", "Balanced accuracy", "Accuracy", "Negatives found"),
        *("Calibration error", "Macro-F1, validation"),
    )
    parts = [
        table(headers, rows, caption=f"On the same {found['test_rows']:,} test rows"),
        figure(
            bars(
                [one["title"] for one in ordered],
                [one["metrics"]["macro_f1"] for one in ordered],
                title="Macro-F1",
                intervals=[tuple(one["metrics"]["macro_f1_interval"]) for one in ordered],
            ),
            caption="Macro-F1: the mean over the three classes, so that the rare ones count as much as the frequent.",
            alt=", ".join(f"{one['title']} {score(one['metrics']['macro_f1'])}" for one in ordered),
        ),
    ]
    failed = [one for one in found["candidates"] if one["status"] != "scored"]
    return [*parts, *(note(f"{one['name']} was not scored: {one['reason']}") for one in failed)]


def _pairs(found: Document, models: Sequence[Document]) -> list[Markup]:
    titles = {one["name"]: one["title"] for one in models}
    rows = [
        [
            titles[pair["other"]],
            *_difference(pair["macro_f1"]),
            *_difference(pair["negative_recall"]),
            _chance(pair["accuracy_p_value"]),
        ]
        for pair in found["pairs"]
    ]
    headers = (
        *("Champion against", "Macro-F1", "95% interval", "p"),
        *("Negatives found", "95% interval", "p", "Accuracy, p"),
    )
    parts = [table(headers, rows, caption="The champion minus the other, on the same rows")] if rows else []
    current = found["against_current"]
    if current is None:
        parts.append(paragraph("There is no approved model whose answers could be compared."))
    elif "note" in current:
        parts.append(note(f"Against the approved model {current['model_version']}: {current['note']}"))
    else:
        difference = current["macro_f1"]
        said = "more than chance" if difference["p_value"] < SIGNIFICANT else "no more than chance may do"
        parts.append(
            paragraph(
                f"Against the approved model {current['model_version']}, on {current['rows']:,} test rows that both "
                f"have: macro-F1 {difference['difference']:+.3f} ({difference['low']:+.3f} to "
                f"{difference['high']:+.3f}), {said}; negatives found "
                f"{100 * current['negative_recall']['difference']:+.1f} points."
            )
        )
    parts.append(
        note("A difference whose interval includes 0 may be luck: other test rows could turn it round. p below 0.05.")
    )
    return parts


def _difference(found: Document) -> list[str]:
    return [
        f"{found['difference']:+.3f}",
        f"{found['low']:+.3f} to {found['high']:+.3f}",
        _chance(found["p_value"]),
    ]


def _chance(p_value: float) -> str:
    return "<0.001" if p_value < 0.001 else f"{p_value:.3f}"


def _classes(models: Sequence[Document], champion: Document) -> list[Markup]:
    rows = [
        [
            one["title"],
            label,
            *(score(one["metrics"]["per_class"][label][part]) for part in ("precision", "recall", "f1")),
        ]
        for one in models
        for label in LABELS
    ]
    return [
        figure(
            heatmap(
                champion["metrics"]["confusion"],
                LABELS,
                LABELS,
                title=champion["title"],
                row_name="true",
                column_name="answered",
            ),
            caption="What the champion answers to texts of each class.",
            alt="confusion matrix of the champion",
        ),
        table(("Candidate", "Class", "Precision", "Recall", "F1"), rows),
    ]


def _calibration(models: Sequence[Document], champion: Document) -> list[Markup]:
    rows = [
        [
            one["title"],
            f"{one['metrics']['calibration_error_before']:.3f}",
            f"{one['metrics']['calibration_error']:.3f}",
            f"{one['metrics']['adaptive_calibration_error']:.3f}",
            f"{one['metrics']['calibration_floor']:.3f}",
        ]
        for one in models
    ]
    bins = champion["metrics"]["reliability"]
    return [
        figure(
            lines(
                [(champion["title"], [one["confidence"] for one in bins], [one["right"] for one in bins])],
                title=champion["title"],
                across="confidence",
                up="share that is right",
                diagonal=True,
            ),
            caption="Below the line the model is surer than it is right.",
            alt="reliability of the champion",
        ),
        table(
            ("Candidate", "Before scaling", "After", "Bins of equal size", "A perfect model here"),
            rows,
            caption="Expected calibration error",
        ),
        note(
            "Even a perfectly honest model shows an error above zero on a finite test: the last column says how much, "
            "on as many rows with the same confidences."
        ),
    ]


def _parts(champion: Document) -> list[Section]:
    parts: list[Markup] = []
    for name, values in champion["metrics"]["by"].items():
        if not values:
            continue
        rows = [
            [
                value,
                f"{one['rows']:,}",
                score(one["macro_f1"]),
                share(one["accuracy"]),
                share(one["negative_recall"]),
            ]
            for value, one in values.items()
        ]
        parts.append(
            table((NAMES.get(name, name), "Rows", "Macro-F1", "Accuracy", "Negatives found"), rows, caption="Champion")
        )
    return [Section("For whom it fails", parts)] if parts else []


def _costs(models: Sequence[Document]) -> list[Markup]:
    rows = [
        [
            one["title"],
            f"{one['trained_rows']:,}",
            seconds(one["cost"]["training_seconds"]),
            _money(one["cost"]["training_dollars"]),
            "not measured" if one["cost"]["texts_per_second"] is None else f"{one['cost']['texts_per_second']:,.0f}",
            _money(one["cost"]["dollars_per_million"]),
            size(one["cost"]["size_bytes"]),
        ]
        for one in models
    ]
    prices = price_table()
    headers = ("Candidate", "Rows", "Trained in", "Training", "Texts a second", "A million texts", "Size")
    return [
        table(headers, rows),
        note(
            f"List prices of {prices['region']}, {prices['as_of']}. A million texts are what one process answered "
            f"here, on one {SERVED_ON} that is never idle; a candidate whose instance is not known has no price."
        ),
    ]


def _money(amount: float | None) -> str:
    return "unknown" if amount is None else dollars(amount)


def _doubtful(rows: Sequence[Document], what: str) -> list[Markup]:
    if not rows:
        return [paragraph("There is none.")]
    shown = [
        [
            one["text"],
            "" if one["stars"] is None else str(one["stars"]),
            one["true"],
            one["answered"],
            share(one["probability"]),
        ]
        for one in rows
    ]
    return [paragraph(what), table(("Text", "Stars", "By the stars", "Answered", "Probability"), shown)]


def _method(found: Document) -> list[Markup]:
    return [
        paragraph(
            f"Models learned from training rows. What is chosen, the best epoch, temperature, decision weights and "
            f"the champion, is chosen on {found['validation_rows']:,} validation rows. The {found['test_rows']:,} test "
            "rows are chosen by a hash of the text, keep the natural mix of classes, and are used for these figures "
            "alone."
        ),
        paragraph(
            "Intervals are percentile bootstraps of 2,000 resamples. Two models are compared on the same rows: their "
            "answers are resampled together. Accuracy is compared by McNemar's exact test."
        ),
    ]
