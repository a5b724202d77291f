"""Counts per day of what the log records, for statistics: gathered from committed entries, so that no page ever reads the whole log.

Any process may gather: entries are read and counted without a lock, and written only if nobody was faster. A count is a convenience; what
happened is what the entries say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from consent.access_log import tables
from consent.access_log.counts import HOURS, REPORTED, Activity, Group
from consent.access_log.delayed import note
from consent.access_log.opening import object_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping, Sequence

    from keys.database import Database, Transaction

BATCH: Final = 500
"""How many are counted at once: about five milliseconds in which nobody else is served."""

_E = tables.entries.c
_A = tables.activity.c
_P = tables.activity_position.c


async def gather(database: Database, zone: dt.tzinfo, limit: int = BATCH) -> int:
    """Count at most `limit` entries that were not counted yet; return how many. Raises: StoreUnavailable."""
    async with database.read() as connection:
        first = (await connection.execute(sa.select(_P.next).where(_P.id == 1))).scalar_one_or_none() or 0
        query = sa.select(_E.idx, _E.time, _E.record).where(_E.idx >= first).order_by(_E.idx).limit(limit)
        rows = (await connection.execute(query)).all()
    if not rows:
        return 0
    said = [(index, time, object_of(record)) for index, time, record in rows]
    counts = tally(((time, record) for _, time, record in said), zone)
    async with database.transaction() as transaction:
        if not await _advance(transaction, database, first, rows[-1].idx + 1):
            return 0  # another process counted them meanwhile
        await _add(transaction, database, counts)
        await note(transaction, said, zone)
        await transaction.commit()
    return len(rows)


async def between(database: Database, since: dt.date, until: dt.date) -> Sequence[Activity]:
    """Give the counts of the days since … until, both included, oldest first. Raises: StoreUnavailable."""
    wanted = sa.select(tables.activity).where(_A.day >= since.isoformat(), _A.day <= until.isoformat()).order_by(_A.day)
    async with database.read() as connection:
        rows = (await connection.execute(wanted)).all()
    return [_activity(row) for row in rows]


def tally(entries: Iterable[tuple[dt.datetime, Mapping[str, Any]]], zone: dt.tzinfo) -> dict[Group, list[int]]:
    """Count entries by group and hour."""
    counts: dict[Group, list[int]] = {}
    for time, record in entries:
        here = time.astimezone(zone)
        counts.setdefault(_group(here.date().isoformat(), record), [0] * HOURS)[here.hour] += 1
    return counts


def _group(day: str, record: Mapping[str, Any]) -> Group:
    purpose, actor = record.get("purpose") or {}, record.get("actor") or {}
    return Group(
        day=day,
        action=REPORTED if record.get("reported_by") else str(record.get("action", "")),
        client=str(record.get("client", "")),
        agency=str(record.get("agency", "")),
        purpose=str(purpose.get("declaration", "")),
        basis=str(record.get("legal_basis", "")),
        officer=str(actor.get("pseudonym") or ""),
        lasting=1 if record.get("session") == "none" else 0,
    )


async def _advance(transaction: Transaction, database: Database, first: int, after: int) -> bool:
    """Move the position from `first` to `after`; False when it stands elsewhere."""
    await transaction.execute(database.insert(tables.activity_position).values(id=1, next=0).on_conflict_do_nothing())
    moved = sa.update(tables.activity_position).where(_P.id == 1, _P.next == first).values(next=after).returning(_P.next)
    return (await transaction.execute(moved)).first() is not None


async def _add(transaction: Transaction, database: Database, counts: Mapping[Group, Sequence[int]]) -> None:
    """Add to what is there; the position's row is locked, so nobody else does."""
    days = {group.day for group in counts}
    rows = await transaction.execute(sa.select(tables.activity).where(_A.day.in_(days)))
    known = {(activity := _activity(row)).group: activity.hours for row in rows}
    empty = (0,) * HOURS
    values = [
        {**group._asdict(), "hours": " ".join(str(old + new) for old, new in zip(known.get(group, empty), hours, strict=True))}
        for group, hours in counts.items()
    ]
    new = database.insert(tables.activity)
    await transaction.execute(new.on_conflict_do_update(index_elements=list(Group._fields), set_={"hours": new.excluded.hours}), values)


def _activity(row: Iterable[Any]) -> Activity:
    *group, hours = row
    return Activity(Group(*group), tuple(map(int, hours.split())))
