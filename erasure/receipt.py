"""What is left in writing of an erasure: how much went from where, and what it cannot reach.

It holds no name, no text and no id.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from erasure.store import Client, Erased

_RECOVERY_DAYS: Final = 35
_QUERY_HISTORY_DAYS: Final = 45
_TRANSCRIPTION_DAYS: Final = 90


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """``customer`` is a salted hash. Where a run was killed within a store, the counts lack what was gone by then.
    ``kept`` says what stays, and until when."""

    customer: str
    started_at: str
    finished_at: str
    runs: int
    is_dry_run: bool
    feedbacks: int
    erased: Mapping[str, Erased]
    kept: tuple[tuple[str, str], ...]

    def to_document(self) -> dict[str, Any]:
        """The receipt as JSON values."""
        return {
            "version": 1,
            "customer_sha256": self.customer,
            "started_at": self.started_at,
            "finished_at": self.finished_at,
            "runs": self.runs,
            "dry_run": self.is_dry_run,
            "feedbacks": self.feedbacks,
            "counts_are_complete": self.runs == 1,
            "erased": {store: asdict(erased) for store, erased in self.erased.items()},
            "kept": [{"what": what, "until": until} for what, until in self.kept],
        }

    def to_json(self) -> bytes:
        """The receipt as it is stored."""
        return (json.dumps(self.to_document(), indent=2) + "\n").encode("ascii")


def what_stays(
    now: datetime, *, dynamodb: Client, tables: Mapping[str, str], backup_days: int, log_days: int
) -> list[tuple[str, str]]:
    """What no erasure reaches, and the day on which it ends by itself."""
    kept = []
    for store, table in tables.items():
        described = dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
        recovery = described.get("PointInTimeRecoveryDescription", {})
        if recovery.get("PointInTimeRecoveryStatus") == "ENABLED":
            days = recovery.get("RecoveryPeriodInDays", _RECOVERY_DAYS)
            kept.append((f"point-in-time recovery of the {store}", _day(now, days)))
    if backup_days:
        kept.append(("daily backups of the ledger", _day(now, backup_days)))
    return [
        *kept,
        ("log lines that name feedback ids, without texts", _day(now, log_days)),
        ("the text of Athena queries that named the customer", _day(now, _QUERY_HISTORY_DAYS)),
        ("Transcribe's record of a call's job, without its words", _day(now, _TRANSCRIPTION_DAYS)),
        ("alerts that SNS, mail or chat delivered", "cannot be called back"),
        ("models that were trained with the texts", "the next training without them is released"),
        ("counters of trends and metrics, which name nobody", "they expire"),
    ]


def _day(now: datetime, days: int) -> str:
    return (now + timedelta(days=days)).date().isoformat()
