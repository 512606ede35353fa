"""Installs the wheels that travel inside a model artifact, without a network and without touching the interpreter.

AWS's toolkits run ``pip install -r code/requirements.txt`` when a container starts. Here many containers share one
interpreter, so the same decision (what does pip still want, given what the image has?) is taken with a dry run, and
the wheels it names go to a folder of their own that is kept by the digest of what was asked for. Runs inside the
container with nothing but the standard library; knows nothing of models and requests.
"""

import fcntl
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import unquote, urlparse

PIP_TIMEOUT_SECONDS = 300


class PackagesError(Exception):
    """The artifact's requirements cannot be installed from the artifact itself; the message says why."""


def install(code: Path, cache: Path) -> Path | None:
    """The folder holding what ``code/requirements.txt`` asks for, made now if need be; None where nothing is asked."""
    requirements = code / "requirements.txt"
    if not requirements.is_file():
        return None
    _refuse_addresses(requirements)
    if not _names_a_package(requirements):
        return None
    target = cache / _digest(code)
    cache.mkdir(parents=True, exist_ok=True)
    # Containers of one chain often ask for the same; the second waits for the first. A lock dies with its process.
    with target.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            _install(requirements, target)
    return target


def _install(requirements: Path, target: Path) -> None:
    """Make ``target`` whole or not at all."""
    with tempfile.TemporaryDirectory(prefix="installing-", dir=target.parent) as staging:
        site = Path(staging) / "site"
        site.mkdir()
        wheels = _missing_wheels(requirements, Path(staging) / "report.json")
        if wheels:
            _pip("--no-deps", "--no-compile", "--target", str(site), *map(str, wheels), cwd=requirements.parent)
        site.rename(target)


def put_on_path(packages: Path) -> None:
    """Let imports find ``packages`` before the interpreter's own site-packages, but after the standard library."""
    first_site = next((i for i, entry in enumerate(sys.path) if entry.endswith("site-packages")), len(sys.path))
    sys.path.insert(first_site, str(packages))


def _refuse_addresses(requirements: Path) -> None:
    for line in requirements.read_text().splitlines():
        wanted = line.split("#", 1)[0].strip()
        if "://" in wanted:
            raise PackagesError(
                f"requirements.txt names an address ({wanted}): only wheels inside the artifact are used"
            )


def _names_a_package(requirements: Path) -> bool:
    """Whether there is anything but options and comments: pip needs a second to find out that there is not."""
    lines = (line.split("#", 1)[0].strip() for line in requirements.read_text().splitlines())
    return any(line and (not line.startswith("-") or line.startswith(("-r", "--requirement"))) for line in lines)


def _digest(code: Path) -> str:
    digest = hashlib.sha256(sys.version.encode())
    for path in [code / "requirements.txt", *sorted(code.rglob("*.whl"))]:
        digest.update(f"\0{path.relative_to(code).as_posix()}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:32]


def _missing_wheels(requirements: Path, report: Path) -> list[Path]:
    """The wheels pip would install into this interpreter, dependencies included."""
    _pip("--dry-run", "--report", str(report), "-r", str(requirements), cwd=requirements.parent)
    urls = [entry["download_info"]["url"] for entry in json.loads(report.read_text())["install"]]
    return [Path(unquote(urlparse(url).path)) for url in urls]


def _pip(*arguments: str, cwd: Path) -> None:
    # --isolated drops the user's configuration and PIP_ variables; PIP_CONFIG_FILE drops the machine's.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    command = [sys.executable, "-m", "pip", "install", "--isolated", "--no-index", "--only-binary", ":all:"]
    command += ["--quiet", "--disable-pip-version-check", "--no-input", "--no-cache-dir", *arguments]
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env={**environment, "PIP_CONFIG_FILE": os.devnull},
            capture_output=True,
            text=True,
            timeout=PIP_TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise PackagesError(f"pip did not end within {PIP_TIMEOUT_SECONDS} seconds") from error
    sys.stderr.write(done.stdout + done.stderr)
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR:")]
        raise PackagesError(f"pip refused requirements.txt: {(errors or ['see the log'])[-1].removeprefix('ERROR: ')}")
