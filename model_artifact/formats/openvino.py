"""OpenVINO's intermediate representation: an XML graph of known operations beside a file of raw weights.

The XML is read as a stream of tags without any entity, so that nothing is expanded or fetched. Operations of an
extension would need a library of somebody's: only the numbered operation sets are taken.
"""

from __future__ import annotations

import re
from xml.parsers import expat

from model_artifact.content import CHUNK_BYTES, Content
from model_artifact.errors import refuse
from model_artifact.formats.magic import HEAD_BYTES, container_in, is_pickle, is_script, program_in

ELEMENTS = 5_000_000
DEPTH = 64
_OPERATION_SET = re.compile(r"opset\d{1,2}")
_KIND = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")


def check_graph(content: Content) -> None:
    """A `<net>` whose layers are all of a numbered operation set."""
    try:
        _Graph(content.name).read(content)
    except expat.ExpatError as error:
        refuse("not-openvino", content.name, f"is no OpenVINO graph: {expat.ErrorString(error.code)}")


def check_weights(content: Content) -> None:
    """Raw numbers have no form: they must only not be something else."""
    head = content.head(HEAD_BYTES)
    kind = program_in(head) or container_in(head)
    if kind or is_script(head) or is_pickle(head):
        refuse("not-weights", content.name, f"is {kind or 'a script or a pickle'} and not the weights of a graph")


class _Graph:
    def __init__(self, name: str) -> None:
        self._name = name
        self._elements = 0
        self._open: list[str] = []
        self._parser = expat.ParserCreate()
        self._parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        self._parser.StartElementHandler = self._begin
        self._parser.EndElementHandler = self._end
        self._parser.StartDoctypeDeclHandler = self._refuse_declaration
        self._parser.EntityDeclHandler = self._refuse_declaration
        self._parser.ProcessingInstructionHandler = self._refuse_declaration

    def read(self, content: Content) -> None:
        while chunk := content.read(CHUNK_BYTES):
            self._parser.Parse(chunk, False)
        self._parser.Parse(b"", True)

    def _begin(self, tag: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if not self._open and tag != "net":
            refuse("not-openvino", self._name, "is no OpenVINO graph: it does not begin with <net>")
        if self._elements > ELEMENTS or len(self._open) >= DEPTH:
            refuse("not-openvino", self._name, "has more or deeper elements than any graph")
        if tag == "layer":
            version, kind = attributes.get("version", ""), attributes.get("type", "")
            if not _OPERATION_SET.fullmatch(version) or not _KIND.fullmatch(kind):
                refuse("custom-operation", self._name, "has a layer that is none of OpenVINO's own operations")
        self._open.append(tag)

    def _end(self, _tag: str) -> None:
        self._open.pop()

    def _refuse_declaration(self, *_declared: object) -> None:
        refuse("xml-entity", self._name, "declares entities or instructions, which no graph needs")
