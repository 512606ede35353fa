"""One step of a build: done when what goes in has changed or what comes out is missing, and only then.

Knows digests and stamps. Does not know what a step makes.
"""

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Step:
    """`inputs` are files by name; `settings` are texts that the result depends on besides."""

    name: str
    inputs: Mapping[str, Path]
    settings: tuple[str, ...]
    outputs: tuple[Path, ...]
    build: Callable[[], None]

    def digest(self) -> str:
        """One digest over everything that goes in."""
        digest = hashlib.sha256()
        for text in self.settings:
            digest.update(f"{text}\0".encode())
        for name in sorted(self.inputs):
            digest.update(f"{name}\0{hashlib.sha256(self.inputs[name].read_bytes()).hexdigest()}\0".encode())
        return digest.hexdigest()


def run_step(step: Step, *, stamps: Path, say: Callable[[str], None]) -> bool:
    """Build if need be; True when something was built. The stamp is written last, so a broken build starts again."""
    stamp = stamps / step.name
    digest = step.digest()
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == digest and all(p.exists() for p in step.outputs):
        say(f"{step.name:<9} unchanged")
        return False
    stamp.unlink(missing_ok=True)
    say(f"{step.name:<9} building")
    started = time.monotonic()
    step.build()
    stamps.mkdir(parents=True, exist_ok=True)
    stamp.write_text(digest, encoding="utf-8")
    size = sum(_size(path) for path in step.outputs)
    say(f"{step.name:<9} {size / 1e6:.1f} MB in {time.monotonic() - started:.1f} s")
    return True


def _size(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
