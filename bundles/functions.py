"""The bundle of all Lambda functions: our packages and the pure Python that they import beyond the runtime's.

Knows the bundle's layout. boto3 comes with Lambda's runtime and is not in it. Does not know the functions.
"""

import shutil
import zipfile
from pathlib import Path

from bundles.errors import BuildError
from bundles.locks import APP, pinned
from bundles.sources import ROOT, files_below
from bundles.wheels import IMAGE, fetch_wheel

LIBRARIES = ("fastjsonschema", "tzdata")


def sources() -> dict[str, Path]:
    """Every file that goes in, by name."""
    return files_below(ROOT / "feedback") | files_below(ROOT / "lambdas") | files_below(ROOT / "model_artifact")


def pins() -> tuple[str, ...]:
    """Every wheel that goes in, as text."""
    return tuple(pinned(name, APP).hashed_requirement for name in LIBRARIES)


def build_functions(target: Path, *, cache: Path) -> None:
    """Write the folder anew; the CDK zips it."""
    partial = target.with_name(f"{target.name}.part")
    shutil.rmtree(partial, ignore_errors=True)
    for name, path in sources().items():
        copy = partial / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    for library in LIBRARIES:
        _unpack(fetch_wheel(pinned(library, APP), IMAGE, cache), partial)
    shutil.rmtree(target, ignore_errors=True)
    partial.rename(target)


def _unpack(wheel: Path, folder: Path) -> None:
    if not wheel.name.endswith("-none-any.whl"):
        raise BuildError(f"{wheel.name} is not pure Python, and the functions run on another processor than this one.")
    with zipfile.ZipFile(wheel) as source:
        source.extractall(folder)
