"""Plain texts: vocabularies, source code, requirements. Knows nothing of what a text says."""

from __future__ import annotations

import codecs

from model_artifact.content import CHUNK_BYTES, Content
from model_artifact.errors import refuse

# Whatever is neither of these and below a blank: a sign of binary data. The form feed is legal in Python sources.
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f"))


def check_text(content: Content) -> None:
    """UTF-8 without control characters."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while chunk := content.read(CHUNK_BYTES):
            if chunk.translate(None, _CONTROLS) != chunk:
                refuse("not-text", content.name, "holds control characters, which no text does")
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        refuse("not-text", content.name, "is not a UTF-8 text")
