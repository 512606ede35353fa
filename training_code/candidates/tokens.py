"""The words of a text as BlazingText and fastText want them: lower case, punctuation apart, single spaces between.

Used for the training files and again before a model is asked, so that it meets one dialect. Knows nothing of files.
"""

from __future__ import annotations

import re

# The underscore is punctuation here: a text that says "__label__positive" must not become a label of its line.
_TOKEN = re.compile(r"[^\W_]+(?:'[^\W_]+)*|[^\w\s]|_")


def tokenized(text: str) -> str:
    """The text's words and marks on one line: ``It's a fit!`` becomes ``it's a fit !``."""
    return " ".join(_TOKEN.findall(text.lower()))
