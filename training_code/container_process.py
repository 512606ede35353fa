"""One serving container as a child process: reads requests from stdin, answers on stdout, framed by lengths.

Started by path with the folder of an unpacked artifact. Only that artifact's `code/` is importable as our code, so what
is measured is what is shipped. Uses the standard library alone; knows nothing of what a container does.
"""

from __future__ import annotations

import importlib
import os
import struct
import sys
from pathlib import Path
from typing import BinaryIO

HEAD = struct.Struct("<IQ")


def read_frame(stream: BinaryIO) -> tuple[str, bytes] | None:
    """A label (a content type, or 'error') and a body; None at the end of the stream."""
    head = stream.read(HEAD.size)
    if len(head) < HEAD.size:
        return None
    label_size, body_size = HEAD.unpack(head)
    label = stream.read(label_size).decode()
    return label, stream.read(body_size)


def write_frame(stream: BinaryIO, label: str, body: bytes) -> None:
    encoded = label.encode()
    stream.write(HEAD.pack(len(encoded), len(body)) + encoded + body)
    stream.flush()


def main(artifact: Path) -> None:
    # What a library prints must not get between the frames.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sys.path[0] = str(artifact / "code")
    handler = importlib.import_module("inference")
    model = handler.model_fn(str(artifact))
    while (frame := read_frame(sys.stdin.buffer)) is not None:
        content_type, body = frame
        try:
            prediction = handler.predict_fn(handler.input_fn(body, content_type), model)
            answer, answer_type = handler.output_fn(prediction, "*/*")
        except Exception as error:
            # Passed on whole: the parent raises it as its own.
            write_frame(answers, "error", f"{type(error).__name__}: {error}".encode())
            continue
        write_frame(answers, answer_type, answer)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
