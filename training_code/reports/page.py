"""Report pages: one file each, with style and figures inside, readable in light and dark, and on paper.

Everything that is given as text is escaped, since a review may hold anything. Knows nothing of what a page reports.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2
import matplotlib as mpl
from markupsafe import Markup, escape
from matplotlib.figure import Figure

_TEMPLATE = Path(__file__).with_name("page.html.j2")
_NUMBER = re.compile(r"[-+]?[$]?[\d,]*\.?\d+\s?(%|s|min|h|MB|kB|points)?( to [-+]?[\d.,]+%?)?")
_PROLOGUE = re.compile(r"^.*?(?=<svg)", re.DOTALL)


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it."""

    title: str
    parts: Sequence[Markup]


def page(title: str, *, summary: str, sections: Sequence[Section]) -> str:
    """The whole document; equal content gives equal bytes."""
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    template = environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))
    named = [(f"part-{place}", section) for place, section in enumerate(sections, start=1)]
    rendered: str = template.render(title=title, summary=summary, sections=named)
    return rendered + "\n"


def paragraph(text: str) -> Markup:
    """Running text."""
    return Markup("<p>{}</p>").format(text)


def note(text: str) -> Markup:
    """What a reader should know before believing a figure."""
    return Markup('<p class="note">{}</p>').format(text)


def table(headers: Sequence[str], rows: Sequence[Sequence[object]], *, caption: str = "") -> Markup:
    """Cells are escaped; what reads as a number stands to the right. Markup goes in as it is."""
    head = Markup("").join(Markup("<th>{}</th>").format(header) for header in headers)
    body = Markup("").join(Markup("<tr>{}</tr>").format(Markup("").join(map(_cell, row))) for row in rows)
    said = Markup("<caption>{}</caption>").format(caption) if caption else Markup("")
    return Markup('<div class="wide"><table>{}<thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>').format(
        said, head, body
    )


def _cell(value: object) -> Markup:
    text = "" if value is None else value
    kind = Markup(' class="number"') if _NUMBER.fullmatch(str(escape(text))) else Markup("")
    return Markup("<td{}>{}</td>").format(kind, text)


def figure(fig: Figure, *, caption: str, alt: str) -> Markup:
    """A matplotlib figure as an inline drawing; no date and no random names in it."""
    target = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": caption or "figure", "svg.fonttype": "none"}):
        fig.savefig(target, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    drawing = _PROLOGUE.sub("", target.getvalue(), count=1)
    # The drawing fills its column instead of keeping its size in points; the viewBox keeps its shape.
    drawing = re.sub(r"<svg\b[^>]*>", lambda found: _fluid(found[0]), drawing, count=1)
    return Markup('<figure role="img" aria-label="{}">{}<figcaption>{}</figcaption></figure>').format(
        alt,
        Markup(drawing),  # noqa: S704 - matplotlib escapes the texts in its drawings
        caption,
    )


def _fluid(opening: str) -> str:
    width = re.search(r'\bwidth="([\d.]+)pt"', opening)
    bare = re.sub(r'\s(width|height)="[^"]*"', "", opening)
    limit = f' style="width:100%;max-width:{float(width[1]) * 1.34:.0f}px;height:auto"' if width else ""
    return bare[:-1] + limit + ">"
