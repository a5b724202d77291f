"""Searching the records of all entries, newest first, for auditors: what was done, never to whom.

No index beyond the primary key: times never go back, so a stretch of time is a stretch of indices, found by halving. Within it entries are
looked through in pages, and a search ends after `MOST` of them with the place from which to go on.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from consent.access_log import tables, tree
from consent.access_log.opening import object_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection

    from keys.database import Database

MOST: Final = 20_000
"""How many entries one search looks through at most: about 0.1 s."""
_PAGE: Final = 1_000

_E = tables.entries.c
_COLUMNS = sa.select(_E.idx, _E.time, _E.record)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What records are wanted; None wants everything. `before`: only entries older than this index, for paging."""

    client: str | None = None
    action: str | None = None
    agency: str | None = None
    purpose: str | None = None
    basis: str | None = None
    claim: str | None = None
    officer: str | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    before: int | None = None

    def fits(self, record: Mapping[str, Any]) -> bool:
        """Tell whether a record is wanted by what its columns do not say."""
        purpose, actor = record.get("purpose") or {}, record.get("actor") or {}
        return (
            (self.agency is None or record.get("agency") == self.agency)
            and (self.purpose is None or purpose.get("declaration") == self.purpose)
            and (self.basis is None or record.get("legal_basis") == self.basis)
            and (self.claim is None or self.claim in record.get("claims", ()))
            and (self.officer is None or actor.get("pseudonym") == self.officer)
        )

    def needles(self) -> Sequence[bytes]:
        """Give bytes that every wanted record holds: looked for before anything is parsed."""
        names = (self.agency, self.purpose, self.basis, self.claim, self.officer)
        return [f'"{name}"'.encode() for name in names if name is not None and name.isascii() and name.isprintable() and "\\" not in name]


@dataclasses.dataclass(frozen=True, slots=True)
class FoundRecord:
    """One record: the index and time of its entry, and the canonical object as it was hashed."""

    index: int
    time: dt.datetime
    record: Mapping[str, Any]


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """What a search found, newest first. `onward`: the `before` to go on from, None when nothing older is left."""

    records: Sequence[FoundRecord]
    onward: int | None
    looked: int


async def search(database: Database, wanted: Wanted, limit: int, *, most: int = MOST) -> Found:
    """Find at most `limit` records, looking through at most `most` entries. Raises: StoreUnavailable, TreeBroken."""
    async with database.read() as connection:
        size = (await tree.head(connection)).size
        first = await first_at(connection, wanted.since, size) if wanted.since else 0
        end = await first_at(connection, wanted.until, size) if wanted.until else size
        end = min(end, size if wanted.before is None else wanted.before)
        found: list[FoundRecord] = []
        stop = max(first, end - most)
        here = end
        while here > stop and len(found) <= limit:
            low = max(stop, here - _PAGE)
            found += _fitting(await _rows(connection, wanted, low, here), wanted)
            here = low
    if len(found) > limit:
        return Found(found[:limit], found[limit - 1].index, end - here)
    return Found(found, here if here > first else None, end - here)


async def _rows(connection: AsyncConnection, wanted: Wanted, low: int, high: int) -> Sequence[tuple[int, dt.datetime, bytes]]:
    query = _COLUMNS.where(_E.idx >= low, _E.idx < high)
    if wanted.client is not None:
        query = query.where(_E.client == wanted.client)
    if wanted.action is not None:
        query = query.where(_E.action == wanted.action)
    rows = await connection.execute(query.order_by(_E.idx.desc()))
    return [(row.idx, row.time, row.record) for row in rows]


def _fitting(rows: Sequence[tuple[int, dt.datetime, bytes]], wanted: Wanted) -> Iterator[FoundRecord]:
    needles = wanted.needles()
    for idx, time, written in rows:
        if all(needle in written for needle in needles) and wanted.fits(record := object_of(written)):
            yield FoundRecord(idx, time, record)


async def first_at(connection: AsyncConnection, moment: dt.datetime, size: int) -> int:
    """Give the first index whose time is not before `moment`; `size` when there is none. At most log2(size) looks by primary key."""
    low, high = 0, size
    while low < high:
        middle = (low + high) // 2
        time = (await connection.execute(sa.select(_E.time).where(_E.idx == middle))).scalar_one_or_none()
        if time is None:
            raise tree.TreeBroken(f"entry {middle} is missing")
        if time < moment:
            low = middle + 1
        else:
            high = middle
    return low
