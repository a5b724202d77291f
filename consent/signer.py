"""The one signer: what the database's log became is signed, anchored outside the database, and only then published.

Order (log.md): read head → consistency proof from the anchor → sign → anchor → publish; where witnesses watch, these are asked before that
(`consent.publisher`). Whatever happens in between, the anchor never claims less than what was published, and nothing is signed that does
not continue what was signed before.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import TYPE_CHECKING, Protocol

import structlog

from consent import checkpoint, merkle
from consent.access_log import tree, watch
from consent.access_log.published import save_checkpoint
from consent.access_log.records import CheckpointState
from consent.anchor import AnchorBackwards, AnchorMoved
from consent.checkpoint import Checkpoint, NoteInvalid, VerifierKey
from keys.database import clock
from keys.errors import KeysError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sqlalchemy.ext.asyncio import AsyncConnection

    from consent.anchor import Anchor
    from consent.publisher import Publisher
    from keys.database import Database

log = structlog.get_logger()


class SigningKey(Protocol):
    """The signer's key (`keys.checkpoint_keys.CheckpointKey`)."""

    @property
    def public_key(self) -> bytes:
        """The public key, 32 bytes."""

    def sign(self, message: bytes) -> bytes:
        """Sign with Ed25519."""


class SigningKeySource(Protocol):
    """Where the signer finds its key, and everybody its public part (`keys.checkpoint_keys.CheckpointKeys`)."""

    async def public_key(self, number: int = 1) -> bytes | None:
        """Give the public key of this number; None before it was made."""

    async def load(self, number: int = 1) -> SigningKey:
        """Give the key itself; the first is made when it is not there."""

    async def make(self, number: int) -> SigningKey:
        """Give the key of a succession, made when it is not there."""


class SignerRefused(Exception):
    """The database's log does not continue what was signed before, or another signer is at work. The message says what to do."""


def verifier_source(first: str, keys: SigningKeySource) -> Callable[[str], Awaitable[VerifierKey | None]]:
    """Give the function by which a process learns the verifier key of one of this log's origins, `first` being the first of them.

    It raises NoteInvalid for another log's origin.
    """

    async def ask(origin: str) -> VerifierKey | None:
        public = await keys.public_key(checkpoint.number_of(origin, first))
        return None if public is None else VerifierKey(origin, public)

    return ask


def newest_origin(first: str, *notes: str | None) -> str:
    """Tell under which origin the log goes on: that of the newest of these notes that is there; the first before anything was signed."""
    return next((checkpoint.parse(note).origin for note in notes if note), first)


