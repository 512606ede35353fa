"""Texts to token ids, the same in training and in serving: one `tokenizer.json`, one length, one way to cut.

Needs the `tokenizers` package. Knows nothing of cleaning (`feedback.text`) or of models.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tokenizers import Encoding, Tokenizer

from training_code.containers.manifest import read_json

LONGEST = 1_000_000
"""More tokens than any model reads; a number that is none of ours."""
CHARACTERS_PER_TOKEN = 24
"""Text beyond `max_length` times this many characters is not even read: no language spends so much on a token, and
a text of 100,000 characters must not cost a hundred times a normal one."""


@dataclass(frozen=True)
class Tokenization:
    """A tokenizer that cuts at `max_length` tokens (special ones included) and pads nothing."""

    tokenizer: Tokenizer
    max_length: int
    pad_id: int = 0

    @classmethod
    def load(cls, directory: str | Path) -> Tokenization:
        """From `tokenizer.json` and `tokenization.json` in an artifact; RuntimeError when one is missing or wrong."""
        settings = read_json(str(directory), "tokenization.json")
        max_length, pad_id = settings.get("max_length"), settings.get("pad_id", 0)
        if type(max_length) is not int or not 3 <= max_length <= LONGEST or type(pad_id) is not int:
            raise RuntimeError("tokenization.json in the model artifact states no usable max_length.")
        path = Path(directory) / "tokenizer.json"
        if not path.is_file():
            raise RuntimeError("The model artifact has no tokenizer.json.")
        return cls.configured(Tokenizer.from_file(str(path)), max_length=max_length, pad_id=pad_id)

    @classmethod
    def configured(cls, tokenizer: Tokenizer, *, max_length: int, pad_id: int) -> Tokenization:
        tokenizer.no_padding()
        tokenizer.enable_truncation(max_length)
        return cls(tokenizer=tokenizer, max_length=max_length, pad_id=pad_id)

    def encode(self, texts: list[str]) -> list[list[int]]:
        """The ids of each text, on all cores where there are many."""
        return [encoding.ids for encoding in self.tokenizer.encode_batch_fast(self._readable(texts))]

    def encode_with_offsets(self, texts: list[str]) -> list[Encoding]:
        """The same ids, and where in the text each comes from; slower."""
        encodings: list[Encoding] = self.tokenizer.encode_batch(self._readable(texts))
        return encodings

    def _readable(self, texts: list[str]) -> list[str]:
        limit = self.max_length * CHARACTERS_PER_TOKEN
        return [text[:limit] for text in texts]
