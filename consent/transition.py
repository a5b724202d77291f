"""Carrying out a succession of the log: by a planned change of the checkpoint key, or after entries were truly lost.

Order: the new key is made → an entry that names the old final checkpoint, which is the first under the new origin → the first checkpoint
of the new origin, signed and anchored. The anchor's origin says which key signs: until it moved, everything goes on under the old one, and
the command may be given again. The signer must stand still meanwhile; processes that append need not, unless entries were lost.
"""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
from typing import TYPE_CHECKING

from consent import checkpoint, succession
from consent.access_log import leaf, statements, tree, watch, writer
from consent.access_log.published import save_checkpoint
from consent.access_log.records import Entry, Record
from consent.access_log.writer import Prepared
from consent.checkpoint import Checkpoint, NoteInvalid, VerifierKey
from consent.signer import SignerRefused, require_continuation
from consent.succession import Succession
from keys.database import clock
from keys.errors import CheckpointKeyWrong

if TYPE_CHECKING:
    from collections.abc import Callable

    from consent.access_log.records import Actor
    from consent.anchor import Anchor
    from consent.merkle import Edge
    from consent.signer import LogSigner, SigningKey, SigningKeySource
    from keys.database import Database

CLOCK_TOLERANCE = dt.timedelta(seconds=5)


@dataclasses.dataclass(frozen=True, slots=True)
class Change:
    """Who changes it, and in which words; both stand in the entry."""

    actor: Actor
    words: str


class Transition:
    """The successions of one log; `first` is its first origin."""

    def __init__(self, database: Database, keys: SigningKeySource, first: str, anchor: Anchor, signer: LogSigner) -> None:
        self._database = database
        self._keys = keys
        self._first = first
        self._anchor = anchor
        self._signer = signer

    async def rotate(self, change: Change) -> Succession:
        """Let the log go on under a new key and origin; nothing is lost, and the old key signs that it is so.

        Raises: SignerRefused when a signer is at work or the log is in doubt; CheckpointKeyWrong, NoteInvalid, TreeBroken,
        LogUnavailable, StoreUnavailable, OSError.
        """
        with self._anchor.sole_signer() as alone:
            _require_alone(alone=alone)
            old = await self._signer.sign_once()
            note = await asyncio.to_thread(self._anchor.read)
            key, verifier = await self._signer.key(old.origin)
            successor = await self._successor(old.origin)

            def statement(edge: Edge) -> str:
                final = Checkpoint(old.origin, edge.size, edge.root)
                words = (final.note(verifier, key.sign(final.body)), edge.size, edge.root, successor.verifier, change.words)
                said = Succession("planned", verifier, *words)
                return said.note(key.sign(said.text.encode()))

            entered = await self._enter(change, statement, old)
            await self._begin(successor, note, entered)
        return entered

    async def after_loss(self, change: Change, known: str | None = None) -> Succession:
        """Let the log go on from what was restored, under a new key and origin, saying how much is gone.

        `known`: the newest checkpoint that anybody holds, when it is newer than the anchor's or the anchor is gone as well.
        Raises: SignerRefused when nothing is lost, or the database holds others than were signed; else as `rotate`.
        """
        with self._anchor.sole_signer() as alone:
            _require_alone(alone=alone)
            note = await asyncio.to_thread(self._anchor.read)
            final, verifier = await self._final([text for text in (note, known) if text])
            edge = await self._restored(checkpoint.parse(final))
            successor = await self._successor(verifier.name)
            try:
                key: SigningKey | None = (await self._signer.key(verifier.name))[0]
            except CheckpointKeyWrong:  # lost with the rest
                key = None

            def statement(now: Edge) -> str:
                if now != edge:
                    raise SignerRefused("entries were appended meanwhile: stop the servers first")
                said = Succession("lost", verifier, final, edge.size, edge.root, successor.verifier, change.words)
                return said.note(key.sign(said.text.encode()) if key else None)

            entered = await self._enter(change, statement, None)
            await self._begin(successor, note, entered)
        return entered

    async def _final(self, notes: list[str]) -> tuple[str, VerifierKey]:
        """Find the old final checkpoint: the largest of what is known, signed by a key of this log."""
        if not notes:
            raise SignerRefused("neither an anchor nor --checkpoint tells what was signed; if nothing is missing: idp log sign --adopt")
        final = max(notes, key=lambda note: checkpoint.parse(note).size)
        origin = checkpoint.parse(final).origin
        public = await self._keys.public_key(checkpoint.number_of(origin, self._first))
        if public is None:
            raise NoteInvalid(f"the keys store knows no key of {origin}")
        verifier = VerifierKey(origin, public)
        checkpoint.open_note(final, verifier)
        return final, verifier

    async def _restored(self, final: Checkpoint) -> Edge:
        """Give what the database holds; it must be whole in itself, and less than was signed."""
        async with self._database.read() as connection:
            edge = await tree.head(connection)
            signed = await watch.stored(connection, "signed")
            if signed is not None and signed.size <= edge.size:
                await require_continuation(connection, checkpoint.parse(signed.note), edge)
            elif await tree.root(connection, edge.size) != edge.root:
                raise SignerRefused(f"the {edge.size} entries of the database's log do not have the root of its head: restore a whole copy")
            if edge.size >= final.size:
                await require_continuation(connection, final, edge)
                raise SignerRefused(f"nothing is lost: the database holds all {final.size} entries that were signed")
        return edge

    async def _successor(self, origin: str) -> _Successor:
        number = checkpoint.number_of(origin, self._first) + 1
        key = await self._keys.make(number)
        return _Successor(key, VerifierKey(f"{self._first}/{number}", key.public_key))

    async def _enter(self, change: Change, statement: Callable[[Edge], str], signed: Checkpoint | None) -> Succession:
        """Write the first entry of the new origin under the head's lock, so that its index is the number of entries kept."""
        async with self._database.transaction(statements.LOCK) as transaction:
            edge = (await statements.lock_head(transaction)).edge
            if signed is not None:
                await require_continuation(transaction.connection, signed, edge)
            note = statement(edge)
            record = Record(action="key", actor=change.actor, channel="command-line", outcome=succession.OUTCOME, reason=note)
            prepared = Prepared(Entry(record), leaf.record_parts(record), None, None, None, ())
            (outcome,) = (await writer.write(transaction, [prepared], None, CLOCK_TOLERANCE)).outcomes
            if isinstance(outcome, Exception):
                raise outcome
            await transaction.commit()
        return succession.parse(note)

    async def _begin(self, successor: _Successor, note: str | None, entered: Succession) -> None:
        """Sign and anchor the first checkpoint of the new origin; from here on it is the log's."""
        async with self._database.read() as connection:
            edge = await tree.head(connection)
            now = await clock(connection)
            await require_continuation(connection, Checkpoint(entered.old.name, entered.size, entered.root), edge)
        fresh = Checkpoint(successor.verifier.name, edge.size, edge.root)
        signed = fresh.note(successor.verifier, successor.key.sign(fresh.body))
        await asyncio.to_thread(self._anchor.advance, note, signed, succession=True)
        await save_checkpoint(self._database, "signed", fresh, signed, now, succession=True)
        if self._signer.publisher is None:  # else it becomes public when witnesses, who must be told of the new key, cosigned it
            await save_checkpoint(self._database, "published", fresh, signed, now, succession=True)


@dataclasses.dataclass(frozen=True, slots=True)
class _Successor:
    key: SigningKey
    verifier: VerifierKey


def _require_alone(*, alone: bool) -> None:
    if not alone:
        raise SignerRefused("a signer is at work: stop it (on the embedded default, the server) before its key changes")
