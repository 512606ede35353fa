"""The code of the three served containers: entry point, the files it imports, and wheels for what its image lacks.

Knows the toolkits in AWS's images. Both install `code/requirements.txt` with pip when a container starts, and endpoints
run without a network, so that file forbids the index and points at the wheels beside it. Does not know models.

- scikit-learn (sagemaker-containers): copies `code/` to /opt/ml/code and runs `pip install . -r requirements.txt`
  there, with a `setup.py` that it writes itself. pip builds that with setuptools, so a wheel of it travels along, and a
  `pyproject.toml` that asks for no more than that, whichever pip it is.
- Hugging Face (sagemaker-inference): runs `pip install -r /opt/ml/model/code/requirements.txt`.
"""

from dataclasses import dataclass
from pathlib import Path

from bundles.locks import APP, TRAINING, Pin, pinned
from bundles.slim_wheel import LABEL, slim_wheel
from bundles.sources import ROOT, imported_files
from bundles.wheels import IMAGE, LOCAL, fetch_wheel
from training_code.artifacts import CONTAINERS, write_archive

OUR_PACKAGES = ("feedback", "training_code")


@dataclass(frozen=True, kw_only=True)
class Library:
    """A package that an image lacks. `keep` are the dependencies that our use of it imports."""

    name: str
    lock: Path
    keep: tuple[str, ...]

    @property
    def pin(self) -> Pin:
        return pinned(self.name, self.lock)


LIBRARIES: dict[str, tuple[Library, ...]] = {
    "transform": (Library(name="tokenizers", lock=APP, keep=()),),
    "classify": (Library(name="onnxruntime", lock=TRAINING, keep=("numpy",)),),
    "label": (),
}
BUILT_BY_PIP = ("transform", "label")
"""Containers whose toolkit lets pip build a package of the code."""
BUILD_SYSTEM = b'[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'


def program(container: str) -> Path:
    """The entry point with the four verbs."""
    return ROOT / "training_code" / "containers" / container / "inference.py"


def sources() -> dict[str, Path]:
    """Every file that goes in, by name."""
    found: dict[str, Path] = {}
    for container in CONTAINERS:
        found[f"{container}/inference.py"] = program(container)
        found |= imported_files(program(container), packages=OUR_PACKAGES)
    return found


def pins() -> tuple[str, ...]:
    """Every wheel that goes in, as text."""
    libraries = [library for container in CONTAINERS for library in LIBRARIES[container]]
    return (
        *(f"{library.pin.hashed_requirement} keep {library.keep}" for library in libraries),
        pinned("setuptools", APP).hashed_requirement,
    )


def build_serving(target: Path, *, cache: Path) -> None:
    """Write the archive with `{transform,classify,label}/code/...`."""
    files: dict[str, Path] = {}
    texts: dict[str, bytes] = {}
    for container in CONTAINERS:
        code = f"{container}/code"
        files[f"{code}/inference.py"] = program(container)
        for name, path in imported_files(program(container), packages=OUR_PACKAGES).items():
            files[f"{code}/{name}"] = path
        for wheel in _wheels(container, cache):
            files[f"{code}/wheels/{wheel.name}"] = wheel
        texts[f"{code}/requirements.txt"] = _requirements(container)
        if container in BUILT_BY_PIP:
            texts[f"{code}/pyproject.toml"] = BUILD_SYSTEM
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".part")
    write_archive(partial, files, texts)
    partial.replace(target)


def _requirements(container: str) -> bytes:
    lines = ["--no-index", "--find-links wheels"]
    lines += [f"{library.pin.requirement}+{LABEL}" for library in LIBRARIES[container]]
    return "".join(f"{line}\n" for line in lines).encode("ascii")


def _wheels(container: str, cache: Path) -> list[Path]:
    """One per image and one for this machine; they are the same file where one serves both."""
    wheels = {
        slim_wheel(fetch_wheel(library.pin, target, cache), cache / "slim", keep=library.keep)
        for library in LIBRARIES[container]
        for target in (IMAGE, LOCAL)
    }
    if container in BUILT_BY_PIP:
        wheels.add(fetch_wheel(pinned("setuptools", APP), IMAGE, cache))
    return sorted(wheels)
