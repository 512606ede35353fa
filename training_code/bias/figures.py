"""Draws differences between groups with their intervals. Needs matplotlib; knows nothing of files or of HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from training_code.reports.charts import INK, short

_BELOW, _ABOVE, _UNSURE = "#2a7fb8", "#d1690e", "#8c8c8c"
_INCHES_PER_ROW = 0.28


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One metric: a value and an interval for each group, None where there is no figure."""

    title: str
    values: Sequence[float | None]
    intervals: Sequence[tuple[float, float]]
    is_of_few_rows: Sequence[bool]


def differences(groups: Sequence[str], panels: Sequence[Panel]) -> Figure:
    """Panels side by side, a line per group: orange is above 0, blue below, grey unsure, and hollow is of few rows."""
    figure = Figure(figsize=(9, 1.1 + _INCHES_PER_ROW * len(groups)), layout="constrained")
    figure.patch.set_alpha(0)
    axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    rows = range(len(groups))
    for axis, panel in zip(axes, panels, strict=True):
        axis.patch.set_alpha(0)
        axis.axvline(0, color=INK, linewidth=0.8)
        for row, value, (low, high), is_few in zip(
            rows, panel.values, panel.intervals, panel.is_of_few_rows, strict=True
        ):
            if value is None:
                axis.annotate("none", (0, row), color=INK, fontsize=8, ha="center", va="center")
                continue
            color = _UNSURE if is_few else _ABOVE if low > 0 else _BELOW if high < 0 else _UNSURE
            axis.plot([100 * low, 100 * high], [row, row], color=color, linewidth=0.8 if is_few else 2)
            axis.plot([100 * value], [row], "o", color=color, markersize=5, fillstyle="none" if is_few else "full")
        axis.set_title(panel.title, fontsize=9, color=INK)
        axis.set_yticks(list(rows), [short(group) for group in groups])
        axis.set_xlabel("points", fontsize=8, color=INK)
        axis.tick_params(colors=INK, labelsize=8)
        axis.spines[["top", "right", "left"]].set_visible(False)
        axis.spines["bottom"].set_color(INK)
    axes[0].invert_yaxis()
    return figure
