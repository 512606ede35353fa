"""First container: request lines to tensors, cleaned and tokenised exactly as in training.

A line that cannot be used travels on as an error in its place; a line that asks for an explanation takes its variants
along as rows of their own. Knows nothing of models or labels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from training_code.containers import selftest
from training_code.containers.artifact import open_artifact
from training_code.containers.content_types import TENSORS
from training_code.containers.errors import answering
from training_code.containers.lines import Line
from training_code.containers.occlusion import MOST_LINES, variants
from training_code.containers.ragged import Ragged
from training_code.containers.requests import Request, parse_request
from training_code.containers.tensors import Message, pack

if TYPE_CHECKING:
    from training_code.containers.tokenization import Tokenization


def model_fn(model_dir: str) -> Tokenization:
    open_artifact(model_dir, container="transform")
    # The library under it is importable only now.
    from training_code.containers.tokenization import Tokenization

    tokenization = Tokenization.load(model_dir)
    selftest.check_transform(model_dir, tokenization.encode)
    return tokenization


@answering
def input_fn(body: bytes | str, content_type: str) -> Request:
    return parse_request(body, content_type)


@answering
def predict_fn(data: Request, model: Tokenization) -> Message:
    texts = [line.text for line in data.lines if line.text is not None]
    whole = iter(model.encode(texts))
    explained = [line.text for line in data.lines if line.text is not None and line.explain][:MOST_LINES]
    encodings = iter(model.encode_with_offsets(explained)) if explained else iter(())
    rows: list[list[int]] = []
    lines: list[Line] = []
    for line in data.lines:
        if line.text is None:
            lines.append(Line(id=line.id, row=None, error=line.error))
            continue
        row = len(rows)
        rows.append(next(whole))
        encoding = next(encodings, None) if line.explain else None
        words: tuple[str, ...] | None = None
        if encoding is not None:
            found = variants(line.text, encoding.ids, encoding.offsets, encoding.special_tokens_mask)
            rows.extend(variant.ids for variant in found)
            words = tuple(variant.words for variant in found)
        lines.append(Line(id=line.id, row=row, error=None, words=words))
    ragged = Ragged.of(rows)
    return Message(tensors={"ids": ragged.ids, "lengths": ragged.lengths}, lines=lines, is_single=data.is_single)


@answering
def output_fn(prediction: Message, accept: str) -> tuple[bytes, str]:
    """Always the binary type: the next container understands it, whatever the client accepts at the far end."""
    del accept
    return pack(prediction), TENSORS
