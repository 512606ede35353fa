"""The project's own source files: what belongs to a folder, and what a program needs of our packages.

Knows how imports lead from file to file. Does not know what the files are for.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from bundles.errors import BuildError

ROOT = Path(__file__).resolve().parent.parent
_LEFT_OUT = {"__pycache__"}


def files_below(folder: Path, *, root: Path = ROOT) -> dict[str, Path]:
    """Every source file below a folder of the project, by its path from the root."""
    if not folder.is_dir():
        raise BuildError(f"The folder {folder.relative_to(root)} is missing: is this a whole checkout?")
    return {
        path.relative_to(root).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not _LEFT_OUT.intersection(path.parts) and path.suffix != ".pyc"
    }


def imported_files(program: Path, *, packages: tuple[str, ...], root: Path = ROOT) -> dict[str, Path]:
    """The files of `packages` that a program imports, directly or not, by their path from the root.

    An artifact that holds only these changes only when they do.
    """
    if not program.is_file():
        raise BuildError(f"The program {program.relative_to(root)} is missing: is this a whole checkout?")
    found: dict[str, Path] = {}
    waiting = [program]
    while waiting:
        for module in _modules_in(waiting.pop()):
            if module.split(".")[0] not in packages:
                continue
            for path in _files_of(module, root):
                name = path.relative_to(root).as_posix()
                if name not in found:
                    found[name] = path
                    waiting.append(path)
    return dict(sorted(found.items()))


def _modules_in(path: Path) -> Iterator[str]:
    """Names that may be modules: of `from a.b import c`, both `a.b` and `a.b.c`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), filename=str(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _files_of(module: str, root: Path) -> Iterator[Path]:
    """The module's file and the `__init__.py` of every package on the way to it; nothing for a mere name."""
    parts = module.split(".")
    for length in range(1, len(parts) + 1):
        place = root.joinpath(*parts[:length])
        for path in (place / "__init__.py", place.with_suffix(".py")):
            if path.is_file():
                yield path
