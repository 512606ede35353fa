"""The files of one artifact as they are inspected one after the other, and the judgement once all are seen.

An artifact of somebody else is held to the rules for archives alone, one of ours also to those for what it holds. Which
it is, its manifest says, and that may come last: so a fault of content is kept until then.
"""

from __future__ import annotations

from model_artifact.content import Content
from model_artifact.errors import BrokenArchiveError, UnsafeArtifactError, refuse
from model_artifact.inspection import Inspection, Member
from model_artifact.limits import Limits
from model_artifact.manifest import MANIFEST, MANIFEST_BYTES, check_files, claims_to_be_ours, read_manifest
from model_artifact.names import Tree, safe_parts
from model_artifact.served import check_member, check_pairs


class Collection:
    """`ours_only` refuses at once what no artifact of ours holds; without it such a fault waits for the manifest."""

    def __init__(self, limits: Limits, *, container: str | None, ours_only: bool) -> None:
        self._limits = limits
        self._container = container
        self._ours_only = ours_only
        self._tree = Tree()
        self._count = 0
        self._size = 0
        self._members: list[Member] = []
        self._manifest: bytes | None = None
        self._fault: UnsafeArtifactError | None = None

    def add_folder(self, name: str) -> None:
        """Take a folder."""
        self._count_one(name)
        parts = safe_parts(name, self._limits)
        if parts:
            self._tree.add(parts, is_folder=True)

    def add_file(self, name: str, content: Content, *, may_be_executed: bool) -> None:
        """Take a file and read it to its end."""
        self._count_one(name)
        parts = safe_parts(name, self._limits)
        if not parts:
            refuse("odd-name", name, "is a file without a name")
        self._tree.add(parts, is_folder=False)
        self._weigh(name, content.size)
        path = "/".join(parts)
        if path == MANIFEST and content.size <= MANIFEST_BYTES:
            self._manifest = content.head(content.size)
        if self._fault is None:
            self._check(parts, content, may_be_executed=may_be_executed)
        self._members.append(Member(name=path, size=content.size, sha256=content.finish()))

    def judge(self, sha256: str) -> Inspection:
        """The judgement over all; UnsafeArtifactError where it is not harmless."""
        manifest = None
        if self._ours_only or (self._manifest is not None and claims_to_be_ours(self._manifest)):
            if self._fault is not None:
                raise self._fault
            if self._manifest is None:
                refuse("no-manifest", MANIFEST, "is missing")
            manifest = read_manifest(self._manifest)
            check_files(manifest, {member.name: member.sha256 for member in self._members}, container=self._container)
            check_pairs({member.name for member in self._members})
        return Inspection(members=tuple(self._members), size=self._size, sha256=sha256, manifest=manifest)

    def _check(self, parts: tuple[str, ...], content: Content, *, may_be_executed: bool) -> None:
        try:
            check_member(parts, content, may_be_executed=may_be_executed, limits=self._limits)
        except BrokenArchiveError:
            raise
        except UnsafeArtifactError as fault:
            if self._ours_only:
                raise
            self._fault = fault

    def _count_one(self, name: str) -> None:
        self._count += 1
        if self._count > self._limits.members:
            refuse("too-many", name, f"is more than the {self._limits.members} members that an artifact may have")

    def _weigh(self, name: str, size: int) -> None:
        self._size += size
        if size > self._limits.member_bytes:
            refuse("too-large", name, f"is larger than the {self._limits.member_bytes} bytes that a member may have")
        if self._size > self._limits.total_bytes:
            refuse("too-large", name, f"makes the artifact larger than {self._limits.total_bytes} bytes")
