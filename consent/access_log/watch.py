"""The high-water check: does the database's tree still contain the newest checkpoint that was signed and anchored?

If not, someone put back an older database or changed it, and nothing may be disclosed until it does. Where database and anchor were put
back together, the tree contains it; then a witness tells, which remembers a larger one.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import sqlalchemy as sa
import structlog

from consent import checkpoint
from consent.access_log import tables, tree, witness_states
from consent.access_log.records import CheckpointState

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sqlalchemy.ext.asyncio import AsyncConnection

    from consent.access_log.position import Position
    from consent.anchor import Anchor
    from consent.checkpoint import Checkpoint, VerifierKey

    KeySource = Callable[[str], Awaitable[VerifierKey | None]]
    from keys.database import Database

log = structlog.get_logger()

UNCHECKED = "the log was not yet compared with its newest checkpoint"


class Watch:
    """Keeps the highest checkpoint seen. `doubt` says what is wrong, None when the database's tree contains it."""

    def __init__(
        self,
        database: Database,
        key: KeySource | None,
        anchor: Anchor | None,
        seen: Callable[[], Position | None],
        witnesses: frozenset[str] = frozenset(),
    ) -> None:
        self._database = database
        self._witnesses = witnesses
        self._source = key
        self._known: dict[str, VerifierKey] = {}
        self._anchor = anchor
        self._seen = seen
        self.high: Checkpoint | None = None
        self.doubt: str | None = UNCHECKED

    async def check(self) -> None:
        """Compare once. When the database cannot be reached the verdict stays: appends fail by themselves then."""
        try:
            found = await self._problem()
        except (checkpoint.NoteInvalid, tree.TreeBroken) as error:
            found = str(error)
        if found != self.doubt:
            log.warning("access_log_in_doubt", reason=found) if found else log.info("access_log_trusted")
        self.doubt = found

    async def run(self, every: float = 1.0) -> None:
        """Check again and again."""
        while True:
            await asyncio.sleep(every)
            try:
                await self.check()
            except Exception as error:  # noqa: BLE001 - the watch must outlive any fault of database or disk
                log.warning("access_log_watch_failed", error=type(error).__name__)

    async def anchored(self) -> Checkpoint | None:
        """Read the anchor's checkpoint, verified. Raises: NoteInvalid, also when its file is there and cannot be read."""
        if self._anchor is None:
            return None
        try:
            note = await asyncio.to_thread(self._anchor.read)
            return await self._opened(note) if note else None
        except OSError as error:  # who could take the file away could also make it unreadable
            raise checkpoint.NoteInvalid(f"the anchor {self._anchor.path} cannot be read: {error.strerror or error}") from error
        except checkpoint.NoteInvalid as error:
            raise checkpoint.NoteInvalid(f"the anchor {self._anchor.path}: {error}") from error

    async def _problem(self) -> str | None:
        anchored = await self.anchored()
        seen = self._seen()
        async with self._database.read() as connection:
            signed = await stored(connection, "signed")
            if anchored is None and signed:  # it may just have been signed for the first time
                anchored = await self.anchored()
            if self._anchor and anchored is None and signed:
                return f"the anchor {self._anchor.path} is gone, though checkpoints were signed up to size {signed.size}"
            notes = [note for note in (anchored, signed and await self._opened(signed.note), self.high) if note]
            self.high = max(notes, key=lambda note: note.size, default=None)
            newest = anchored or (checkpoint.parse(signed.note) if signed else None)
            alarm = await witness_states.rollback(connection, newest.origin, self._witnesses) if newest and self._witnesses else None
            return await _contained(connection, notes, seen) or alarm

    async def _opened(self, note: str) -> Checkpoint:
        if self._source is None:
            return checkpoint.parse(note)
        origin = checkpoint.parse(note).origin
        key = self._known.get(origin) or await self._source(origin)
        if key is None:
            raise checkpoint.NoteInvalid("checkpoints were signed, but the keys store knows no key that signs them")
        self._known[origin] = key
        return checkpoint.open_note(note, key)


async def _contained(connection: AsyncConnection, notes: list[Checkpoint], seen: Position | None) -> str | None:
    edge = await tree.head(connection)
    if seen and edge.size < seen.edge.size:
        return f"the database's log has {edge.size} entries, but {seen.edge.size} were committed"
    for note in notes:
        if edge.size < note.size:
            return f"the database's log has {edge.size} entries, but a checkpoint of {note.size} was signed"
    sizes = {edge.size, *(note.size for note in notes), *([seen.edge.size] if seen else [])}  # mostly the same one, so computed once
    roots = {size: await tree.root(connection, size) for size in sorted(sizes)}
    if seen and roots[seen.edge.size] != seen.edge.root:
        return f"the first {seen.edge.size} entries of the database's log are others than were committed"
    for note in notes:
        if roots[note.size] != note.root:
            return f"the first {note.size} entries of the database's log are not those of the signed checkpoint"
    if roots[edge.size] != edge.root:
        return f"the {edge.size} entries of the database's log do not have the root of its head"
    return None


async def stored(connection: AsyncConnection, kind: str) -> CheckpointState | None:
    """Read the newest "signed" or "published" checkpoint of the database."""
    table = tables.checkpoints.c
    row = (await connection.execute(sa.select(table.size, table.root, table.note, table.time).where(table.kind == kind))).one_or_none()
    return CheckpointState(*row) if row else None
