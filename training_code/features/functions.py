"""The functions of a text as Ibis names them. Each engine registers them by these names (`duck`, `spark`).

Not Ibis's own kind of Arrow function: on Spark that is called once a row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ibis
import pyarrow as pa

from training_code.features import shingles, texts


@dataclass(frozen=True, kw_only=True)
class Function:
    """A function of whole string columns, in Arrow."""

    name: str
    inputs: int
    returns: pa.DataType
    function: Callable[..., pa.Array]


# Ibis has no types for it.
_builtin: Callable[..., Callable[[Callable[..., Any]], Callable[..., Any]]] = ibis.udf.scalar.builtin

FUNCTIONS = (
    Function(name="composed_text", inputs=2, returns=pa.string(), function=texts.composed),
    Function(name="normalised_text", inputs=1, returns=pa.string(), function=texts.normalised),
    Function(name="language_of_text", inputs=1, returns=pa.string(), function=texts.languages),
    Function(name="signature_of_text", inputs=1, returns=pa.list_(pa.int64()), function=shingles.signatures),
    Function(name="likeness_of_texts", inputs=2, returns=pa.float64(), function=shingles.likeness),
)


@_builtin(name="composed_text", signature=(("string", "string"), "string"))
def composed(title: Any, text: Any) -> Any: ...


@_builtin(name="normalised_text", signature=(("string",), "string"))
def normalised(text: Any) -> Any: ...


@_builtin(name="language_of_text", signature=(("string",), "string"))
def language(text: Any) -> Any: ...


@_builtin(name="signature_of_text", signature=(("string",), "array<int64>"))
def signature(text: Any) -> Any: ...


@_builtin(name="likeness_of_texts", signature=(("string", "string"), "float64"))
def likeness(first: Any, second: Any) -> Any: ...
