"""A stable reference of a customer in place of an address or number, so that neither is kept as one.

The same address gives the same reference over every channel, which is how a customer is recognised and forgotten. It
is a pseudonym and not more: who guesses an address can check the guess, since no key is kept that would prevent it.
"""

import hashlib
import re
import unicodedata
from typing import Final

_ADDRESS: Final = re.compile(r"[^@\s]+@[^@\s]+")
_NUMBER: Final = re.compile(r"\+?[0-9][0-9 ()/.-]{4,30}[0-9]")
_DIGITS: Final = 32


def of_address(address: str) -> str:
    """The reference of an e-mail address, whatever its case."""
    return _reference("mail", unicodedata.normalize("NFC", address.strip()).lower())


def of_number(number: str) -> str:
    """The reference of a telephone number, however it is grouped."""
    return _reference("tel", re.sub(r"[^0-9+]", "", number))


def of_reference(reference: str) -> str:
    """A shop's own reference as it is; an address in its place becomes its pseudonym."""
    reference = reference.strip()
    return of_address(reference) if _ADDRESS.fullmatch(reference) else reference


def looks_like_number(text: str) -> bool:
    """Whether it could be dialled."""
    return bool(_NUMBER.fullmatch(text.strip()))


def _reference(kind: str, value: str) -> str:
    return f"{kind}-" + hashlib.sha256(f"earshot:{kind}:{value}".encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]
