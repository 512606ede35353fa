"""Archives of models and code, unpacked so that a hostile one does no harm, and packed the same way each time.

Knows paths and tar members only, nothing of S3 or of what the files mean.
"""

import gzip
import lzma
import shutil
import tarfile
import zlib
from pathlib import Path, PurePosixPath

GIBIBYTE = 1024**3


def unpack(tar_path: Path, target: Path, *, max_members: int = 10_000, max_bytes: int = 8 * GIBIBYTE) -> None:
    """Unpack a tar file, compressed or not, into ``target`` (made if missing).

    Only plain files and folders are taken. Raises ValueError, naming the member, for a link, a device, a path that
    is absolute or leads out of ``target``, a file that comes twice, and for an archive that is broken or holds more
    than ``max_members`` members or ``max_bytes`` bytes. What was written up to then stays in ``target``.
    """
    target.mkdir(parents=True, exist_ok=True)
    seen: set[PurePosixPath] = set()
    total = 0
    try:
        with tarfile.open(tar_path) as archive:
            for count, member in enumerate(archive, start=1):
                if count > max_members:
                    raise ValueError(f"{member.name!r}: the archive has more than {max_members} members")
                path = _safe_path(member)
                if path in seen and not (member.isdir() and target.joinpath(*path.parts).is_dir()):
                    raise ValueError(f"{member.name!r}: comes twice in the archive")
                seen.add(path)
                total += member.size
                if total > max_bytes:
                    raise ValueError(f"{member.name!r}: the archive unpacks to more than {max_bytes} bytes")
                _write(archive, member, target.joinpath(*path.parts))
    except (tarfile.TarError, EOFError, OSError, zlib.error, lzma.LZMAError) as error:
        raise ValueError(f"{tar_path.name}: cannot be unpacked: {error}") from error


def _safe_path(member: tarfile.TarInfo) -> PurePosixPath:
    if not (member.isreg() or member.isdir()):
        raise ValueError(f"{member.name!r}: only files and folders are allowed, no links and no devices")
    if "\0" in member.name or "\\" in member.name:
        raise ValueError(f"{member.name!r}: not a portable path")
    path = PurePosixPath(member.name)
    if path.is_absolute():
        raise ValueError(f"{member.name!r}: an absolute path")
    if ".." in path.parts:
        raise ValueError(f"{member.name!r}: leads out of the folder")
    return path


def _write(archive: tarfile.TarFile, member: tarfile.TarInfo, place: Path) -> None:
    if member.isdir():
        place.mkdir(parents=True, exist_ok=True)
        return
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise ValueError(f"{member.name!r}: below something that is a file") from error
    source = archive.extractfile(member)
    if source is None:
        raise ValueError(f"{member.name!r}: has no content")
    with source, place.open("wb") as sink:
        shutil.copyfileobj(source, sink)
    if member.mode & 0o100:
        place.chmod(0o755)


def pack(source: Path, tar_path: Path) -> None:
    """Pack the files below ``source`` as a ``tar.gz`` whose bytes depend on names and contents only.

    Links are followed, as SageMaker does for a model directory.
    """
    tar_path.parent.mkdir(parents=True, exist_ok=True)
    with (
        tar_path.open("wb") as raw,
        gzip.GzipFile(filename="", fileobj=raw, mode="wb", compresslevel=6, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", dereference=True) as archive,
    ):
        for path in sorted(path for path in source.rglob("*") if path.is_dir() or path.is_file()):
            member = archive.gettarinfo(path, arcname=path.relative_to(source).as_posix())
            member.uid = member.gid = 0
            member.uname = member.gname = ""
            member.mtime = 0
            member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
            if member.isreg():
                with path.open("rb") as content:
                    archive.addfile(member, content)
            else:
                archive.addfile(member)
