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
from consent.access_log.opening import DELAYED, Row, due_at, is_due, object_of, opened
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

    def conditions(self, reference: bytes) -> list[sa.ColumnElement[bool]]:
        """Say it in SQL, about one chain."""
        asked = (
            self.before is not None and _E.idx < self.before,
            self.client is not None and _E.client == self.client,
            self.action is not None and _E.action == self.action,
            self.since is not None and _E.time >= self.since,
            self.until is not None and _E.time < self.until,
            bool(self.actions) and _E.action.in_(sorted(self.actions)),
        )
        return [_E.subject_ref == reference, *(condition for condition in asked if condition is not False)]


async def page(
    connection: AsyncConnection, key: LogKey, wanted: Filter, limit: int, offset: int = 0, *, now: dt.datetime | None
) -> Sequence[HistoryEntry]:
    """Give a person's entries as far as they may be shown at `now`, newest first; None for all of them."""
    late = await _late(connection, key, wanted, now)
    statement = sa.select(tables.entries).where(*wanted.conditions(key.reference)).order_by(_E.idx.desc())
    rows = await connection.execute(statement.limit(limit + offset) if late else statement.limit(limit).offset(offset))
    found = [Row(*row) for row in rows]
    if late:
        found = sorted([*found, *late], key=lambda row: -row.idx)[offset : offset + limit]
    return [opened(row, key) for row in found]


async def count(connection: AsyncConnection, key: LogKey, wanted: Filter, now: dt.datetime) -> int:
    """Count a person's entries as far as they may be shown."""
    number: int = (await connection.execute(sa.select(sa.func.count()).where(*wanted.conditions(key.reference)))).scalar_one()
    return number + len(await _late(connection, key, wanted, now))


async def withheld(connection: AsyncConnection, key: LogKey, since: dt.datetime, until: dt.datetime) -> int:
    """Count a person's entries that were shown later, and whose time came between two moments."""
    ends = [due_at(object_of(row.record)) for row in await chain(connection, key.delayed)]
    return sum(end is not None and since <= end < until for end in ends)


async def chain(connection: AsyncConnection, reference: bytes, conditions: Iterable[sa.ColumnElement[bool]] = ()) -> list[Row]:
    """Read a chain, oldest first."""
    wanted = sa.select(tables.entries).where(_E.subject_ref == reference, *conditions)
    return [Row(*row) for row in await connection.execute(wanted.order_by(_E.idx))]


async def _late(connection: AsyncConnection, key: LogKey, wanted: Filter, now: dt.datetime | None) -> list[Row]:
    """Read of the second chain what may be shown. Nothing but the records says which: a column could be changed."""
    rows = await chain(connection, key.delayed, wanted.conditions(key.delayed))
    return [row for row in rows if now is None or is_due(row, now)]


async def written(connection: AsyncConnection, index: int) -> dt.datetime | None:
    """Tell when the entry of this index was written; None while there is none."""
    found: dt.datetime | None = (await connection.execute(sa.select(_E.time).where(_E.idx == index))).scalar_one_or_none()
    return found


async def reads_per_month(
    connection: AsyncConnection, key: LogKey, months: int, zone: dt.tzinfo, at: dt.datetime
) -> Sequence[tuple[str, int]]:
    """Count a person's disclosures by month, oldest first, months without one included."""
    now = (await clock(connection)).astimezone(zone)
    names = _months(now, months)
    earliest = now - dt.timedelta(days=_DAYS_OF_MONTHS * months)
    rows = await connection.execute(sa.select(_E.time).where(_E.subject_ref == key.reference, _E.action == "disclose", _E.time >= earliest))
    late = await _late(connection, key, Filter(action="disclose", since=earliest), at)
    times = [*rows.scalars(), *(row.time for row in late)]
    counts = Counter(time.astimezone(zone).strftime("%Y-%m") for time in times)
    return [(name, counts[name]) for name in names]


async def reads_per_client(connection: AsyncConnection, key: LogKey, since: dt.datetime, at: dt.datetime) -> Sequence[tuple[str, int]]:
    """Count a person's disclosures by application, the one that read most first."""
    count = sa.func.count()
    wanted = (_E.subject_ref == key.reference, _E.action == "disclose", _E.time >= since, _E.client.is_not(None))
    counts = Counter(dict(map(tuple, await connection.execute(sa.select(_E.client, count).where(*wanted).group_by(_E.client)))))
    counts.update(row.client or "" for row in await _late(connection, key, Filter(action="disclose", since=since), at))
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


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


async def check_person(connection: AsyncConnection, key: LogKey, now: dt.datetime) -> PersonCheck:
    """Check that a person's entries are what was recorded, all there, and in the tree: those that are not shown yet too.

    What is wrong with one that is not shown yet is told without its place.
    """
    until = await clock(connection)
    edge = await tree.head(connection)
    stand = sa.select(tables.chains.c.subject_ref, tables.chains.c.length).where(
        tables.chains.c.subject_ref.in_((key.reference, key.delayed))
    )
    chained = dict(map(tuple, await connection.execute(stand)))
    both = {reference: await chain(connection, reference, [_E.idx < edge.size]) for reference in (key.reference, key.delayed)}
    found = [row for rows in both.values() for row in rows]
    hidden = {row.idx for row in both[key.delayed] if not is_due(row, now)}
    index, problem = next((wrong for reference, rows in both.items() if (wrong := chain_problem(rows, key, reference))[1]), (None, None))
    short = any(len(rows) < chained.get(reference, 0) for reference, rows in both.items())
    if problem is None and short and edge == await tree.head(connection):
        index, problem = None, f"{sum(chained.values())} entries were recorded, {len(found)} are shown"
    if problem is None:
        index, problem = await _inclusion_problem(connection, found, edge)
    if index in hidden:
        index, problem = None, "an entry that is shown later is not as it was recorded, or one before it is missing"
    return PersonCheck(problem is None, len(found) - len(hidden), problem, index, until, edge.size, edge.root)


async def shown_below(connection: AsyncConnection, key: LogKey, size: int, now: dt.datetime) -> list[Row]:
    """Read a person's entries among the first `size` of the log, as far as they may be shown, oldest first."""
    late = await _late(connection, key, Filter(before=size), now)
    return sorted([*await chain(connection, key.reference, [_E.idx < size]), *late], key=lambda row: row.idx)


async def inclusion_proofs(connection: AsyncConnection, indices: Iterable[int], size: int) -> Mapping[int, tuple[bytes, ...]]:
    """Prove that each of these entries is in the tree of `size`, reading each tile once. Raises: TreeBroken."""
    spans = {index: merkle.inclusion_spans(index, size) for index in indices}
    nodes = await tree.nodes(connection, merkle.needed(span for path in spans.values() for span in path), size)
    return {index: merkle.proof(path, nodes) for index, path in spans.items()}


def chain_problem(rows: Iterable[Row], key: LogKey, reference: bytes) -> tuple[int | None, str | None]:
    """Check one of a person's chains, oldest first: each entry opens and belongs there, n counts without gap, prev is the SC before."""
    prev = leaves.FIRST_PREV
    visibility = "open" if reference == key.reference else DELAYED
    for n, row in enumerate(rows):
        entry = opened(row, key)
        if entry.problem:
            return row.idx, entry.problem
        if entry.record.get("visibility") != visibility:
            return row.idx, "it stands in the other chain of this person"
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
