"""A bucket whose objects have versions: what is taken out of an object has to go from each of them.

The order makes it safe to be killed: first the new version without the rows, then the old ones are deleted for good.
A second run finds the old ones by what they hold. It does not know what the objects mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from erasure.rows import Rule
from erasure.store import Client, Erased, Note
from erasure.subject import Subject

_AT_ONCE: Final = 8
_DELETED_AT_ONCE: Final = 1000
_DESCRIBING: Final = ("ContentType", "ContentEncoding", "Metadata")


class NotDeletedError(RuntimeError):
    """S3 kept versions that it was told to delete, for instance under a legal hold."""


@dataclass(frozen=True, kw_only=True)
class Version:
    """One version of an object; a marker says that the object is deleted."""

    id: str
    is_latest: bool
    is_marker: bool


@dataclass(frozen=True, kw_only=True)
class Versions:
    """An object with all its versions, the newest first."""

    key: str
    all: tuple[Version, ...]


class VersionedBucket:
    """The objects of one bucket."""

    def __init__(self, *, s3: Client, bucket: str) -> None:
        self._s3 = s3
        self.name = bucket

    def erase_below(
        self, prefix: str, rule: Rule, subject: Subject, *, file: str = "", dry_run: bool, note: Note
    ) -> Erased:
        """Apply the rule to every version of every object under the prefix whose key ends in ``file``."""
        erased = Erased()
        found = (each for each in self.below(prefix) if each.key.endswith(file))
        seen = 0
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            while batch := list(islice(found, _AT_ONCE * 4)):
                for part in pool.map(lambda each: self._erase_in(each, rule, subject, dry_run=dry_run), batch):
                    erased += part
                seen += len(batch)
                note(f"{prefix}: {seen} objects looked through, {erased.records} records found")
        return erased

    def erase_whole(self, key: str, *, dry_run: bool) -> Erased:
        """Delete the object with all its versions."""
        found = next((each for each in self.below(key) if each.key == key), None)
        if found is None:
            return Erased()
        self._purge(key, found.all, dry_run=dry_run)
        return Erased(records=1, objects=1, versions=len(found.all))

    def write(self, key: str, content: bytes, *, content_type: str) -> None:
        """Write an object."""
        self._s3.put_object(Bucket=self.name, Key=key, Body=content, ContentType=content_type)

    def contents_below(self, prefix: str) -> Iterator[bytes]:
        """What all versions under the prefix hold."""
        for found in self.below(prefix):
            for version in found.all:
                if not version.is_marker:
                    content: bytes = self._read(found.key, version.id)["Body"].read()
                    yield content

    def below(self, prefix: str) -> Iterator[Versions]:
        """Objects under a prefix, also deleted ones. A page of the listing may end within an object's versions."""
        open_: dict[str, list[tuple[Any, Version]]] = {}
        for page in self._s3.get_paginator("list_object_versions").paginate(Bucket=self.name, Prefix=prefix):
            for kind, is_marker in (("Versions", False), ("DeleteMarkers", True)):
                for entry in page.get(kind, []):
                    version = Version(id=entry["VersionId"], is_latest=entry["IsLatest"], is_marker=is_marker)
                    open_.setdefault(entry["Key"], []).append((entry["LastModified"], version))
            for key in sorted(open_)[:-1]:
                yield _ordered(key, open_.pop(key))
        for key in sorted(open_):
            yield _ordered(key, open_[key])

    def _erase_in(self, found: Versions, rule: Rule, subject: Subject, *, dry_run: bool) -> Erased:
        removed = 0
        holding: list[Version] = []
        rest: tuple[bytes | None, dict[str, Any]] | None = None
        for version in found.all:
            if version.is_marker:
                continue
            answer = self._read(found.key, version.id)
            kept = rule(answer["Body"].read(), subject)
            if not kept.removed:
                continue
            holding.append(version)
            removed = max(removed, kept.removed)
            if version.is_latest:
                rest = (kept.content, {name: answer[name] for name in _DESCRIBING if answer.get(name)})
        if not holding:
            return Erased()
        gone: Sequence[Version] = holding
        if rest is not None:
            gone = found.all
            content, described = rest
            if content is not None and not dry_run:
                self._s3.put_object(Bucket=self.name, Key=found.key, Body=content, **described)
        self._purge(found.key, gone, dry_run=dry_run)
        return Erased(records=removed, objects=1, versions=len(gone))

    def _read(self, key: str, version: str) -> dict[str, Any]:
        answer: dict[str, Any] = self._s3.get_object(Bucket=self.name, Key=key, VersionId=version)
        return answer

    def _purge(self, key: str, versions: Sequence[Version], *, dry_run: bool) -> None:
        if dry_run:
            return
        for start in range(0, len(versions), _DELETED_AT_ONCE):
            objects = [{"Key": key, "VersionId": each.id} for each in versions[start : start + _DELETED_AT_ONCE]]
            answer = self._s3.delete_objects(Bucket=self.name, Delete={"Objects": objects, "Quiet": True})
            if answer.get("Errors"):
                raise NotDeletedError(f"S3 did not delete {len(answer['Errors'])} versions of an object.")


def _ordered(key: str, versions: list[tuple[Any, Version]]) -> Versions:
    newest_first = sorted(versions, key=lambda each: (each[1].is_latest, each[0]), reverse=True)
    return Versions(key=key, all=tuple(version for _, version in newest_first))
