"""One transaction of the log: lock the head, recheck guards, chain, hash, extend the right edge, insert, move the head.

Everything that needs no lock was done before (`leaf.prepared`); everything here is done for the whole batch at once.
"""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

import sqlalchemy as sa

from consent import merkle, tiles
from consent.access_log import leaf as leaves
from consent.access_log import statements
from consent.access_log.position import Chain, Filled, Position
from consent.errors import ChainClosed, CompanionMissed, LogUnavailable
from keys.errors import StoreUnavailable
from keys.log_subjects import NONCE as SEAL_NONCE

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from sqlalchemy.engine import CursorResult
    from sqlalchemy.sql.base import Executable

    from consent.access_log.records import Entry, Guard, Record
    from consent.access_log.statements import GrantStands
    from keys.database import Transaction
    from keys.log_subjects import LogKey


_NEW: Final = Chain()
_A: Final = leaves.NONCE_BYTES
_S: Final = 2 * leaves.NONCE_BYTES
_RANDOM: Final = _S + SEAL_NONCE
"""Random bytes of one entry: nonceA, nonceS, and the nonce of the seal."""


class Prepared(NamedTuple):
    """An entry ready to be written: its canonical parts, and the log key of the person it is about."""

    entry: Entry
    record: tuple[bytes, bytes]
    subject: tuple[bytes, bytes] | None
    key: LogKey | None
    guard: Guard | None
    companion: Sequence[Executable]

    @property
    def reference(self) -> bytes | None:
        """Name the chain that this entry belongs to or closes."""
        if self.key is None:
            return self.entry.orphan
        return self.key.reference if self.entry.record.visibility == "open" else self.key.delayed

    @property
    def references(self) -> tuple[bytes, ...]:
        """Name the chains that must be open: a person whose chain is closed gets no second one. Only that one's closing comes later."""
        own = self.reference
        if own is None:
            return ()
        if self.key is None or own == self.key.reference or self.entry.record.action == "erase":
            return (own,)
        return (own, self.key.reference)


class Committed(NamedTuple):
    """What became of one entry, valid once COMMIT returned. `denied` says how the grant stands when it changed."""

    idx: int
    leaf: bytes
    time: dt.datetime
    denied: str | None


Outcome = Committed | Exception


class Written(NamedTuple):
    """The outcomes of a batch in its order, and the position that the head moves to."""

    outcomes: list[Outcome]
    position: Position


class LogBehind(LogUnavailable):
    """The database holds fewer entries, or others, than this process saw committed."""


async def write(transaction: Transaction, batch: Sequence[Prepared], seen: Position | None, tolerance: dt.timedelta) -> Written:
    """Write a batch under the lock of the head row; the caller commits. `seen` is the position this process last saw committed.

    Raises: LogUnavailable (the clock went back, or the database holds another history than was seen).
    """
    grants = {item.guard.grant for item in batch if item.guard}
    references = [item.references for item in batch]
    standing = await statements.standing(transaction, {one for some in references for one in some}, grants)
    position, now = _known(standing.position, seen), standing.now
    if now < position.last_time - tolerance:
        raise LogUnavailable(f"the database's clock is behind the newest entry, {leaves.timestamp(position.last_time)}: set it right")
    work = _Batch(position, max(now, position.last_time), standing.chains, len(batch))
    outcomes: list[Outcome] = []
    stand = standing.grants
    for item, needed in zip(batch, references, strict=True):
        denied = _denied(item, stand, now) if item.guard else None
        failure: Exception | None = work.closed(needed)
        if item.companion and not failure and not denied:
            failure = await _companions(transaction, item.companion)
            stand = await statements.grants(transaction, grants)  # it may have changed a grant that the entries after it rest on
        outcomes.append(failure or work.add(item, needed[0] if needed else None, denied))
    return Written(outcomes, await _store(transaction, work))


def _known(position: Position, seen: Position | None) -> Position:
    """Compare the head with what this process saw, and keep the leaves it remembers if nobody else appended."""
    if seen is None:
        return position
    if position.edge.size < seen.edge.size:
        raise LogBehind(f"the database's log has {position.edge.size} entries, {seen.edge.size} were committed")
    if position.edge.size == seen.edge.size:
        if position.edge != seen.edge:
            raise LogBehind(f"the database's log has other {seen.edge.size} entries than were committed")
        return dataclasses.replace(position, tail=seen.tail)
    return position


class _Batch:
    """The rows of one batch while they are made."""

    def __init__(self, position: Position, time: dt.datetime, chains: dict[bytes, Chain], at_most: int) -> None:
        self.position = position
        self.time = time
        self.stamp = leaves.timestamp(time).encode()
        self.chains = chains
        self.touched: dict[bytes, Chain] = {}
        self.rows: list[tuple[object, ...]] = []
        self.leaves: list[bytes] = []
        self._random = os.urandom(at_most * _RANDOM)  # drawn at once: each entry takes its own part

    def closed(self, references: Sequence[bytes]) -> ChainClosed | None:
        """Refuse an entry of a chain that was closed, also by an entry before it in this batch."""
        for reference in references:
            chain = self.chains.get(reference)
            if chain and chain.closed_by is not None:
                return ChainClosed("the person was erased")
        return None

    def add(self, item: Prepared, reference: bytes | None, denied: str | None) -> Committed:
        """Make the row of one entry."""
        number = len(self.leaves)
        index = self.position.edge.size + number
        chain = self.chains.get(reference, _NEW) if reference else None
        record = item.entry.record
        erased = record.action == "erase"
        before, after = item.record
        if denied or (erased and chain):
            record, before, after = _as_it_stands(item, chain, denied)
            erased = not denied
        drawn = self._random[number * _RANDOM : (number + 1) * _RANDOM]
        nonce_a, nonce_s = drawn[:_A], drawn[_A:_S]
        written = before + self.stamp + after
        ac = leaves.access_commitment(nonce_a, written)
        if chain is None or reference is None or item.key is None or item.subject is None:
            sc = leaves.none_commitment(nonce_s, ac)
            if chain and reference:
                self.chains[reference] = self.touched[reference] = chain._replace(closed_by=index)
            of_whom: tuple[bytes | None, bytes | None, bytes | None] = (nonce_s, None, None)
        else:
            opened = leaves.subject_bytes(item.subject, chain.length, chain.last_sc)
            sc = leaves.subject_commitment(nonce_s, ac, opened)
            self.chains[reference] = self.touched[reference] = Chain(chain.length + 1, sc, index if erased else None)
            of_whom = (None, reference, item.key.seal(index, nonce_s + opened, drawn[_S:]))
        entry = leaves.leaf(sc, ac)
        self.leaves.append(entry)
        self.rows.append((record.action, record.client, entry, written, nonce_a, *of_whom, reference if erased else None))
        return Committed(index, entry, self.time, denied)


