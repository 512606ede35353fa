"""The page that accompanies one `analysis.json`, as Clarify's `report.html` does: its figures in tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training_code.bias.analysis import SECTION
from training_code.reports.page import Section, page, table

_STAGES = dict(zip(SECTION.values(), ("Before training", "After training"), strict=True))


def analysis_page(document: Mapping[str, Any], *, title: str) -> str:
    """The page as HTML."""
    sections = []
    for key, stage in _STAGES.items():
        for facet, values in document.get(key, {}).get("facets", {}).items():
            names = [metric["name"] for metric in values[0]["metrics"]] if values else []
            rows = [
                [entry["value_or_threshold"], *(_figure(metric["value"]) for metric in entry["metrics"])]
                for entry in values
            ]
            sections.append(Section(title=f"{stage}: {facet}", parts=[table([facet, *names], rows)]))
    favoured = next(document[key]["label_value_or_threshold"] for key in _STAGES if key in document)
    return page(title, summary=f"Each value against all others; the outcome followed is {favoured}.", sections=sections)


def _figure(value: float | str | None) -> str:
    return "none" if value is None else value if isinstance(value, str) else f"{value:.6f}"
