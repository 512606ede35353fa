"""Which folders of a crawled target are tables, and which are their partitions. Works on keys alone.

A table is the folder that the crawler's configuration names by level. Without that it is the target folder itself,
or each first folder below it where those are not partitions.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

_HIVE = re.compile(r"[^=/]+=[^/]*")


@dataclass(frozen=True, kw_only=True)
class StoredObject:
    """One object of S3."""

    key: str
    size: int


@dataclass(frozen=True, kw_only=True)
class FoundTable:
    """A folder that is a table: its objects by the values of its partition keys."""

    bucket: str
    folder: str
    partition_keys: tuple[str, ...]
    partitions: Mapping[tuple[str, ...], tuple[StoredObject, ...]]

    @property
    def name(self) -> str:
        """The table's name as Glue writes it, without prefix."""
        last = self.folder.rstrip("/").rpartition("/")[2] or self.bucket
        return re.sub(r"[^a-z0-9_]", "_", last.lower())

    @property
    def location(self) -> str:
        """Where the table lies."""
        return f"s3://{self.bucket}/{self.folder}"

    @property
    def objects(self) -> list[StoredObject]:
        """Every object of the table, by key."""
        return sorted((each for part in self.partitions.values() for each in part), key=lambda each: each.key)

    def partition_location(self, values: tuple[str, ...]) -> str:
        """Where one partition lies."""
        first = self.partitions[values][0].key.removeprefix(self.folder).split("/")
        return f"{self.location}{'/'.join(first[: len(values)])}/"


def tables(bucket: str, prefix: str, objects: Sequence[StoredObject], *, level: int | None) -> list[FoundTable]:
    """The tables below a target. ``level`` counts folders from the bucket, which is level 1."""
    folder = prefix if not prefix or prefix.endswith("/") else f"{prefix}/"
    data = [each for each in objects if _is_data(each, folder)]
    by_root: dict[str, list[StoredObject]] = defaultdict(list)
    roots = _roots_by_level(level) if level else _roots_by_shape(folder, data)
    for each in data:
        by_root[roots(each.key)].append(each)
    return [_table(bucket, root, found) for root, found in sorted(by_root.items())]


def _is_data(each: StoredObject, folder: str) -> bool:
    """Empty objects and names with a leading dot or underscore are no data, to Glue as to Athena."""
    names = each.key.removeprefix(folder).split("/")
    return each.size > 0 and not each.key.endswith("/") and not any(name.startswith(("_", ".")) for name in names)


def _roots_by_level(level: int) -> Callable[[str], str]:
    def root(key: str) -> str:
        folders = key.split("/")[:-1]
        return "".join(f"{name}/" for name in folders[: level - 1])

    return root


def _roots_by_shape(folder: str, data: Iterable[StoredObject]) -> Callable[[str], str]:
    children = {
        each.key.removeprefix(folder).partition("/")[0] for each in data if "/" in each.key.removeprefix(folder)
    }
    files_here = any("/" not in each.key.removeprefix(folder) for each in data)
    if files_here or not children or all(_HIVE.fullmatch(child) for child in children):
        return lambda key: folder
    return lambda key: f"{folder}{key.removeprefix(folder).partition('/')[0]}/"


def _table(bucket: str, root: str, found: Sequence[StoredObject]) -> FoundTable:
    folders = {each.key: each.key.removeprefix(root).split("/")[:-1] for each in found}
    depth = min(len(names) for names in folders.values())
    sample = min(folders.values(), key=lambda names: (len(names), names))[:depth]
    keys = tuple(
        name.partition("=")[0].lower() if _HIVE.fullmatch(name) else f"partition_{position}"
        for position, name in enumerate(sample)
    )
    partitions: dict[tuple[str, ...], list[StoredObject]] = defaultdict(list)
    for each in found:
        names = folders[each.key][:depth]
        partitions[tuple(name.partition("=")[2] if "=" in name else name for name in names)].append(each)
    return FoundTable(
        bucket=bucket,
        folder=root,
        partition_keys=keys,
        partitions={values: tuple(part) for values, part in sorted(partitions.items())},
    )
