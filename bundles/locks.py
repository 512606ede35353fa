"""The exact versions and hashes of packages, out of the project's own lock files.

Knows the format that pip's `--require-hashes` reads. There is no second list of versions in the bundles.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bundles.errors import BuildError
from bundles.sources import ROOT

APP = ROOT / "requirements.txt"
TRAINING = ROOT / "requirements-training.txt"

_PIN = re.compile(r"^(?P<name>[A-Za-z0-9_.-]+)(?:\[[^\]]*\])?==(?P<version>[^ ;\\]+)(?P<marker>[^\\]*)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


@dataclass(frozen=True, kw_only=True)
class Pin:
    """One package in one version, with the digests of all its files."""

    name: str
    version: str
    hashes: frozenset[str]
    marker: str = ""
    """Where it is meant for some Pythons only: `; python_full_version < '3.12'`."""

    @property
    def requirement(self) -> str:
        """`name==version`, with its marker where it has one."""
        return f"{self.name}=={self.version} {self.marker}".rstrip()

    @property
    def hashed_requirement(self) -> str:
        """The same for pip's `--require-hashes`."""
        return " ".join((self.requirement, *(f"--hash=sha256:{digest}" for digest in sorted(self.hashes))))


def pinned(name: str, lock: Path) -> Pin:
    """The package as the lock names it; BuildError where it does not, or names one version per Python."""
    pins = pinned_for_each(name, lock)
    if len(pins) != 1:
        raise BuildError(f"{lock.name} names {len(pins)} versions of {name}, and one is needed.")
    return pins[0]


def pinned_for_each(name: str, lock: Path) -> tuple[Pin, ...]:
    """The package in every version that the lock names, one for each range of Pythons; BuildError for none."""
    pins = tuple(pin for pin in _pins(lock) if pin.name == name)
    if not pins:
        raise BuildError(f"{lock.name} names 0 versions of {name}, and one is needed.")
    return pins


@cache
def _pins(lock: Path) -> tuple[Pin, ...]:
    text = lock.read_text(encoding="utf-8").replace("\\\n", " ")
    return tuple(
        Pin(
            name=match["name"].lower(),
            version=match["version"],
            hashes=frozenset(_HASH.findall(line)),
            marker=match["marker"].partition("--hash")[0].strip(),
        )
        for line in text.splitlines()
        if (match := _PIN.match(line))
    )
