"""The buckets: which prefixes hold rows of feedback, in which format, and which files a customer's feedback came from.

It does not know how versions are taken out of a bucket.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Final

from erasure import rows
from erasure.rows import Kept, Rule
from erasure.store import Erased, Note
from erasure.subject import Subject, digest_of
from erasure.versions import VersionedBucket
from lambdas.channels.calls.transcriber import job_name
from lambdas.channels.drop import Dropped

ANSWERS: Final = "athena/"
_FEEDBACK: Final = "feedback/"
_CORRECTIONS: Final = "raw/corrections/"
_RECORDINGS: Final = "calls/audio/"
_TRANSCRIPTS: Final = "calls/transcripts/"
_SOURCE_LIMIT: Final = 500
"""Characters of a file's name that channels keep with the feedback."""


def _by_form(content: bytes, subject: Subject) -> Kept:
    """Reviews and features come as Parquet, and beside them lie JSON documents that count rows and name nobody."""
    is_table = content.startswith(b"PAR1")
    return rows.without_table_rows(content, subject) if is_table else rows.without_lines(content, subject)


_RULES: Final[tuple[tuple[str, Rule], ...]] = (
    (_FEEDBACK, rows.without_lines),
    (_CORRECTIONS, rows.without_lines),
    ("raw/reviews/", _by_form),
    ("curated/features/", _by_form),
    ("capture/", rows.without_captured),
    ("rescore/", rows.without_lines),
    ("reports/cases/", rows.without_if_named),
)


class LakeRows:
    """One prefix of the lake, or the files of one name below it."""

    def __init__(self, *, bucket: VersionedBucket, prefix: str, rule: Rule, file: str = "", name: str = "") -> None:
        self.name = name or f"lake/{prefix.rstrip('/')}"
        self._bucket = bucket
        self._prefix = prefix
        self._rule = rule
        self._file = file

    def erase(self, subject: Subject, *, dry_run: bool, note: Note) -> Erased:
        """Rewrite the objects without the customer's rows and delete every version that has them."""
        return self._bucket.erase_below(self._prefix, self._rule, subject, file=self._file, dry_run=dry_run, note=note)


def lake_stores(bucket: VersionedBucket) -> list[LakeRows]:
    """The prefixes that hold rows, in the order in which rows come into being."""
    return [LakeRows(bucket=bucket, prefix=prefix, rule=rule) for prefix, rule in _RULES]


def probe_store(artifacts: VersionedBucket) -> LakeRows:
    """The texts that a release is tried with, which come from the rows that it was evaluated on."""
    return LakeRows(
        bucket=artifacts, prefix="models/", rule=rows.without_quoted_lines, file="/probes.jsonl", name="models/probes"
    )


def answer_store(bucket: VersionedBucket) -> LakeRows:
    """Results of queries, which are deleted whole."""
    return LakeRows(bucket=bucket, prefix=ANSWERS, rule=rows.without_if_answered)


def find_in_lake(bucket: VersionedBucket, subject: Subject) -> Subject:
    """The subject with what the lake still knows of it, also of feedback that the ledger has let go."""
    ids: set[str] = set()
    texts: set[str] = set()
    for prefix in (_FEEDBACK, _CORRECTIONS):
        for content in bucket.contents_below(prefix):
            for row in rows.parsed_rows(content):
                if subject.owns(row):
                    ids.update(str(row[name]) for name in ("feedback_id", "review_id") if row.get(name))
                    texts.update(str(row[name]) for name in ("text",) if row.get(name))
        subject = subject.joined(
            Subject(
                references=subject.references,
                feedback_ids=frozenset(ids),
                text_digests=frozenset(map(digest_of, texts)),
                texts=frozenset(texts),
            )
        )
    return subject


class DroppedFiles:
    """The files that channels made feedback of, and what was written about them."""

    name = "drops"

    def __init__(self, *, bucket: VersionedBucket) -> None:
        self._bucket = bucket

    def erase(self, subject: Subject, *, dry_run: bool, note: Note) -> Erased:
        """Delete the files whole, also where others are in them: their feedback is in the ledger."""
        erased = Erased()
        for number, source in enumerate(sorted(subject.sources), start=1):
            note(f"{number} of {len(subject.sources)} files")
            for key in self._related(source):
                erased += self._bucket.erase_whole(key, dry_run=dry_run)
        return erased

    def _related(self, source: str) -> Iterator[str]:
        """The file, the result that the files channel wrote, and of a transcript the recording that it is of."""
        if len(source) < _SOURCE_LIMIT:
            keys = [source]
        else:  # a name that long was cut
            keys = [found.key for found in self._bucket.below(source) if found.key[:_SOURCE_LIMIT] == source]
        yield from keys
        yield from (f"results/{key}.json" for key in keys)
        if source.startswith(_TRANSCRIPTS):
            yield from self._recordings(PurePosixPath(source).stem)

    def _recordings(self, job: str) -> Iterator[str]:
        for found in self._bucket.below(_RECORDINGS):
            versions = (Dropped(bucket=self._bucket.name, key=found.key, version_id=each.id) for each in found.all)
            if any(job_name(version) == job for version in versions):
                yield found.key
