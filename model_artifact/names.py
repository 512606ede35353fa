"""Paths of members: which are safe on any file system, and which would fall together. Knows no contents."""

from __future__ import annotations

import re
import unicodedata

from model_artifact.errors import refuse
from model_artifact.limits import Limits

_PART_BYTES = 255
_DRIVE = re.compile(r"[A-Za-z]:")


def safe_parts(name: str, limits: Limits) -> tuple[str, ...]:
    """The parts of a relative path, './' left out; a refusal for one that leads elsewhere or cannot be read."""
    size = len(name.encode("utf-8", "surrogatepass"))
    if size > limits.name_bytes or any(len(part.encode("utf-8", "replace")) > _PART_BYTES for part in name.split("/")):
        refuse("name-too-long", name, "is too long a name")
    if not name.isprintable():
        refuse("odd-name", name, "is a name with characters that cannot be printed")
    if "\\" in name:
        refuse("odd-name", name, "is a name with a backslash, which is a path on some systems")
    if name.startswith("/") or _DRIVE.match(name):
        refuse("absolute-path", name, "is an absolute path")
    parts = tuple(part for part in name.split("/") if part not in ("", "."))
    if ".." in parts:
        refuse("parent-path", name, "leads out of the folder")
    if len(parts) > limits.depth:
        refuse("name-too-long", name, f"lies more than {limits.depth} folders deep")
    return parts


class Tree:
    """The paths taken so far. Two that differ by case or by Unicode's normal forms only are one on some systems."""

    def __init__(self) -> None:
        self._taken: dict[tuple[str, ...], tuple[tuple[str, ...], bool]] = {}

    def add(self, parts: tuple[str, ...], *, is_folder: bool) -> None:
        """Take a path and the folders above it; a refusal where it is taken or lies below a file."""
        name = "/".join(parts)
        folded = tuple(_folded(part) for part in parts)
        for depth in range(1, len(parts)):
            spelled, above_is_folder = self._taken.setdefault(folded[:depth], (parts[:depth], True))
            if not above_is_folder:
                refuse("duplicate", name, "lies below something that is a file")
            if spelled != parts[:depth]:
                refuse("duplicate", name, "differs from the path of another member by case or normal form only")
        spelled, is_taken_by_folder = self._taken.get(folded, (parts, is_folder))
        if spelled != parts:
            refuse("duplicate", name, "differs from the path of another member by case or normal form only")
        if folded in self._taken and not (is_folder and is_taken_by_folder):
            refuse("duplicate", name, "comes twice")
        self._taken[folded] = (parts, is_folder)


def _folded(part: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", part).casefold())
