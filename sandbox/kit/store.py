"""The stand-in's state in one SQLite file: JSON documents by kind and key."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_SCHEMA = """
PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000;
CREATE TABLE IF NOT EXISTS documents (
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (kind, key)
) WITHOUT ROWID;
"""


class DocumentStore:
    """All that the stand-in remembers; safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    @contextmanager
    def change(self) -> Iterator[None]:
        """Make the changes of the block one transaction; blocks may be nested."""
        with self._lock:
            if self._db.in_transaction:
                yield
                return
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def put(self, kind: str, key: str, document: Any) -> None:
        """Store a document under its key, replacing what was there."""
        with self._lock:
            self._db.execute(
                "INSERT OR REPLACE INTO documents VALUES (?, ?, ?)",
                (kind, key, json.dumps(document)),
            )

    def get(self, kind: str, key: str) -> Any:
        """Return the document under the key, or None if there is none."""
        statement = "SELECT document FROM documents WHERE kind = ? AND key = ?"
        with self._lock:
            row = self._db.execute(statement, (kind, key)).fetchone()
        return None if row is None else json.loads(row[0])

    def remove(self, kind: str, key: str | None = None) -> None:
        """Forget a document, or all of a kind."""
        with self._lock:
            self._db.execute(
                "DELETE FROM documents WHERE kind = ? AND (? IS NULL OR key = ?)", (kind, key, key)
            )

    def all(self, kind: str) -> dict[str, Any]:
        """Return all documents of a kind by key, in the order of the keys."""
        statement = "SELECT key, document FROM documents WHERE kind = ? ORDER BY key"
        with self._lock:
            rows = self._db.execute(statement, (kind,)).fetchall()
        return {key: json.loads(document) for key, document in rows}

    def next_number(self, name: str, *, first: int = 1) -> int:
        """Return the next number of that name."""
        with self.change():
            number = int(self.get("number", name) or first)
            self.put("number", name, number + 1)
        return number

    def reset(self) -> None:
        """Forget everything."""
        with self._lock:
            self._db.execute("DELETE FROM documents")
