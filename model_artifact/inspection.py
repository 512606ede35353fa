"""What an inspection found in an artifact that it did not refuse. Decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Member:
    """One file: its path with slashes, its bytes and their SHA-256."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Inspection:
    """All files in the order they came, their bytes in sum, the archive's own digest and its manifest.

    `sha256` is that of the archive as it is stored, so that one reading answers both what it holds and whether it is
    the one that was registered; empty for a folder. `manifest` is None where there is none of ours.
    """

    members: tuple[Member, ...]
    size: int
    sha256: str
    manifest: Mapping[str, object] | None

    @property
    def digests(self) -> dict[str, str]:
        """SHA-256 by path."""
        return {member.name: member.sha256 for member in self.members}

    @property
    def is_ours(self) -> bool:
        """Its manifest says that this product packed it, and it kept every rule for such artifacts."""
        return self.manifest is not None