def _as_it_stands(item: Prepared, chain: Chain | None, denied: str | None) -> tuple[Record, bytes, bytes]:
    """Give a record, and its canonical parts, with what is known only under the lock: that it is denied, or how long the chain is."""
    record = item.entry.record
    if denied:
        record = record._replace(action="denied", outcome=denied)
    elif chain:
        record = record._replace(count=chain.length + (1 if item.key else 0))
    return record, *leaves.record_parts(record)


def _denied(item: Prepared, stand: Mapping[str, GrantStands], now: dt.datetime) -> str | None:
    """Recheck a guard against the grants as they stand: design.md, "rechecked under the log's lock at the moment of the read"."""
    if item.guard is None or item.entry.subject is None:
        return None
    grant = stand.get(item.guard.grant)
    if grant is None or grant.person != item.entry.subject.person:
        return "missing"
    if grant.state != "active":
        return grant.state
    if grant.expires_at is not None and grant.expires_at <= now:
        return "expired"
    return None if grant.version == item.guard.version else "changed"


async def _companions(transaction: Transaction, companion: Sequence[Executable]) -> Exception | None:
    """Run what must be true together with the entry; when it fails, or finds no row to change, only this entry fails."""
    await transaction.connection.exec_driver_sql("SAVEPOINT companion")
    try:
        missed = [await _changed_nothing(transaction, statement) for statement in companion]
    except sa.exc.OperationalError:
        raise  # the database is going away: nobody's entry may be believed
    except sa.exc.SQLAlchemyError as error:
        await transaction.connection.exec_driver_sql("ROLLBACK TO SAVEPOINT companion")
        return error
    if any(missed):
        await transaction.connection.exec_driver_sql("ROLLBACK TO SAVEPOINT companion")
        return CompanionMissed("a row to be changed together with the entry is not there any more")
    await transaction.connection.exec_driver_sql("RELEASE SAVEPOINT companion")
    return None


async def _changed_nothing(transaction: Transaction, statement: Executable) -> bool:
    return not cast("CursorResult[Any]", await transaction.execute(statement)).rowcount


async def _store(transaction: Transaction, work: _Batch) -> Position:
    """Insert everything and move the head."""
    if not work.leaves:
        return work.position
    filled = Filled()
    position = await _moved(transaction, work, filled)
    await statements.append(transaction, work.rows, work.touched, filled, position)
    return position


async def _moved(transaction: Transaction, work: _Batch, filled: Filled) -> Position:
    """Make the bundles and tiles that this batch fills, and give the position behind it."""
    edge, size, hashes = work.position.edge, work.position.edge.size, [merkle.leaf_hash(entry) for entry in work.leaves]
    tail = work.position.tail if size % tiles.WIDTH else ()
    if size % tiles.WIDTH + len(work.leaves) < tiles.WIDTH:
        return Position(edge.extend(hashes), work.time, None if tail is None else (*tail, *work.leaves))
    if tail is None:
        tail = await statements.leaves_between(transaction, size - size % tiles.WIDTH, size)
        if len(tail) != size % tiles.WIDTH:
            raise StoreUnavailable("entries under the newest tile are missing")
    pending, hashed = [*tail, *work.leaves], [*map(merkle.leaf_hash, tail), *hashes]
    edge = edge.aligned(tiles.HEIGHT)
    n = size // tiles.WIDTH
    while len(pending) >= tiles.WIDTH:
        entries, pending = pending[: tiles.WIDTH], pending[tiles.WIDTH :]
        below, hashed = hashed[: tiles.WIDTH], hashed[tiles.WIDTH :]
        filled.bundles.append((n, tiles.encode_bundle(entries)))
        edge = edge.extend_perfect(tiles.HEIGHT, await _tile(transaction, filled.tiles, 0, n, below))
        n += 1
    return Position(edge.extend(hashed), work.time, tuple(pending))


async def _tile(transaction: Transaction, made: list[tuple[int, int, bytes, bytes]], level: int, n: int, hashes: Sequence[bytes]) -> bytes:
    """Make a full tile, and the one above when this fills it. Returns: its root."""
    own = merkle.perfect_root(hashes)
    made.append((level, n, b"".join(hashes), own))
    if (n + 1) % tiles.WIDTH:
        return own
    first = n + 1 - tiles.WIDTH
    below = await statements.tile_roots(transaction, level, first, n + 1)
    below |= {number: root for at, number, _, root in made if at == level}
    roots = [below[number] for number in range(first, n + 1)]
    await _tile(transaction, made, level + 1, n // tiles.WIDTH, roots)
    return own
