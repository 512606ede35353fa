"""The charts of the reports, as matplotlib figures in a colour that reads on white and on black.

Figures are made without matplotlib's global state. Knows nothing of HTML or of what the numbers mean.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK = "#7a8490"
"""A grey that reads on both grounds."""
COLOURS = ("#2a7fb8", "#d1690e", "#3f9c6b", "#a45fb0", "#b8912a", "#8c8c8c")
WIDTH_INCHES = 7.5
INCHES_PER_BAR = 0.3
LONGEST_LABEL = 32


def _prepared(height_inches: float, *, width_inches: float = WIDTH_INCHES, title: str = "") -> tuple[Figure, Axes]:
    made = Figure(figsize=(width_inches, height_inches), layout="constrained")
    made.patch.set_alpha(0)
    axes = made.subplots()
    axes.patch.set_alpha(0)
    axes.tick_params(colors=INK, labelsize=9, length=0)
    for side in ("top", "right", "left", "bottom"):
        axes.spines[side].set_visible(False)
    if title:
        axes.set_title(title, fontsize=10, color=INK, loc="left")
    return made, axes


def bars(
    labels: Sequence[str],
    values: Sequence[float],
    *,
    title: str,
    unit: str = "",
    intervals: Sequence[tuple[float, float]] | None = None,
) -> Figure:
    """A bar for each label, the first on top, with its value written beside and its interval where there is one."""
    made, axes = _prepared(0.7 + INCHES_PER_BAR * max(1, len(labels)), title=title)
    places = range(len(labels))
    axes.barh(list(places), values, color=COLOURS[0], height=0.62)
    largest = max((abs(value) for value in values), default=0.0) or 1.0
    for place, value in enumerate(values):
        end = value
        if intervals is not None:
            low, high = intervals[place]
            axes.plot([low, high], [place, place], color=INK, linewidth=1.4)
            end = max(value, high)
        axes.annotate(f" {_written(value)}{unit}", (max(end, 0.0), place), color=INK, fontsize=9, va="center")
    axes.set_yticks(list(places), [short(label) for label in labels])
    axes.set_xlim(min(0.0, *values, 0.0) if len(values) else 0.0, largest * 1.16)
    axes.set_xticks([])
    axes.invert_yaxis()
    return made


def heatmap(
    matrix: npt.ArrayLike, rows: Sequence[str], columns: Sequence[str], *, title: str, row_name: str, column_name: str
) -> Figure:
    """A count for each pair; the colour is its share of the row."""
    counts = np.asarray(matrix, dtype=np.float64)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1.0)
    made, axes = _prepared(0.9 + 0.55 * len(rows), width_inches=1.8 + 1.1 * len(columns), title=title)
    axes.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.0, aspect="auto")
    for row in range(len(rows)):
        for column in range(len(columns)):
            dark = shares[row, column] > 0.5
            axes.annotate(
                f"{counts[row, column]:,.0f}",
                (column, row),
                color="#ffffff" if dark else "#1d232a",
                ha="center",
                va="center",
                fontsize=9,
            )
    axes.set_xticks(range(len(columns)), [short(column) for column in columns])
    axes.set_yticks(range(len(rows)), [short(row) for row in rows])
    axes.set_xlabel(column_name, fontsize=9, color=INK)
    axes.set_ylabel(row_name, fontsize=9, color=INK)
    return made


def lines(
    series: Sequence[tuple[str, Sequence[float], Sequence[float]]], *, title: str, across: str, up: str, diagonal: bool
) -> Figure:
    """A line through the points of each series; `diagonal` is where both axes are equal."""
    made, axes = _prepared(3.6, width_inches=4.8, title=title)
    if diagonal:
        axes.plot([0, 1], [0, 1], color=INK, linewidth=0.8, linestyle="--")
    for place, (name, x, y) in enumerate(series):
        axes.plot(x, y, color=COLOURS[place % len(COLOURS)], marker="o", markersize=3.5, linewidth=1.4, label=name)
    axes.set_xlabel(across, fontsize=9, color=INK)
    axes.set_ylabel(up, fontsize=9, color=INK)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(True)
        axes.spines[side].set_color(INK)
    if len(series) > 1:
        axes.legend(frameon=False, fontsize=8, labelcolor=INK)
    return made


def short(label: str) -> str:
    """A label that fits; a dollar would begin a formula."""
    text = label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 1] + "…"
    return text.replace("$", r"\$")


def _written(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:.3f}"