class LogSigner:
    """Signs the log of one origin. Exactly one may run: `run` holds the anchor's place of the sole signer while it does."""

    def __init__(
        self,
        database: Database,
        keys: SigningKeySource,
        origin: str,
        anchor: Anchor,
        *,
        publish_every: dt.timedelta = dt.timedelta(seconds=60),
        publisher: Publisher | None = None,
    ) -> None:
        self._database = database
        self._keys = keys
        self._origin = origin
        self._anchor = anchor
        self._publish_every = publish_every
        self.publisher = publisher

    async def run(self, every: float = 0.5) -> None:
        """Sign within a second of growth, for as long as this process holds the place of the sole signer; wait for it otherwise.

        Nothing ends it: a server goes on without a signer otherwise, and nobody is told.
        """
        waits = False
        while True:
            try:
                with self._anchor.sole_signer() as alone:
                    if alone == waits:
                        waits = not alone
                        log.info("log_signer_waits" if waits else "log_signer_begins", anchor=str(self._anchor.path))
                    if alone:
                        await self._work(every)
            except Exception as error:  # noqa: BLE001 - see above
                log.error("log_signer_failed", error=type(error).__name__, reason=str(error))  # noqa: TRY400 - as in _try
                await asyncio.sleep(1)
            await asyncio.sleep(every)

    async def _work(self, every: float) -> None:
        """Sign, and beside it publish: a witness that is waited for must not delay the signing."""
        async with asyncio.TaskGroup() as group:
            if self.publisher:
                group.create_task(self.publisher.run(), name="log-publisher")
            while True:
                await self._try()
                await asyncio.sleep(every)

    async def _try(self) -> None:
        try:
            await self.sign_once()
        except (SignerRefused, KeysError, NoteInvalid, tree.TreeBroken, OSError) as error:
            log.error("log_signer_failed", error=type(error).__name__, reason=str(error))  # noqa: TRY400 - a state, not a fault of ours
            await asyncio.sleep(1)

    async def sign_once(self, *, adopt: bool = False) -> Checkpoint:
        """Sign and anchor the log as it is now, and publish when that is due; return the newest signed checkpoint.

        `adopt`: the anchor is gone on purpose (a new volume): begin it anew from the database.
        Raises: SignerRefused; NoteInvalid; TreeBroken; StoreUnavailable; OSError.
        """
        note = await asyncio.to_thread(self._anchor.read)
        async with self._database.read() as connection:
            signed, published = await watch.stored(connection, "signed"), await watch.stored(connection, "published")
        key, verifier = await self.key(newest_origin(self._origin, note, signed.note if signed else None))
        old = checkpoint.open_note(note, verifier) if note else None
        async with self._database.read() as connection:
            edge = await tree.head(connection)
            now = await clock(connection)
            if old is None and signed is not None and not adopt:
                raise SignerRefused(f"the anchor {self._anchor.path} is gone, though checkpoints were signed: put it back, or --adopt")
            if old is None and signed is not None:
                await require_continuation(connection, checkpoint.parse(signed.note), edge)
            if not (old and old.size == edge.size and old.root == edge.root):
                await require_continuation(connection, old, edge)
        if old is None or edge.size > old.size:
            fresh = Checkpoint(verifier.name, edge.size, edge.root)
            signed_note = fresh.note(verifier, key.sign(fresh.body))
            await self._advance(note, signed_note)
        else:
            fresh, signed_note = old, note or ""
        await self._save(fresh, signed_note, signed, published, now)
        return fresh

    async def key(self, origin: str) -> tuple[SigningKey, VerifierKey]:
        """Load the key that signs under this origin. Raises: NoteInvalid, CheckpointKeyWrong, StoreUnavailable."""
        key = await self._keys.load(checkpoint.number_of(origin, self._origin))
        return key, VerifierKey(origin, key.public_key)

    async def _advance(self, expected: str | None, note: str) -> None:
        try:
            await asyncio.to_thread(self._anchor.advance, expected, note)
        except (AnchorMoved, AnchorBackwards) as error:
            raise SignerRefused(str(error)) from error

    async def _save(
        self, fresh: Checkpoint, note: str, signed: CheckpointState | None, published: CheckpointState | None, now: dt.datetime
    ) -> None:
        """Put the note into the database: as the newest signed one at once, as the public one when its time has come.

        The public one moves at whole minutes, to what was signed before that minute began. Were it to move a minute after it last did,
        the first read after a silence would be public within a second, and its time with it.
        """
        if published is None:
            await self._publish(CheckpointState(fresh.size, fresh.root, note, now), now)
        elif (
            signed is not None
            and signed.note != published.note
            and _tick(signed.time, self._publish_every) < _tick(now, self._publish_every)
        ):
            await self._publish(signed, now)
        if signed is None or signed.note != note:
            await save_checkpoint(self._database, "signed", fresh, note, now)

    async def _publish(self, state: CheckpointState, now: dt.datetime) -> None:
        """Make it public, or let the publisher show it to the witnesses first."""
        if self.publisher:
            self.publisher.offer(state)
        else:
            await save_checkpoint(self._database, "published", checkpoint.parse(state.note), state.note, now)


def _tick(time: dt.datetime, every: dt.timedelta) -> int:
    """Number the minutes (or whatever `every` is); all signers and processes count the same."""
    return int(time.timestamp() // every.total_seconds())


async def require_continuation(connection: AsyncConnection, old: Checkpoint | None, edge: merkle.Edge) -> None:
    """Refuse to sign a tree that does not contain the anchored one. Raises: SignerRefused, TreeBroken."""
    size, root = (old.size, old.root) if old else (0, merkle.EMPTY_ROOT)
    if edge.size < size:
        raise SignerRefused(f"the database's log has {edge.size} entries, the anchor {size}: an older database was put back")
    proof = await tree.consistency_proof(connection, size, edge.size)
    try:
        merkle.verify_consistency(size, edge.size, root, edge.root, proof)
    except merkle.ProofInvalid as error:
        raise SignerRefused(f"the first {size} entries of the database's log are not those that were signed") from error
    if await tree.root(connection, edge.size) != edge.root:
        raise SignerRefused(f"the {edge.size} entries of the database's log do not have the root of its head")
