"""Builds and opens the archives of a model: equal content gives equal bytes, nothing is unpacked outside its folder.

Knows the layout of the three served artifacts; knows nothing of S3, of training or of what the code inside does.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import stat
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from model_artifact import manifest_files
from training_code.failures import JobError

CONTAINERS = ("transform", "classify", "label")
DATA_FILES = {
    "transform": ("tokenizer.json", "tokenization.json"),
    "classify": ("tokenization.json",),
    "label": ("labels.json", "calibration.json"),
}
GRAPHS = (("model.xml", "model.bin"), ("model.onnx",))
"""The classifier itself: OpenVINO's own form, or ONNX."""
CASCADE = ("cascade.json", "cascade.safetensors")
SELFTEST = "selftest.json"
LARGEST_UNPACKED_BYTES = 8 * 1024**3
_LEFT_OUT = {"__pycache__", ".mypy_cache", ".ruff_cache"}


@dataclass(frozen=True, kw_only=True)
class Release:
    """The three artifacts as written, and the version that they answer with."""

    model_version: str
    artifacts: dict[str, Path]
    digests: dict[str, str]


def build_release(model: Path, serving: Path, output: Path, *, version_prefix: str) -> Release:
    """Write transform, classify and label `.tar.gz` and `manifest.json` into `output`.

    `model` is a folder with the data files, `serving` one with `{transform,classify,label}/code`. The version is the
    prefix and the digest of all that is served, so equal models and code have equal versions.
    """
    contents = {container: _contents(container, model, serving) for container in CONTAINERS}
    cases = _selftests(model)
    created_from = {container: manifest_files(files) for container, files in contents.items()}
    model_version = f"{version_prefix}-{_digest_of(created_from)[:12]}"
    output.mkdir(parents=True, exist_ok=True)
    artifacts = {container: output / f"{container}.tar.gz" for container in CONTAINERS}
    for container, files in contents.items():
        selftest = to_json({"cases": cases[container]})
        manifest = {
            "model_version": model_version,
            "container": container,
            "created_from": {name: digest for name, digest in created_from[container].items() if "/" not in name}
            | {"code": _digest_of({n: d for n, d in created_from[container].items() if "/" in n})},
            "files": created_from[container] | manifest_files({SELFTEST: selftest}),
        }
        write_archive(artifacts[container], files, {"manifest.json": to_json(manifest), SELFTEST: selftest})
    digests = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in artifacts.values()}
    (output / "manifest.json").write_bytes(to_json({"model_version": model_version, "artifacts": digests}))
    return Release(model_version=model_version, artifacts=artifacts, digests=digests)


def _contents(container: str, model: Path, serving: Path) -> dict[str, Path]:
    code = serving / container / "code"
    if not (code / "inference.py").is_file():
        raise JobError(f"The serving code has no {container}/code/inference.py.")
    names = [*DATA_FILES[container], *(_graph(model) if container == "classify" else ())]
    missing = [name for name in names if not (model / name).is_file()]
    if missing:
        raise JobError(f"The model has no {' and no '.join(missing)}.")
    files = {name: model / name for name in names}
    for path in sorted(code.rglob("*")):
        if path.is_file() and not _LEFT_OUT.intersection(path.parts):
            files[f"code/{path.relative_to(code).as_posix()}"] = path
    return files


def _graph(model: Path) -> list[str]:
    """The classifier's files, and those of the gate before it where there is one."""
    graph = next((names for names in GRAPHS if (model / names[0]).is_file()), None)
    if graph is None:
        raise JobError(f"The model has no {' and no '.join(names[0] for names in GRAPHS)}.")
    return [*graph, *(CASCADE if (model / CASCADE[0]).is_file() else ())]


def _selftests(model: Path) -> dict[str, list[dict[str, object]]]:
    # Only who packs a model needs the runtime under this; who reads archives does not.
    from training_code.selftest_cases import selftest_cases

    try:
        return selftest_cases(model)
    except RuntimeError as error:
        raise JobError(f"The model cannot be served: {error}") from error


def _digest_of(value: object) -> str:
    return hashlib.sha256(to_json(value)).hexdigest()


def to_json(value: object) -> bytes:
    return json.dumps(value, indent=2, sort_keys=True).encode() + b"\n"


def write_archive(target: Path, files: dict[str, Path], texts: dict[str, bytes] | None = None) -> None:
    """A gzipped tar whose bytes depend on names and contents alone: sorted, no times, no owners, no gzip name."""
    members = {name: path.read_bytes() for name, path in files.items()} | (texts or {})
    with (
        target.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0, compresslevel=6) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name in sorted(members):
            member = tarfile.TarInfo(name)
            member.size = len(members[name])
            member.mode = 0o644
            archive.addfile(member, io.BytesIO(members[name]))


def unpack(archive: Path, target: Path) -> None:
    """Unpack plain files and folders; JobError when the archive is broken or tries anything else.

    Checked by hand, since `tarfile`'s own data filter is missing from early patch releases of Python 3.11.
    """
    try:
        with tarfile.open(archive, "r:*") as reader:
            budget = LARGEST_UNPACKED_BYTES
            for member in reader:
                name = PurePosixPath(member.name)
                if name.is_absolute() or ".." in name.parts or "\\" in member.name:
                    raise JobError(f"{archive.name} holds a path that leads outside its folder.")
                if not (member.isfile() or member.isdir()):
                    raise JobError(f"{archive.name} holds a link or a device, which no model needs.")
                budget -= member.size
                if budget < 0:
                    raise JobError(f"{archive.name} unpacks to more than {LARGEST_UNPACKED_BYTES // 1024**3} GiB.")
                path = target.joinpath(*name.parts)
                if member.isdir():
                    path.mkdir(parents=True, exist_ok=True)
                    continue
                path.parent.mkdir(parents=True, exist_ok=True)
                source = reader.extractfile(member)
                if source is not None:
                    with path.open("wb") as file:
                        while chunk := source.read(1 << 20):
                            file.write(chunk)
                    path.chmod(stat.S_IRUSR | stat.S_IWUSR | stat.S_IRGRP | stat.S_IROTH)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise JobError(f"{archive.name} is no readable archive: {error}.") from error


@contextmanager
def opened(source: Path) -> Iterator[Path]:
    """The folder itself, or the folder that an archive unpacks to for as long as the block lasts."""
    if source.is_dir():
        yield source
        return
    with tempfile.TemporaryDirectory(prefix="earshot-") as folder:
        unpack(source, Path(folder))
        yield Path(folder)
