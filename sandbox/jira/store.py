"""The stand-in's tickets and faults in one SQLite file: they survive a restart.

One connection behind one lock; every change is one transaction.
"""

import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sandbox.jira.jql import JqlQuery
from sandbox.jira.settings import FIRST_STATUS, WorkflowStatus

_SCHEMA = """
CREATE TABLE IF NOT EXISTS tickets (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    project TEXT NOT NULL,
    number INTEGER NOT NULL,
    status TEXT NOT NULL,
    resolution TEXT,
    fields TEXT NOT NULL,
    created TEXT NOT NULL,
    updated TEXT NOT NULL,
    correlation_id TEXT,
    UNIQUE (project, number)
);
CREATE TABLE IF NOT EXISTS labels (
    ticket_id INTEGER NOT NULL REFERENCES tickets (id),
    label TEXT NOT NULL COLLATE NOCASE,
    PRIMARY KEY (label, ticket_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS comments (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    ticket_id INTEGER NOT NULL REFERENCES tickets (id),
    body TEXT NOT NULL,
    created TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS attachments (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    ticket_id INTEGER NOT NULL REFERENCES tickets (id),
    name TEXT NOT NULL,
    media_type TEXT NOT NULL,
    content BLOB NOT NULL,
    created TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS links (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    type TEXT NOT NULL,
    inward TEXT NOT NULL,
    outward TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS faults (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    document TEXT NOT NULL,
    remaining INTEGER
);
-- JIRA's ids do not start at 1, and a program that takes them for small numbers is wrong.
INSERT INTO sqlite_sequence (name, seq)
    SELECT 'tickets', 10000 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'tickets');
"""
_TABLES = ("labels", "comments", "attachments", "links", "faults", "tickets")


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment; its body is wiki markup or an ADF document, as it was sent."""

    id: int
    body: Any
    created: datetime


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that is attached to a ticket."""

    id: int
    name: str
    media_type: str
    content: bytes
    created: datetime


@dataclass(frozen=True, slots=True)
class StoredLink:
    """A link from the inward ticket to the outward one (for Blocks: inward blocks outward)."""

    id: int
    type: str
    inward: str
    outward: str


