"""XML of strangers as a plain tree: no document types, so no entities to expand, and nothing deep or endless.

Most attacks that XML is known for begin with a document type; feeds need none.
https://docs.python.org/3/library/xml.html#xml-security
It does not know which elements mean what.
"""

from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat  # no document type gets past the handler below

_DEPTH_LIMIT: Final = 50
_ELEMENT_LIMIT: Final = 200_000
_SEPARATOR: Final = " "


class BrokenXmlError(ValueError):
    """No usable XML; the message is one sentence and quotes nothing of it."""


@dataclass
class Element:
    """An element by its local name: feeds put the same names into many namespaces."""

    name: str
    attributes: dict[str, str]
    parts: list[str] = field(default_factory=list)
    children: list["Element"] = field(default_factory=list)

    def all(self, name: str) -> list["Element"]:
        """The children of a name."""
        return [child for child in self.children if child.name == name]

    def first(self, *names: str) -> str | None:
        """The text of the first child with one of the names, in the names' order; None where all are empty."""
        for name in names:
            for child in self.all(name):
                if text := child.whole_text():
                    return text
        return None

    def whole_text(self) -> str:
        """The text in it, that of its children too."""
        return " ".join(["".join(self.parts), *(child.whole_text() for child in self.children)]).strip()


class _Reader:
    """Builds the tree while expat reads."""

    def __init__(self) -> None:
        self.root = Element("", {})
        self._open = [self.root]
        self._count = 0
        self._parser = expat.ParserCreate(namespace_separator=_SEPARATOR)
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        self._parser.StartDoctypeDeclHandler = self._doctype

    def read(self, body: bytes) -> Element:
        try:
            self._parser.Parse(body, True)
        except (expat.ExpatError, ValueError, LookupError) as error:  # LookupError: an encoding nobody knows
            raise BrokenXmlError("It is not XML.") from error
        return self.root.children[0]

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if len(self._open) > _DEPTH_LIMIT or self._count > _ELEMENT_LIMIT:
            raise BrokenXmlError("It is nested too deeply, or too long.")
        element = Element(_local(name), {_local(key): value for key, value in attributes.items()})
        self._open[-1].children.append(element)
        self._open.append(element)

    def _end(self, name: str) -> None:
        self._open.pop()

    def _characters(self, data: str) -> None:
        self._open[-1].parts.append(data)

    def _doctype(self, *_: object) -> None:
        raise BrokenXmlError("It declares a document type.")


def read_xml(body: bytes) -> Element:
    """The root element; BrokenXmlError otherwise."""
    return _Reader().read(body)


def _local(name: str) -> str:
    return name.rpartition(_SEPARATOR)[2]
