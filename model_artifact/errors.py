"""What is said about an artifact that is not taken. Knows no rule."""

from __future__ import annotations

from typing import NoReturn

_SHOWN_CHARACTERS = 120


class UnsafeArtifactError(ValueError):
    """An artifact that is refused: `sentence` is for people and names the member, `code` is for programs."""

    def __init__(self, sentence: str, code: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.code = code


class BrokenArchiveError(UnsafeArtifactError):
    """The archive around the members cannot be read any further, whosever it is."""


def refuse(code: str, member: str, what: str) -> NoReturn:
    """Raise the refusal of one member: `'code/x.pth' is a link.`"""
    raise UnsafeArtifactError(f"{shown(member)} {what}.", code)


def shown(name: str) -> str:
    """A name in quotes, on one line and of readable length, whatever is in it."""
    text = ascii(name)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[: _SHOWN_CHARACTERS - 4]}...{text[-1]}"
