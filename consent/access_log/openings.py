"""Opening subjects for auditors: which chains a stretch of the log touches, whose they are, and what opens each entry.

Who may ask, what is recorded before, and to whom the lines are encrypted is decided by the caller: nothing here may leave the process
in clear. A chain that was closed, or whose key is gone, stays closed.
"""

from __future__ import annotations

import asyncio
import dataclasses
from typing import TYPE_CHECKING, Final, NamedTuple

import sqlalchemy as sa

from consent.access_log import tables, tree
from consent.access_log.opening import Row, due_at, object_of, subject_opening
from consent.access_log.records import Delay
from consent.access_log.search import first_at
from consent.verify_openings import opening_line
from keys.log_subjects import LogKey

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import AsyncIterator, Mapping

    from keys.database import Database

PAGE: Final = 1_000
_SEEN: Final = 5_000
_E = tables.entries.c


@dataclasses.dataclass(frozen=True, slots=True)
class Stretch:
    """The entries from `first` to before `end`; `client`: only those of this application. `newest`: it ends with what was signed last."""

    first: int
    end: int
    client: str | None
    newest: bool

    @property
    def complete(self) -> bool:
        """Whether it is the whole log up to its newest checkpoint."""
        return self.first == 0 and self.newest and self.client is None

    @property
    def entries(self) -> int:
        """How many entries lie in it, of whichever application."""
        return self.end - self.first


class Holder(NamedTuple):
    """Whose chain a reference names. The secret rather than a cipher, since a million of those would not fit in memory.

    `second`: it is the chain of entries that are shown later.
    """

    person: str
    secret: bytes
    second: bool = False


class Lines(NamedTuple):
    """A page of opening lines; `left` counts entries about people that stay closed."""

    lines: bytes
    opened: int
    left: int


async def stretch(database: Database, size: int, since: dt.datetime | None, until: dt.datetime | None, client: str | None) -> Stretch:
    """Resolve a stretch of time to indices, below the size of a checkpoint. Raises: StoreUnavailable, TreeBroken."""
    async with database.read() as connection:
        size = min(size, (await tree.head(connection)).size)
        first = await first_at(connection, since, size) if since else 0
        end = await first_at(connection, until, size) if until else size
    return Stretch(first, max(first, end), client, newest=until is None)


async def references(database: Database, where: Stretch) -> set[bytes]:
    """Name the chains that a stretch touches and that may be opened: none that an entry before its end closed. Raises: StoreUnavailable."""
    found: set[bytes] = set()
    chains = tables.chains.c
    for low in range(where.first, where.end, _SEEN):
        async with database.read() as connection:
            query = sa.select(_E.subject_ref).where(*_within(where, low, _SEEN), _E.subject_ref.is_not(None)).distinct()
            found |= {row.subject_ref for row in await connection.execute(query)}
    async with database.read() as connection:
        closed = await connection.execute(sa.select(chains.subject_ref).where(chains.closed_by < where.end))
        found -= {row.subject_ref for row in closed}
    return found


async def closed_since(database: Database, where: Stretch) -> bool:
    """Tell whether somebody was erased by an entry behind the stretch: then some of it stays closed, and nothing in it says why."""
    closed_by = tables.chains.c.closed_by
    async with database.read() as connection:
        query = sa.select(sa.func.count()).where(closed_by >= where.end)
        return bool((await connection.execute(query)).scalar_one())


async def holders(keys: AsyncIterator[Mapping[str, bytes]], wanted: set[bytes]) -> dict[bytes, Holder]:
    """Find whose chains these are among all living people, page by page, until every one is found."""
    found: dict[bytes, Holder] = {}
    async for page in keys:
        for person, secret in page.items():
            key = LogKey(secret)
            for reference in (key.reference, key.delayed):
                if reference in wanted:
                    found[reference] = Holder(person, secret, reference == key.delayed)
        if len(found) == len(wanted):
            break
        await asyncio.sleep(0)  # others are served meanwhile
    return found


async def longest_delay(database: Database, where: Stretch, reference: bytes) -> Delay | None:
    """Of a second chain's entries in a stretch, give the delay of the one that is shown last. Raises: StoreUnavailable."""
    within = _within(where, where.first, where.entries)
    async with database.read() as connection:
        rows = await connection.execute(sa.select(_E.record).where(_E.subject_ref == reference, *within))
        records = [object_of(record) for record in rows.scalars()]
    until, said = max(((due_at(one), one) for one in records if due_at(one)), key=lambda item: str(item[0]), default=(None, {}))
    if until is None:
        return None
    delay = said["delay"]
    return Delay(delay["code"], delay["legal_ref"], until, delay["by"], delay.get("confirmed_by"))


async def opened(database: Database, where: Stretch, whose: Mapping[bytes, Holder]) -> AsyncIterator[Lines]:
    """Open what can be opened, page by page in the order of the log. Raises: StoreUnavailable."""
    for low in range(where.first, where.end, PAGE):
        async with database.read() as connection:
            query = sa.select(tables.entries).where(*_within(where, low, PAGE)).order_by(_E.idx)
            rows = [Row(*row) for row in await connection.execute(query)]
        yield await asyncio.to_thread(_page, rows, whose)


def _page(rows: list[Row], whose: Mapping[bytes, Holder]) -> Lines:
    lines, left = [], 0
    for row in rows:
        holder = whose.get(row.subject_ref or b"")
        opening = subject_opening(row, LogKey(holder.secret)) if holder else None
        if opening is not None:
            lines.append(opening_line(row.idx, *opening))
        left += opening is None and row.nonce_s is None
    return Lines(b"".join(lines), len(lines), left)


def _within(where: Stretch, low: int, count: int) -> tuple[sa.ColumnElement[bool], ...]:
    of_client = () if where.client is None else (_E.client == where.client,)
    return (_E.idx >= low, _E.idx < min(low + count, where.end), *of_client)
