"""A mail's HTML as lines of text, quotes marked with ``>`` as in plain mail, so that one set of rules cuts both.

One pass over the tags and linear in the length, whatever is nested, left open or cut off: what is no tag is text. It
does not know which lines introduce a quote.
"""

import html
import re
from typing import Final

_TAG: Final = re.compile(
    r"<!--|-->|<(?P<closing>/?)(?P<name>[a-zA-Z][a-zA-Z0-9:]{0,30})(?P<attributes>[^<>]*)>|<[!?][^<>]*>"
)
_SILENT: Final = frozenset(("head", "script", "style", "title", "template", "svg"))
_BLOCK: Final = re.compile(
    r"address|article|blockquote|body|br|center|div|d[dlt]|footer|form|h[1-6r]|header|li|ol|p|pre|section|table|tr|ul"
)
_SIGNATURE_BEGINS: Final = re.compile(r"gmail_signature|moz-signature|(?:id|class)\s*=\s*[\"']?signature\b", re.I)


def to_text(markup: str) -> str:
    """The text in lines. A line that begins with ``> `` is quoted; a line ``-- `` begins a signature."""
    lines = _Lines()
    silent: str | None = None  # the element, or the comment, whose content is not shown
    position = 0
    for tag in _TAG.finditer(markup):
        name = (tag["name"] or "").lower()
        if silent is not None:
            is_over = tag[0].endswith("-->") if silent == "<!--" else bool(tag["closing"]) and name == silent
            if is_over:
                silent = None
                position = tag.end()
            continue
        lines.write(html.unescape(markup[position : tag.start()]))
        position = tag.end()
        if tag[0] == "<!--":
            silent = "<!--"
        elif name in _SILENT and not tag["closing"] and not tag["attributes"].endswith("/"):
            silent = name
        elif name:
            lines.mark(name, attributes=tag["attributes"], is_closing=bool(tag["closing"]))
    if silent is None:
        lines.write(html.unescape(markup[position:]))
    return lines.text()


class _Lines:
    """Lines as they grow, quoted or not."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._current: list[str] = []
        self._quotes = 0

    def write(self, text: str) -> None:
        """More of the current line; line breaks in HTML's source are spaces."""
        self._current.append(text)

    def mark(self, name: str, *, attributes: str, is_closing: bool) -> None:
        """A tag: blocks end the line, quotes mark what follows."""
        if _BLOCK.fullmatch(name):
            self._end_line()
        if name == "blockquote":
            self._quotes = max(0, self._quotes + (-1 if is_closing else 1))
        elif attributes and not is_closing and _SIGNATURE_BEGINS.search(attributes):
            self._end_line()
            self._lines.append("> -- " if self._quotes else "-- ")

    def text(self) -> str:
        """All lines."""
        self._end_line()
        return "\n".join(self._lines)

    def _end_line(self) -> None:
        line = " ".join("".join(self._current).split())
        self._current = []
        if line:
            self._lines.append(f"> {line}" if self._quotes else line)
