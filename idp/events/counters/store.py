"""Where counters rest. Counting is one statement for all counters of an attempt."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import sqlalchemy as sa

from idp.events.tables import counters
from keys.database import Timestamp
from keys.prepared import Prepared

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.sql.base import Executable

    from keys.database import Database


class CounterStore:
    """The counters of the idp store."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._counting: dict[int, Prepared] = {}
        self._giving: dict[int, Prepared] = {}

    async def count(self, keys: Sequence[tuple[str, bytes, int]], now: dt.datetime) -> Mapping[str, tuple[int, dt.datetime]]:
        """Count one attempt in each (name, key, window in seconds); give (count, end of window) by name.

        The order of rows is fixed, so that two processes never wait for each other in a circle.
        """
        values: dict[str, object] = {"now": now}
        for number, (name, key, window) in enumerate(sorted(keys)):
            values |= {f"name{number}": name, f"key{number}": key, f"until{number}": now + dt.timedelta(seconds=window)}
        statement = self._counting.get(len(keys))
        if statement is None:
            statement = self._counting[len(keys)] = Prepared(self._database, _count(self._database, len(keys)), changes=True)
        return {row.name: (row[1], row.expires_at) for row in await statement.all(values)}

    async def give_back(self, keys: Sequence[tuple[str, bytes]]) -> None:
        """Take one attempt back from each: it was no failure."""
        values: dict[str, object] = {}
        for number, (name, key) in enumerate(sorted(keys)):
            values |= {f"name{number}": name, f"key{number}": key}
        statement = self._giving.get(len(keys))
        if statement is None:
            statement = self._giving[len(keys)] = Prepared(self._database, _give_back(len(keys)), changes=True)
        await statement.all(values)

    async def sweep(self, now: dt.datetime, limit: int = 1000) -> int:
        """Delete counters whose window ended, at most `limit`; return how many went."""
        pair = sa.tuple_(counters.c.name, counters.c.key)
        old = sa.select(counters.c.name, counters.c.key).where(counters.c.expires_at < now).limit(limit)
        async with self._database.statement() as connection:
            return (await connection.execute(sa.delete(counters).where(pair.in_(old)))).rowcount


# SQLAlchemy keeps no statement of several VALUES: built for each attempt, it compiled the one below for each sign-in.


def _count(database: Database, rows: int) -> Executable:
    now = sa.bindparam("now", type_=Timestamp())
    new = database.insert(counters).values(
        [
            {"name": _name(number), "key": _key(number), "count": 1, "expires_at": sa.bindparam(f"until{number}", type_=Timestamp())}
            for number in range(rows)
        ]
    )
    over = counters.c.expires_at <= now
    return new.on_conflict_do_update(
        index_elements=["name", "key"],
        set_={
            "count": sa.case((over, 1), else_=counters.c.count + 1),
            "expires_at": sa.case((over, new.excluded.expires_at), else_=counters.c.expires_at),
        },
    ).returning(counters.c.name, counters.c.count, counters.c.expires_at)


def _give_back(rows: int) -> Executable:
    which = sa.or_(*((counters.c.name == _name(number)) & (counters.c.key == _key(number)) for number in range(rows)))
    return sa.update(counters).where(which, counters.c.count > 0).values(count=counters.c.count - 1)


def _name(number: int) -> sa.BindParameter[str]:
    return sa.bindparam(f"name{number}", type_=counters.c.name.type)


def _key(number: int) -> sa.BindParameter[bytes]:
    return sa.bindparam(f"key{number}", type_=counters.c.key.type)
