"""The code of the three served containers: entry point, the files it imports, and wheels for what its image lacks.

The wheels lie in `code/libraries`; the containers unpack the fitting one themselves and put it on the path
(`training_code.containers.vendored`). No pip is asked what is known since the build: it was most of a cold start.

Knows the toolkits in AWS's images. Endpoints run without a network, and both toolkits call pip where they see cause:

- scikit-learn (sagemaker-containers): copies `code/` to /opt/ml/code and runs `pip install . -r requirements.txt`
  there, with a `setup.py` that it writes itself. pip builds that with setuptools, so a wheel of it travels along, and a
  `pyproject.toml` that asks for no more than that, whichever pip it is. `requirements.txt` names no package: it forbids
  the index and points at that wheel.
- Hugging Face (sagemaker-inference): runs `pip install -r requirements.txt` where there is such a file. There is none.

Does not know models.
"""

from dataclasses import dataclass
from pathlib import Path

from bundles.locks import APP, TRAINING, Pin, pinned
from bundles.slim_wheel import slim_wheel
from bundles.sources import ROOT, imported_files
from bundles.wheels import IMAGE, LOCAL, fetch_wheel
from training_code.artifacts import CONTAINERS, write_archive
from training_code.containers import vendored

OUR_PACKAGES = ("feedback", "model_artifact", "training_code")


@dataclass(frozen=True, kw_only=True)
class Library:
    """A package that an image lacks.

    `keep` are the dependencies that our use of it imports, `leave_out` patterns of files that it never opens.
    """

    name: str
    lock: Path
    keep: tuple[str, ...]
    leave_out: tuple[str, ...] = ()

    @property
    def pin(self) -> Pin:
        return pinned(self.name, self.lock)


# A graph in OpenVINO's own form or ONNX, on the CPU: no other devices, no other formats, nothing to compile against.
OTHER_THAN_CPU = (
    *(f"openvino/libs/libopenvino_{device}_plugin.so" for device in ("intel_gpu", "intel_npu", "auto", "auto_batch")),
    "openvino/libs/libopenvino_hetero_plugin.so",
    *(f"openvino/libs/libopenvino_{form}_frontend.so*" for form in ("tensorflow", "tensorflow_lite", "pytorch")),
    *(f"openvino/libs/libopenvino_{form}_frontend.so*" for form in ("paddle", "gguf", "jax")),
    "openvino/libs/libopenvino_c.so*",
    "openvino/libs/cache.json",
    "openvino/include/*",
    "openvino/cmake/*",
    "*.pyi",
)
LIBRARIES: dict[str, tuple[Library, ...]] = {
    "transform": (Library(name="tokenizers", lock=APP, keep=()),),
    "classify": (Library(name="openvino", lock=TRAINING, keep=("numpy",), leave_out=OTHER_THAN_CPU),),
    "label": (),
}
BUILT_BY_PIP = ("transform", "label")
"""Containers whose toolkit lets pip build a package of the code."""
REQUIREMENTS = b"--no-index\n--find-links wheels\n"
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
        *(f"{library.pin.hashed_requirement} keep {library.keep} {library.leave_out}" for library in libraries),
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
        for wheel in _libraries(container, cache):
            files[f"{code}/{vendored.FOLDER}/{wheel.name}"] = wheel
        if container in BUILT_BY_PIP:
            build_tool = fetch_wheel(pinned("setuptools", APP), IMAGE, cache)
            files[f"{code}/wheels/{build_tool.name}"] = build_tool
            texts[f"{code}/requirements.txt"] = REQUIREMENTS
            texts[f"{code}/pyproject.toml"] = BUILD_SYSTEM
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".part")
    write_archive(partial, files, texts)
    partial.replace(target)


def _libraries(container: str, cache: Path) -> list[Path]:
    """One wheel per image and one for this machine; they are the same file where one serves both."""
    wheels = {
        slim_wheel(
            fetch_wheel(library.pin, target, cache), cache / "slim", keep=library.keep, leave_out=library.leave_out
        )
        for library in LIBRARIES[container]
        for target in (IMAGE, LOCAL)
    }
    return sorted(wheels)
