"""`bias.html`: what `bias.json` says, for a reader who is no statistician.

Knows nothing of how the figures were made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from markupsafe import Markup

from training_code.bias.clarify_config import POSTTRAINING_METHODS, PRETRAINING_METHODS
from training_code.bias.facets import HALF, LEAST_ROWS
from training_code.bias.figures import Panel, differences
from training_code.bias.meanings import TITLES, meaning
from training_code.reports.page import Section, figure, note, page, paragraph, table

_NAMES: Final[Mapping[str, tuple[str, str, str, str, str]]] = {
    "label_difference": ("DPL", "pretraining", "Share of {label} feedback in the data", "smaller", "larger"),
    "answer_difference": ("DPPL", "posttraining", "Share of {label} answers", "smaller", "larger"),
    "accuracy_difference": ("AD", "posttraining", "How often the model is right", "worse", "better"),
    "recall_difference": ("RD", "posttraining", "How much {label} feedback is found", "worse", "better"),
    "specificity_difference": (
        *("SD", "posttraining", "How much other feedback is rightly left out"),
        *("better", "worse"),  # the only one that Clarify defines as this group minus the others
    ),
}
"""The metric, its stage, what it is of, and how a group stands whose figure is above and below 0."""
_DEVIATION_WORTH_SAYING = 1e-6
_FACETS: Final[Mapping[str, str]] = {
    "category": "Category",
    "channel": "Channel",
    "age_band": "Age",
    "length": "Length of the text",
    HALF: "Halves",
}

Document = Mapping[str, Any]


def page_of(document: Document) -> str:
    """The page as HTML."""
    facets = list(dict.fromkeys(entry["facet"] for entry in document["facets"]))
    return page(
        "Bias of the data and of the model",
        summary=_summary(document),
        sections=[
            _largest(document),
            *(_facet(document, facet) for facet in facets),
            _meanings(document),
            _method(document),
        ],
    )


def _summary(document: Document) -> str:
    label = document["label"]["posttraining"]
    recall = document["largest"]["recall_difference"]
    accuracy = document["largest"]["accuracy_difference"]
    if accuracy is None:
        return (
            f"No group has the {LEAST_ROWS} test rows that a comparison needs, so nothing can be said about bias: "
            "neither that there is some, nor that there is none."
        )
    first = f"The model's accuracy differs most for {_who(accuracy)}: {_described(accuracy)}."
    if recall is None:
        return first + f" Of how much {label} feedback it finds, no group has rows enough to tell."
    return first + f" How much {label} feedback it finds differs most for {_who(recall)}: {_described(recall)}."


def _who(largest: Document) -> str:
    return f"{_facet_name(largest).lower()} “{largest['facet_value']}”"


def _facet_name(found: Document) -> str:
    facet = str(found["facet"])
    return _FACETS.get(facet, facet)


def _described(largest: Document) -> str:
    value, (low, high) = largest["value"], largest["interval"]
    side = "worse" if value > 0 else "better"
    points = f"{100 * abs(value):.1f} points {side} than for the others"
    if largest["surely_at_least"] > 0:
        return points + f", surely at least {100 * largest['surely_at_least']:.1f}"
    if low <= 0 <= high:
        return points + ", which may be chance"
    return points + f", which may be chance, being the largest of {largest['compared_values']}"


def _largest(document: Document) -> Section:
    rows = []
    for key, (metric, stage, name, above, below) in _NAMES.items():
        if document["label"][stage] is None:
            continue
        found = document["largest"][key]
        title = f"{name.format(label=document['label'][stage])} ({metric})"
        if found is None:
            rows.append([title, "too few rows", "", "", "", "", ""])
            continue
        low, high = found["interval"]
        rows.append(
            [
                title,
                f"{_facet_name(found)}: {found['facet_value']}",
                above if found["value"] > 0 else below if found["value"] < 0 else "equal",
                _points(found["value"]),
                f"{_points(low)} to {_points(high)}",
                _points(found["surely_at_least"]) if found["surely_at_least"] else "not sure",
                f"{found['counted_rows']:,}",
            ]
        )
    return Section(
        title="The largest differences",
        parts=[
            table(
                ["What differs", "Group", "Group is", "Points", "95 % interval", "Surely at least", "Rows"],
                rows,
                caption="Each group against all others, in percentage points, with the sign that Clarify gives it.",
            ),
            note(
                "The largest of many differences is large by chance alone. “Surely at least” takes that into "
                "account: it holds for all groups together in 95 of 100 cases, and “not sure” means that chance "
                "would explain the difference."
            ),
        ],
    )


def _facet(document: Document, facet: str) -> Section:
    entries = [entry for entry in document["facets"] if entry["facet"] == facet]
    parts: list[Markup] = []
    if facet == HALF:
        parts.append(
            note(
                "Nothing that is recorded of these texts can be compared, so they were parted into two halves by "
                "chance: the differences show how large chance makes them."
            )
        )
    groups = [entry["value"] for entry in entries]
    label = document["label"]["posttraining"]
    panels = [
        Panel(
            title=title,
            values=[_number(entry[stage], metric) for entry in entries],
            intervals=[_interval(entry[stage], metric) for entry in entries],
            is_of_few_rows=[_counted(entry[stage], metric) < LEAST_ROWS for entry in entries],
        )
        for metric, stage, title in (
            ("DPL", "pretraining", f"fewer {document['label']['pretraining']} labels (DPL)"),
            ("AD", "posttraining", "less often right (AD)"),
            ("RD", "posttraining", f"less {label} feedback found (RD)"),
        )
        if document["label"][stage] is not None
    ]
    parts.append(
        figure(
            differences(groups, panels),
            caption="Each group against all others. A dot is the difference, its line the 95 % interval; a line "
            "that crosses 0 (grey) may be chance, and a hollow dot is counted from too few rows to say anything.",
            alt=f"Differences of labels, accuracy and recall by {facet}",
        )
    )
    for stage, names, caption in (
        ("pretraining", PRETRAINING_METHODS, "In the data"),
        ("posttraining", POSTTRAINING_METHODS, "In the model's answers to the test rows"),
    ):
        measured = [entry for entry in entries if entry[stage] is not None]
        shown = [name for name in names if any(name in entry[stage] for entry in measured)]
        if measured:
            parts.append(
                table(
                    [_FACETS.get(facet, facet), "Rows", document["label"][stage], *shown],
                    [
                        [
                            entry["value"],
                            _rows(entry[stage]["rows"]),
                            _rows(entry[stage]["labelled_rows"]),
                            *(_figure(entry[stage].get(name)) for name in shown),
                        ]
                        for entry in measured
                    ],
                    caption=caption,
                )
            )
    return Section(title=_FACETS.get(facet, facet), parts=parts)


def _meanings(document: Document) -> Section:
    rows = [
        [name, TITLES[name].rpartition(" (")[0], meaning(name, label=document["label"][stage])]
        for stage, names in (("pretraining", PRETRAINING_METHODS), ("posttraining", POSTTRAINING_METHODS))
        if document["label"][stage] is not None
        for name in names
    ]
    return Section(title="What the figures mean", parts=[table(["Figure", "Name", "Meaning"], rows)])


def _method(document: Document) -> Section:
    rows, label = document["rows"], document["label"]
    deviation = document["largest_deviation"]
    data = (
        "The data was not analysed before training, or its analysis failed."
        if rows["pretraining"] is None
        else f"The data has {rows['pretraining']:,} rows."
    )
    parts = [
        paragraph(
            f"{data} The model answered {rows['posttraining']:,} test rows. The outcome followed is "
            f"“{label['posttraining']}”: all other labels count as one. A group is compared with all rows that are "
            "not of the group."
        ),
        paragraph(
            f"Values with fewer than {LEAST_ROWS} rows are pooled as “other”, and a difference is among the largest "
            f"only where both sides are counted from at least {LEAST_ROWS} rows. Rows of which nothing is recorded "
            "are “unknown”. Intervals are Newcombe's."
        ),
        paragraph(
            "A difference is not yet unfairness: groups may write of other things, or more plainly. Nor does the "
            "lack of one prove fairness towards groups that are not recorded."
        ),
    ]
    if deviation is None or deviation > _DEVIATION_WORTH_SAYING:
        by = "in whether there is one" if deviation is None else f"by up to {deviation:.2g}"
        parts.append(note(f"Clarify's figures and the same ones computed again from its data differ {by}."))
    return Section(title="How this was measured", parts=parts)


def _number(stage: Document | None, metric: str) -> float | None:
    value = None if stage is None else stage.get(metric)
    return float(value) if isinstance(value, int | float) else None


def _interval(stage: Document | None, metric: str) -> tuple[float, float]:
    if stage is None:
        return 0.0, 0.0
    low, high = stage["intervals"][metric]
    return float(low), float(high)


def _counted(stage: Document | None, metric: str) -> int:
    if stage is None:
        return 0
    return int(stage["labelled_rows"] if metric == "RD" else stage["rows"])


def _rows(count: int) -> str:
    return f"{count:,} (few)" if count < LEAST_ROWS else f"{count:,}"


def _points(share: float) -> str:
    return f"{100 * share:+.1f}"


def _figure(value: float | str | None) -> str:
    if value is None:
        return "–"  # noqa: RUF001 - the dash of an empty cell
    return value.replace("Infinity", "∞") if isinstance(value, str) else f"{value:.3f}"
