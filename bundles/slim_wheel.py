"""Takes out of a wheel what the use we make of it does not need: dependencies, and files for other devices.

pip insists on every declared dependency, a container without a network has only what its artifact carries, and every
byte is unpacked at every start. The result says so in its version (`1.2.3+earshot`, as PEP 440 means local versions)
and is otherwise the same. Knows the wheel format; does not know what is unused: the tests show that for each wheel.
"""

import base64
import csv
import hashlib
import io
import zipfile
from collections.abc import Collection
from email.message import Message
from email.parser import Parser
from fnmatch import fnmatchcase
from pathlib import Path

LABEL = "earshot"
_MIDNIGHT_1980 = (1980, 1, 1, 0, 0, 0)


def slim_wheel(wheel: Path, folder: Path, *, keep: Collection[str], leave_out: Collection[str] = ()) -> Path:
    """Write the wheel into `folder` with only the dependencies named in `keep`. Equal input gives equal bytes.

    `leave_out` are patterns of files, in which `*` also stands for slashes.
    """
    name, version, tags = wheel.name.split("-", 2)
    slim_version = f"{version}+{LABEL}"
    old_info, new_info = f"{name}-{version}.dist-info/", f"{name}-{slim_version}.dist-info/"
    target = folder / f"{name}-{slim_version}-{tags}"
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(wheel) as source:
        members = {
            member.filename.replace(old_info, new_info, 1): (source.read(member), member.external_attr)
            for member in source.infolist()
            if not member.is_dir()
            and member.filename != f"{old_info}RECORD"
            and not any(fnmatchcase(member.filename, pattern) for pattern in leave_out)
        }
    metadata, mode = members[f"{new_info}METADATA"]
    members[f"{new_info}METADATA"] = (_without_dependencies(metadata, slim_version, keep), mode)
    members[f"{new_info}RECORD"] = (_record(members, f"{new_info}RECORD"), mode)
    partial = target.with_suffix(".part")
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as output:
        for path in sorted(members):
            content, attributes = members[path]
            info = zipfile.ZipInfo(path, _MIDNIGHT_1980)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = attributes
            output.writestr(info, content)
    partial.replace(target)
    return target


def _without_dependencies(metadata: bytes, version: str, keep: Collection[str]) -> bytes:
    message: Message = Parser().parsestr(metadata.decode("utf-8"))
    wanted = [line for line in message.get_all("Requires-Dist", []) if _name_of(line) in keep and ";" not in line]
    del message["Requires-Dist"], message["Version"], message["Provides-Extra"]
    message["Version"] = version
    for line in wanted:
        message["Requires-Dist"] = line
    return message.as_string().encode("utf-8")


def _name_of(requirement: str) -> str:
    name = requirement
    for sign in "<>=!~;[ (":
        name = name.split(sign, 1)[0]
    return name.strip().lower()


def _record(members: dict[str, tuple[bytes, int]], record: str) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    for path in sorted(members):
        content = members[path][0]
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode("ascii")
        writer.writerow((path, f"sha256={digest}", len(content)))
    writer.writerow((record, "", ""))
    return text.getvalue().encode("utf-8")
