"""Makes the libraries that travel inside an artifact importable: the wheels in `code/libraries`, unpacked and no more.

Without pip, which takes seconds of every start to find out what is known already. The wheels are pinned and hashed when
the artifact is built, and the artifact is verified before this runs. Standard library alone; knows nothing of models.
"""

from __future__ import annotations

import hashlib
import os
import platform
import sys
import tempfile
import zipfile
from pathlib import Path

FOLDER = "libraries"


def put_on_path(libraries: Path) -> None:
    """Let imports find the libraries before the interpreter's own; nothing happens where none travel along.

    RuntimeError where a library has no wheel for this interpreter.
    """
    wheels = sorted(libraries.glob("*.whl"))
    fitting = [wheel for wheel in wheels if fits(wheel.name)]
    missing = {_library(wheel) for wheel in wheels} - {_library(wheel) for wheel in fitting}
    if missing:
        raise RuntimeError(f"The artifact holds no {min(missing)} for Python {platform.python_version()} here.")
    for wheel in fitting:
        place = str(_unpacked(wheel))
        if place not in sys.path:
            sys.path.insert(_first_site(), place)


def fits(name: str) -> bool:
    """Whether a wheel of this name runs here: `{library}-{version}-{python}-{abi}-{platform}.whl`."""
    pythons, abi, platforms = name.removesuffix(".whl").rsplit("-", 3)[1:]
    minor = sys.version_info.minor
    is_python = any(
        python in (f"cp3{minor}", "py3")
        or (abi == "abi3" and python.startswith("cp3") and python[3:].isdigit() and int(python[3:]) <= minor)
        for python in pythons.split(".")
    )
    system = "linux" if sys.platform.startswith("linux") else "macosx" if sys.platform == "darwin" else sys.platform
    machine = platform.machine().lower()
    return is_python and any(
        kind == "any" or (system in kind and kind.endswith((machine, "universal2"))) for kind in platforms.split(".")
    )


def _library(wheel: Path) -> str:
    return wheel.name.split("-", 1)[0]


def _first_site() -> int:
    return next((place for place, entry in enumerate(sys.path) if entry.endswith("site-packages")), len(sys.path))


def _unpacked(wheel: Path) -> Path:
    """The folder of the wheel's content, made whole or not at all, and shared by the workers of one container."""
    with wheel.open("rb") as file:
        digest = hashlib.sha256()
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    target = _own_folder() / digest.hexdigest()[:32]
    if not target.is_dir():
        with tempfile.TemporaryDirectory(dir=target.parent, ignore_cleanup_errors=True) as staging:
            content = Path(staging) / "content"
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(content)
            try:
                content.rename(target)
            except OSError:
                if not target.is_dir():  # otherwise another worker was first
                    raise
    return target


def _own_folder() -> Path:
    """A folder for temporary files that no other user can write to."""
    folder = Path(tempfile.gettempdir()) / f"earshot-libraries-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise RuntimeError(f"{folder} belongs to somebody else or is open to others.")
    return folder
