"""Where counters rest. Counting is one statement for all counters of an attempt."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import sqlalchemy as sa

from idp.events.tables import counters

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from keys.database import Database


class CounterStore:
    """The counters of the idp store."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._insert = database.insert

    async def count(self, keys: Sequence[tuple[str, bytes, int]], now: dt.datetime) -> Mapping[str, tuple[int, dt.datetime]]:
        """Count one attempt in each (name, key, window in seconds); give (count, end of window) by name.

        The order of rows is fixed, so that two processes never wait for each other in a circle.
        """
        rows = [
            {"name": name, "key": key, "count": 1, "expires_at": now + dt.timedelta(seconds=window)} for name, key, window in sorted(keys)
        ]
        new = self._insert(counters).values(rows)
        over = counters.c.expires_at <= now
        statement = new.on_conflict_do_update(
            index_elements=["name", "key"],
            set_={
                "count": sa.case((over, 1), else_=counters.c.count + 1),
                "expires_at": sa.case((over, new.excluded.expires_at), else_=counters.c.expires_at),
            },
        ).returning(counters.c.name, counters.c.count, counters.c.expires_at)
        async with self._database.statement() as connection:
            return {row[0]: (row[1], row[2]) for row in await connection.execute(statement)}

    async def give_back(self, keys: Sequence[tuple[str, bytes]]) -> None:
        """Take one attempt back from each: it was no failure."""
        which = sa.tuple_(counters.c.name, counters.c.key).in_([(name, key) for name, key in sorted(keys)])
        statement = sa.update(counters).where(which, counters.c.count > 0).values(count=counters.c.count - 1)
        async with self._database.statement() as connection:
            await connection.execute(statement)

    async def sweep(self, now: dt.datetime, limit: int = 1000) -> int:
        """Delete counters whose window ended, at most `limit`; return how many went."""
        pair = sa.tuple_(counters.c.name, counters.c.key)
        old = sa.select(counters.c.name, counters.c.key).where(counters.c.expires_at < now).limit(limit)
        async with self._database.statement() as connection:
            return (await connection.execute(sa.delete(counters).where(pair.in_(old)))).rowcount
