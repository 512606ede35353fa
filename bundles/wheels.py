"""Fetches wheels by their locked hashes, once: what was fetched stays in `.build/wheels`.

Knows pip's targets (AWS's images, this machine) and what to say when there is no network. Does not know who needs what.
"""

import hashlib
import subprocess
import sys
import sysconfig
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bundles.errors import BuildError
from bundles.locks import Pin

IMAGE_PYTHON = "312"


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where a wheel has to run."""

    name: str
    pip_arguments: tuple[str, ...]


# The Python of AWS's framework images in stacks/images.json, on the instances that settings name.
IMAGE = Target(
    name=f"cp{IMAGE_PYTHON}-linux-x86_64",
    pip_arguments=(
        "--python-version",
        IMAGE_PYTHON,
        "--implementation",
        "cp",
        *(f"--abi={abi}" for abi in (f"cp{IMAGE_PYTHON}", "abi3", "none")),
        *(f"--platform=manylinux{glibc}_x86_64" for glibc in ("_2_28", "_2_27", "_2_17", "2014")),
    ),
)
# The containers run under this machine's Python when SageMaker is the local one.
LOCAL = Target(name=f"cp{sys.version_info.major}{sys.version_info.minor}-{sysconfig.get_platform()}", pip_arguments=())


def fetch_wheel(pin: Pin, target: Target, cache: Path) -> Path:
    """The package's wheel for the target, from the cache or from the package index; BuildError without either."""
    folder = cache / f"{pin.name}-{pin.version}" / target.name
    cached = _in(folder, pin)
    if cached is not None:
        return cached
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as staging:
        requirements = Path(staging) / "requirements.txt"
        requirements.write_text(f"{pin.hashed_requirement}\n", encoding="utf-8")
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"),
                *("--no-deps", "--only-binary", ":all:", "--require-hashes", *target.pip_arguments),
                *("--dest", staging, "--requirement", str(requirements)),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        wheels = list(Path(staging).glob("*.whl"))
        if done.returncode or len(wheels) != 1:
            raise BuildError(_complaint(pin, target, done.stderr))
        return wheels[0].replace(folder / wheels[0].name)


def _in(folder: Path, pin: Pin) -> Path | None:
    for path in sorted(folder.glob("*.whl")):
        if hashlib.sha256(path.read_bytes()).hexdigest() in pin.hashes:
            return path
    return None


def _complaint(pin: Pin, target: Target, stderr: str) -> str:
    errors = [line.removeprefix("ERROR: ") for line in stderr.splitlines() if line.startswith("ERROR: ")]
    reason = errors[-1] if errors else "pip gave no reason"
    return (
        f"{pin.requirement} for {target.name} is not in .build/wheels and could not be downloaded: {reason}. "
        "The first build needs a network with a package index; after that none."
    )
