"""Durable records of the local SageMaker, by kind and name. Knows nothing of what the records mean."""

import json
import sqlite3
import threading
from pathlib import Path
from typing import Any

Record = dict[str, Any]


class Store:
    """Records as JSON in one SQLite file: each write is on disk when the call returns, also before a ``kill -9``."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS record (kind TEXT, name TEXT, body TEXT NOT NULL, PRIMARY KEY (kind, name))"
        )

    def put(self, kind: str, name: str, record: Record) -> None:
        """Write the whole record, new or not."""
        with self._lock:
            self._db.execute("INSERT OR REPLACE INTO record VALUES (?, ?, ?)", (kind, name, json.dumps(record)))

    def add(self, kind: str, name: str, record: Record) -> bool:
        """Write a new record; False, and nothing written, where the name is taken."""
        with self._lock:
            cursor = self._db.execute("INSERT OR IGNORE INTO record VALUES (?, ?, ?)", (kind, name, json.dumps(record)))
            return cursor.rowcount == 1

    def get(self, kind: str, name: str) -> Record | None:
        """The record, or None where there is none."""
        with self._lock:
            row = self._db.execute("SELECT body FROM record WHERE kind = ? AND name = ?", (kind, name)).fetchone()
        return json.loads(row[0]) if row else None

    def update(self, kind: str, name: str, **changes: Any) -> Record:
        """Change some fields of a record in one step and return the whole of it; KeyError where there is none."""
        with self._lock:
            record = self.get(kind, name)
            if record is None:
                raise KeyError(f"{kind} {name}")
            record.update(changes)
            self.put(kind, name, record)
            return record

    def list(self, kind: str) -> list[Record]:
        """All records of a kind, by name."""
        with self._lock:
            rows = self._db.execute("SELECT body FROM record WHERE kind = ? ORDER BY name", (kind,)).fetchall()
        return [json.loads(row[0]) for row in rows]

    def delete(self, kind: str, name: str) -> bool:
        """True where there was one."""
        with self._lock:
            return self._db.execute("DELETE FROM record WHERE kind = ? AND name = ?", (kind, name)).rowcount == 1

    def close(self) -> None:
        """Release the file."""
        with self._lock:
            self._db.close()
