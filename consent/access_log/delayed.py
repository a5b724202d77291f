"""Entries that are shown later, as statistics and auditors see them at once: how many, by whom, and until when; never about whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from consent.access_log import tables
from consent.access_log.opening import DELAYED, object_of
from consent.access_log.search import FoundRecord

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping, Sequence

    from keys.database import Database, Transaction

_D, _E = tables.delayed.c, tables.entries.c


async def note(transaction: Transaction, said: Iterable[tuple[int, dt.datetime, Mapping[str, Any]]], zone: dt.tzinfo) -> None:
    """Note those of some entries that are shown later: (index, time, record). What an erasure closes is none."""
    rows = [
        {"idx": index, "day": time.astimezone(zone).date().isoformat(), "action": record["action"], "agency": str(record.get("agency", ""))}
        for index, time, record in said
        if record.get("visibility") == DELAYED and record.get("action") != "erase"
    ]
    if rows:
        await transaction.execute(sa.insert(tables.delayed), rows)


async def per_agency(database: Database, since: dt.date, until: dt.date) -> Mapping[str, int]:
    """Count what agencies' applications did unseen on the days since … until, both included. Raises: StoreUnavailable."""
    days = (_D.day >= since.isoformat(), _D.day <= until.isoformat(), _D.action != "audit")
    wanted = sa.select(_D.agency, sa.func.count()).where(*days).group_by(_D.agency)
    async with database.read() as connection:
        return dict(map(tuple, await connection.execute(wanted)))


async def newest(database: Database, limit: int) -> Sequence[FoundRecord]:
    """Give the newest of them. Raises: StoreUnavailable."""
    wanted = sa.select(_E.idx, _E.time, _E.record).join(tables.delayed, _D.idx == _E.idx).order_by(_E.idx.desc()).limit(limit)
    async with database.read() as connection:
        return [FoundRecord(row.idx, row.time, object_of(row.record)) for row in await connection.execute(wanted)]
