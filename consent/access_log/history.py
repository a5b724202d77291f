"""Reading a person's own entries: what the citizen's pages show, and the check of their authenticity."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import datetime as dt
from collections import Counter
from typing import TYPE_CHECKING

import sqlalchemy as sa

from consent import merkle, succession
from consent.access_log import leaf as leaves
from consent.access_log import tables, tree
from consent.access_log.opening import Row, object_of, opened
from consent.access_log.records import PersonCheck
from consent.checkpoint import NoteInvalid
from keys.database import clock

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection

    from consent.access_log.records import HistoryEntry
    from consent.succession import Succession
    from keys.log_subjects import LogKey

_E = tables.entries.c
_DAYS_OF_MONTHS = 31


@dataclasses.dataclass(frozen=True, slots=True)
class Filter:
    """What of a person's history is wanted; `before` is an index, for paging."""

    before: int | None = None
    client: str | None = None
    action: str | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    actions: frozenset[str] = frozenset()

    def conditions(self, key: LogKey) -> list[sa.ColumnElement[bool]]:
        """Say it in SQL, about one person."""
        asked = (
            self.before is not None and _E.idx < self.before,
            self.client is not None and _E.client == self.client,
            self.action is not None and _E.action == self.action,
            self.since is not None and _E.time >= self.since,
            self.until is not None and _E.time < self.until,
            bool(self.actions) and _E.action.in_(sorted(self.actions)),
        )
        return [_E.subject_ref == key.reference, *(condition for condition in asked if condition is not False)]


async def page(connection: AsyncConnection, key: LogKey, wanted: Filter, limit: int, offset: int = 0) -> Sequence[HistoryEntry]:
    """Give a person's entries, newest first."""
    statement = sa.select(tables.entries).where(*wanted.conditions(key))
    rows = await connection.execute(statement.order_by(_E.idx.desc()).limit(limit).offset(offset))
    return [opened(Row(*row), key) for row in rows]


async def count(connection: AsyncConnection, key: LogKey, wanted: Filter) -> int:
    """Count a person's entries."""
    number: int = (await connection.execute(sa.select(sa.func.count()).where(*wanted.conditions(key)))).scalar_one()
    return number


async def written(connection: AsyncConnection, index: int) -> dt.datetime | None:
    """Tell when the entry of this index was written; None while there is none."""
    found: dt.datetime | None = (await connection.execute(sa.select(_E.time).where(_E.idx == index))).scalar_one_or_none()
    return found


async def reads_per_month(connection: AsyncConnection, key: LogKey, months: int, zone: dt.tzinfo) -> Sequence[tuple[str, int]]:
    """Count a person's disclosures by month, oldest first, months without one included."""
    now = (await clock(connection)).astimezone(zone)
    names = _months(now, months)
    earliest = now - dt.timedelta(days=_DAYS_OF_MONTHS * months)
    rows = await connection.execute(sa.select(_E.time).where(_E.subject_ref == key.reference, _E.action == "disclose", _E.time >= earliest))
    counts = Counter(time.astimezone(zone).strftime("%Y-%m") for time in rows.scalars())
    return [(name, counts[name]) for name in names]


async def reads_per_client(connection: AsyncConnection, key: LogKey, since: dt.datetime) -> Sequence[tuple[str, int]]:
    """Count a person's disclosures by application, the one that read most first."""
    count = sa.func.count()
    wanted = (_E.subject_ref == key.reference, _E.action == "disclose", _E.time >= since, _E.client.is_not(None))
    rows = await connection.execute(sa.select(_E.client, count).where(*wanted).group_by(_E.client).order_by(count.desc(), _E.client))
    return [(client, number) for client, number in rows]


def _months(now: dt.datetime, months: int) -> list[str]:
    newest = now.year * 12 + now.month - 1
    return [f"{month // 12:04}-{month % 12 + 1:02}" for month in range(newest - months + 1, newest + 1)]


async def successions(connection: AsyncConnection) -> tuple[Succession, ...]:
    """Give the successions of the log, oldest first; what is not one that could be read is for `idp audit verify` to name."""
    rows = await connection.execute(sa.select(_E.idx, _E.record).where(_E.action == "key").order_by(_E.idx))
    found = []
    for index, record in rows:
        statement = succession.of_record(object_of(record))
        with contextlib.suppress(NoteInvalid):
            said = succession.parse(statement) if statement else None
            if said and said.size == index:
                found.append(said)
    return tuple(found)


async def check_person(connection: AsyncConnection, key: LogKey) -> PersonCheck:
    """Check that a person's entries are what was recorded, all there, and in the tree."""
    until = await clock(connection)
    edge = await tree.head(connection)
    chained = (await connection.execute(sa.select(tables.chains.c.length).where(tables.chains.c.subject_ref == key.reference))).scalar()
    found = await rows_below(connection, key, edge.size)
    index, problem = chain_problem(found, key)
    if problem is None and len(found) < (chained or 0) and edge == await tree.head(connection):
        index, problem = None, f"{chained} entries were recorded, {len(found)} are shown"
    if problem is None:
        index, problem = await _inclusion_problem(connection, found, edge)
    return PersonCheck(problem is None, len(found), problem, index, until, edge.size, edge.root)


async def rows_below(connection: AsyncConnection, key: LogKey, size: int) -> list[Row]:
    """Read a person's entries among the first `size` of the log, oldest first."""
    rows = await connection.execute(sa.select(tables.entries).where(_E.subject_ref == key.reference, _E.idx < size).order_by(_E.idx))
    return [Row(*row) for row in rows]


async def inclusion_proofs(connection: AsyncConnection, indices: Iterable[int], size: int) -> Mapping[int, tuple[bytes, ...]]:
    """Prove that each of these entries is in the tree of `size`, reading each tile once. Raises: TreeBroken."""
    spans = {index: merkle.inclusion_spans(index, size) for index in indices}
    nodes = await tree.nodes(connection, merkle.needed(span for path in spans.values() for span in path), size)
    return {index: merkle.proof(path, nodes) for index, path in spans.items()}


def chain_problem(rows: Iterable[Row], key: LogKey) -> tuple[int | None, str | None]:
    """Check one person's chain, oldest first: each entry opens, n counts from 0 without gap, prev is the SC before."""
    prev = leaves.FIRST_PREV
    for n, row in enumerate(rows):
        entry = opened(row, key)
        if entry.problem:
            return row.idx, entry.problem
        if entry.n != n:
            return row.idx, f"entry {n} of this person is missing before it (n is {entry.n})"
        if entry.subject.get("prev") != base64.b64encode(prev).decode():
            return row.idx, "it does not follow the entry of this person before it"
        prev = row.leaf[1:33]
    return None, None


async def _inclusion_problem(connection: AsyncConnection, rows: Sequence[Row], edge: merkle.Edge) -> tuple[int | None, str | None]:
    try:
        proofs = await inclusion_proofs(connection, [row.idx for row in rows], edge.size)
    except tree.TreeBroken as error:
        return None, str(error)
    for row in rows:
        try:
            merkle.verify_inclusion(row.idx, edge.size, merkle.leaf_hash(row.leaf), proofs[row.idx], edge.root)
        except merkle.ProofInvalid:
            return row.idx, "it is not in the tree"
    return None, None
