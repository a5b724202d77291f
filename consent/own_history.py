"""A person's own entries, as far as they may be shown, with what proves them, for a file that the person keeps (`consent.history_file`).

Proofs lead to the public checkpoint, the one that strangers hold too; entries that it does not cover yet are counted, not shown.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Protocol

from consent import checkpoint
from consent.access_log import history, tree, watch
from consent.access_log.opening import object_of, subject_opening
from consent.errors import ChainClosed, LogUnavailable
from consent.history_file import ProvedEntry
from keys.errors import KeyDestroyed

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping, Sequence

    from consent.access_log.opening import Row
    from consent.access_log.records import CheckpointState
    from consent.access_log.watch import KeySource
    from consent.checkpoint import VerifierKey
    from keys.database import Database
    from keys.log_subjects import LogKey


class LogKeys(Protocol):
    """Where the log key of a person comes from (`keys.subject_keys`)."""

    async def log_key(self, person: str) -> LogKey:
        """Give the key. Raises: KeyDestroyed."""


@dataclasses.dataclass(frozen=True, slots=True)
class OwnHistory:
    """One person's entries, oldest first, under a public checkpoint. `later`: how many newer ones it does not cover yet.

    `broken`: how many are shown without their proof, since they do not open any more: the check of authenticity says which.
    """

    entries: Sequence[ProvedEntry]
    checkpoint: CheckpointState
    key: VerifierKey
    later: int
    broken: int


class OwnHistories:
    """Reads them from one log."""

    def __init__(self, database: Database, keys: LogKeys, verifiers: KeySource, clock: Callable[[], dt.datetime]) -> None:
        self._database = database
        self._keys = keys
        self._verifiers = verifiers
        self._clock = clock

    async def of(self, person: str) -> OwnHistory | None:
        """Gather the entries; None before the first public checkpoint. Raises: ChainClosed, LogUnavailable, StoreUnavailable."""
        try:
            key = await self._keys.log_key(person)
        except KeyDestroyed as error:
            raise ChainClosed("the person was erased") from error
        async with self._database.read() as connection:
            public = await watch.stored(connection, "published")
            if public is None:
                return None
            rows = await history.shown_below(connection, key, (await tree.head(connection)).size, self._clock())
            covered = [row for row in rows if row.idx < public.size]
            try:
                proofs = await history.inclusion_proofs(connection, [row.idx for row in covered], public.size)
            except tree.TreeBroken as error:
                raise LogUnavailable(str(error)) from error
        verifier = await self._verifiers(checkpoint.parse(public.note).origin)
        if verifier is None:
            return None
        entries = [entry for row in covered if (entry := _proved(row, key, proofs)) is not None]
        return OwnHistory(entries, public, verifier, len(rows) - len(covered), len(covered) - len(entries))


def _proved(row: Row, key: LogKey, proofs: Mapping[int, tuple[bytes, ...]]) -> ProvedEntry | None:
    opening = subject_opening(row, key)
    if opening is None:
        return None
    nonce_s, subject = opening
    return ProvedEntry(row.idx, row.leaf, row.nonce_a, nonce_s, object_of(row.record), subject, proofs[row.idx])
