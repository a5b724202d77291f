"""Where key uses of all processes are added up. What a crash loses is the last half minute of one process: too few, never too many."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import sqlalchemy as sa

from consent.key_uses.tables import key_uses

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping

    from keys.database import Database


class KeyUses:
    """The counts of the consent store. `counted`: what this process counted since it began, by what was done."""

    def __init__(self, database: Database, counted: Callable[[], Mapping[str, int]]) -> None:
        self._database = database
        self._counted = counted
        self._told = Counter(counted())
        self._insert = database.insert

    async def flush(self, day: dt.date) -> None:
        """Add what this process counted since the last time. Raises: StoreUnavailable; nothing is lost then."""
        now = Counter(self._counted())
        new = now - self._told
        if not new:
            return
        rows = [{"day": day.isoformat(), "what": what, "times": count} for what, count in sorted(new.items())]
        statement = self._insert(key_uses)
        added = statement.on_conflict_do_update(index_elements=["day", "what"], set_={"times": key_uses.c.times + statement.excluded.times})
        before, self._told = self._told, now  # two flushes at once would tell it twice
        try:
            async with self._database.transaction() as transaction:
                await transaction.execute(added, rows)
                await transaction.commit()
        except BaseException:
            self._told = before
            raise

    async def between(self, since: dt.date, until: dt.date) -> Mapping[str, Mapping[str, int]]:
        """Give the counts by day and what was done, both days included."""
        wanted = sa.select(key_uses).where(key_uses.c.day >= since.isoformat(), key_uses.c.day <= until.isoformat())
        async with self._database.read() as connection:
            rows = (await connection.execute(wanted.order_by(key_uses.c.day))).all()
        found: dict[str, dict[str, int]] = {}
        for row in rows:
            found.setdefault(row.day, {})[row.what] = row.times
        return found