@dataclass(frozen=True, slots=True)
class StoredTicket:
    """A ticket; ``fields`` holds what was sent at its creation, after validation."""

    id: int
    key: str
    project: str
    status: str
    resolution: str | None
    fields: Mapping[str, Any]
    created: datetime
    updated: datetime
    correlation_id: str | None

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, in the order in which they were sent."""
        return tuple(self.fields.get("labels") or ())


class TicketStore:
    """All that the stand-in remembers; safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;"
            "PRAGMA busy_timeout = 5000;"
        )
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def create(
        self, project: str, fields: Mapping[str, Any], *, correlation_id: str | None = None
    ) -> StoredTicket:
        """Store a ticket under the project's next key."""
        now = _now()
        with self._change() as db:
            number = db.execute(
                "SELECT coalesce(max(number), 0) + 1 FROM tickets WHERE project = ?", (project,)
            ).fetchone()[0]
            key = f"{project}-{number}"
            ticket_id = db.execute(
                "INSERT INTO tickets (key, project, number, status, fields, created, updated, "
                "correlation_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    key,
                    project,
                    number,
                    FIRST_STATUS.name,
                    json.dumps(fields),
                    now,
                    now,
                    correlation_id,
                ),
            ).lastrowid
            labels = set(fields.get("labels") or ())
            db.executemany(
                "INSERT OR IGNORE INTO labels (ticket_id, label) VALUES (?, ?)",
                [(ticket_id, label) for label in sorted(labels)],
            )
        created = self.get(key)
        assert created is not None  # noqa: S101 -- it was stored in the line above
        return created

    def get(self, key_or_id: str) -> StoredTicket | None:
        """Return the ticket with this key (any case) or id."""
        rows = self._rows(
            "SELECT * FROM tickets WHERE key = ? OR id = ?",
            (key_or_id.upper(), int(key_or_id) if key_or_id.isdecimal() else -1),
        )
        return _ticket(rows[0]) if rows else None

    def newest(self, limit: int) -> list[StoredTicket]:
        """Return the newest tickets first."""
        rows = self._rows("SELECT * FROM tickets ORDER BY id DESC LIMIT ?", (limit,))
        return [_ticket(row) for row in rows]

    def search(
        self, query: JqlQuery, *, before: datetime, limit: int, offset: int = 0
    ) -> tuple[list[StoredTicket], int]:
        """Return a page of the tickets that the query finds, and how many it finds in all."""
        where = f"({query.where}) AND created <= ?"
        values = (*query.values, before.isoformat())
        count = self._rows(f"SELECT count(*) FROM tickets WHERE {where}", values)[0][0]  # noqa: S608 -- built from constants, values are bound
        rows = self._rows(
            f"SELECT * FROM tickets WHERE {where} ORDER BY {query.order} LIMIT ? OFFSET ?",  # noqa: S608 -- as above
            (*values, limit, offset),
        )
        return [_ticket(row) for row in rows], count

    def move(self, key: str, status: WorkflowStatus) -> None:
        """Put the ticket into a status."""
        with self._change() as db:
            db.execute(
                "UPDATE tickets SET status = ?, resolution = ?, updated = ? WHERE key = ?",
                (status.name, status.resolution, _now(), key),
            )

    def edit(self, ticket: StoredTicket, fields: Mapping[str, Any]) -> None:
        """Replace the ticket's fields, and its labels with them."""
        with self._change() as db:
            db.execute(
                "UPDATE tickets SET fields = ?, updated = ? WHERE id = ?",
                (json.dumps(fields), _now(), ticket.id),
            )
            db.execute("DELETE FROM labels WHERE ticket_id = ?", (ticket.id,))
            db.executemany(
                "INSERT OR IGNORE INTO labels (ticket_id, label) VALUES (?, ?)",
                [(ticket.id, label) for label in sorted(set(fields.get("labels") or ()))],
            )

    def comment(self, ticket: StoredTicket, body: Any) -> Comment:
        """Add a comment to the ticket."""
        now = _now()
        with self._change() as db:
            number = db.execute(
                "INSERT INTO comments (ticket_id, body, created) VALUES (?, ?, ?)",
                (ticket.id, json.dumps(body), now),
            ).lastrowid
            db.execute("UPDATE tickets SET updated = ? WHERE id = ?", (now, ticket.id))
        return Comment(number or 0, body, datetime.fromisoformat(now))

    def comments(self, ticket: StoredTicket) -> list[Comment]:
        """Return the ticket's comments, oldest first."""
        rows = self._rows("SELECT * FROM comments WHERE ticket_id = ? ORDER BY id", (ticket.id,))
        return [
            Comment(row["id"], json.loads(row["body"]), datetime.fromisoformat(row["created"]))
            for row in rows
        ]

    def attach(
        self, ticket: StoredTicket, name: str, *, media_type: str, content: bytes
    ) -> Attachment:
        """Attach a file to the ticket."""
        now = _now()
        with self._change() as db:
            number = db.execute(
                "INSERT INTO attachments (ticket_id, name, media_type, content, created)"
                " VALUES (?, ?, ?, ?, ?)",
                (ticket.id, name, media_type, content, now),
            ).lastrowid
            db.execute("UPDATE tickets SET updated = ? WHERE id = ?", (now, ticket.id))
        return Attachment(number or 0, name, media_type, content, datetime.fromisoformat(now))

    def attachments(self, ticket: StoredTicket) -> list[Attachment]:
        """Return the ticket's attachments, oldest first."""
        rows = self._rows("SELECT * FROM attachments WHERE ticket_id = ? ORDER BY id", (ticket.id,))
        return [
            Attachment(
                row["id"],
                row["name"],
                row["media_type"],
                row["content"],
                datetime.fromisoformat(row["created"]),
            )
            for row in rows
        ]

    def link(self, link_type: str, *, inward: str, outward: str) -> None:
        """Link two tickets."""
        with self._change() as db:
            db.execute(
                "INSERT INTO links (type, inward, outward) VALUES (?, ?, ?)",
                (link_type, inward, outward),
            )

    def links(self, key: str) -> list[StoredLink]:
        """Return the links of a ticket, in both directions."""
        rows = self._rows(
            "SELECT * FROM links WHERE inward = ? OR outward = ? ORDER BY id", (key, key)
        )
        return [StoredLink(row["id"], row["type"], row["inward"], row["outward"]) for row in rows]

    def add_fault(self, document: Mapping[str, Any], *, times: int | None) -> int:
        """Store a fault that strikes so many times (None: until it is cleared); return its id."""
        with self._change() as db:
            statement = "INSERT INTO faults (document, remaining) VALUES (?, ?)"
            return db.execute(statement, (json.dumps(document), times)).lastrowid or 0

    def faults(self) -> list[tuple[int, dict[str, Any], int | None]]:
        """Return id, document and remaining times of the faults, oldest first."""
        rows = self._rows("SELECT * FROM faults ORDER BY id", ())
        return [(row["id"], json.loads(row["document"]), row["remaining"]) for row in rows]

    def use_fault(self, fault_id: int) -> bool:
        """Take one strike of a fault; false where another call took the last one."""
        with self._change() as db:
            row = db.execute("SELECT remaining FROM faults WHERE id = ?", (fault_id,)).fetchone()
            if row is None:
                return False
            if row["remaining"] is not None:
                db.execute("UPDATE faults SET remaining = remaining - 1 WHERE id = ?", (fault_id,))
                db.execute("DELETE FROM faults WHERE id = ? AND remaining <= 0", (fault_id,))
            return True

    def clear_faults(self, fault_id: int | None = None) -> None:
        """Remove one fault, or all of them."""
        with self._change() as db:
            db.execute("DELETE FROM faults WHERE ? IS NULL OR id = ?", (fault_id, fault_id))

    def reset(self) -> None:
        """Forget everything; keys and ids start over."""
        with self._change() as db:
            for table in _TABLES:
                db.execute(f"DELETE FROM {table}")  # noqa: S608 -- constants of this file
            db.execute("UPDATE sqlite_sequence SET seq = 10000 WHERE name = 'tickets'")

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def _rows(self, statement: str, values: tuple[Any, ...]) -> list[sqlite3.Row]:
        with self._lock:
            return self._db.execute(statement, values).fetchall()


def _ticket(row: sqlite3.Row) -> StoredTicket:
    return StoredTicket(
        id=row["id"],
        key=row["key"],
        project=row["project"],
        status=row["status"],
        resolution=row["resolution"],
        fields=json.loads(row["fields"]),
        created=datetime.fromisoformat(row["created"]),
        updated=datetime.fromisoformat(row["updated"]),
        correlation_id=row["correlation_id"],
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
