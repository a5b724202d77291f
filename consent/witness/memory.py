"""What a witness remembers: for each log the largest head that it cosigned. One SQLite file, synced before anything is answered.

Its functions block: call them in a thread. The file must never be put back from a copy: a witness that forgot would cosign what it refused.
"""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
import threading
from typing import TYPE_CHECKING, NamedTuple

from consent.witness.rules import Seen

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from consent.checkpoint import Checkpoint

_TABLES = (
    (
        "CREATE TABLE IF NOT EXISTS heads (origin TEXT PRIMARY KEY, origin_hash TEXT NOT NULL UNIQUE, size INTEGER NOT NULL,"
        " root BLOB NOT NULL, time INTEGER NOT NULL, note TEXT)"
    ),
    (
        "CREATE TABLE IF NOT EXISTS evidence (origin TEXT NOT NULL, size INTEGER NOT NULL, root BLOB NOT NULL, time INTEGER NOT NULL,"
        " cosigned TEXT, refused TEXT NOT NULL, PRIMARY KEY (origin, size, root))"
    ),
)
_FIRST = "INSERT INTO heads (origin, origin_hash, size, root, time) VALUES (?, ?, ?, ?, 0) ON CONFLICT DO NOTHING"
_ADVANCE = "UPDATE heads SET size = ?, root = ?, time = ? WHERE origin = ? AND size = ? AND root = ? AND time <= ?"
_NOTE = "UPDATE heads SET note = ? WHERE origin = ? AND size = ? AND root = ?"
_KEEP = (
    "INSERT INTO evidence (origin, size, root, time, cosigned, refused)"
    " SELECT origin, ?, ?, ?, note, ? FROM heads WHERE origin = ? AND (SELECT count(*) FROM evidence) < ? ON CONFLICT DO NOTHING"
)
MOST_EVIDENCE = 1000


class Evidence(NamedTuple):
    """Two heads of one size that a log signed: the note that was cosigned, and the one that was refused at `time`."""

    origin: str
    size: int
    time: int
    cosigned: str | None
    refused: str


def origin_hash(origin: str) -> str:
    """tlog-witness: "The origin hash is the SHA-256 hash of the log's origin, hex encoded, in lowercase"."""
    return hashlib.sha256(origin.encode()).hexdigest()


class Memory:
    """One connection to the file, one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, timeout=5, isolation_level=None, check_same_thread=False)
        for statement in ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", *_TABLES):
            self._connection.execute(statement)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def seen(self, origin: str) -> Seen:
        """Give the largest head that was cosigned; that of an empty log when none was."""
        with self._alone() as connection:
            row = connection.execute("SELECT size, root, time FROM heads WHERE origin = ?", (origin,)).fetchone()
        return Seen(*row) if row else Seen()

    def advance(self, seen: Seen, new: Checkpoint, time: int) -> bool:
        """Put the new head in the place of `seen` by one statement; False when another was faster. Durable when it returns."""
        with self._alone() as connection:
            connection.execute(_FIRST, (new.origin, origin_hash(new.origin), *Seen()[:2]))
            values = (new.size, new.root, time, new.origin, seen.size, seen.root, time)
            return connection.execute(_ADVANCE, values).rowcount == 1

    def keep_note(self, head: Checkpoint, note: str) -> None:
        """Keep the cosigned note of a head, to be shown to whoever asks, unless the log went on meanwhile."""
        with self._alone() as connection:
            connection.execute(_NOTE, (note, head.origin, head.size, head.root))

    def note(self, hashed: str) -> str | None:
        """Give the newest cosigned note of the log whose origin has this hash."""
        with self._alone() as connection:
            row = connection.execute("SELECT note FROM heads WHERE origin_hash = ?", (hashed,)).fetchone()
        return row[0] if row else None

    def keep_evidence(self, refused: Checkpoint, note: str, time: int) -> None:
        """Keep a signed head that contradicts the cosigned one of its size."""
        with self._alone() as connection:
            connection.execute(_KEEP, (refused.size, refused.root, time, note, refused.origin, MOST_EVIDENCE))

    def evidence(self) -> Sequence[Evidence]:
        """Give all evidence, oldest first."""
        with self._alone() as connection:
            rows = connection.execute("SELECT origin, size, time, cosigned, refused FROM evidence ORDER BY time, origin, size")
            return [Evidence(*row) for row in rows]

    @contextlib.contextmanager
    def _alone(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            yield self._connection
