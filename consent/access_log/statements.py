"""The SQL of an append: on PostgreSQL four round trips, namely BEGIN with the lock, what stands, what changes, COMMIT."""

from __future__ import annotations

import datetime as dt
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import sqlalchemy as sa

from consent.access_log import tables
from consent.access_log.position import Chain, Position
from consent.merkle import Edge
from keys.database import Timestamp
from keys.dialects import postgresql_type

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from consent.access_log.position import Filled
    from keys.database import Transaction

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)

_LOCK = sa.text("SELECT size, edge, last_time FROM log_head WHERE id = 1 FOR UPDATE").columns(
    size=sa.BigInteger, edge=sa.LargeBinary, last_time=Timestamp
)
_LOCK_SQLITE = sa.select(tables.head.c.size, tables.head.c.edge, tables.head.c.last_time)

LOCK: Final = "SELECT 1 FROM log_head WHERE id = 1 FOR UPDATE"
"""Begins an append. Everything it rests on is read by a later statement: one that waited for the lock sees what stood before it waited."""

_STANDING = (
    "SELECT 'head' AS what, size AS number, last_time AS moment, edge AS hash, NULL AS ref, NULL AS id, NULL AS person, NULL AS state, "
    "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint) AS now FROM log_head WHERE id = 1 "
    "UNION ALL SELECT 'chain', length, closed_by, last_sc, subject_ref, NULL, NULL, NULL, NULL "
    "FROM log_chains WHERE subject_ref = ANY (CAST($1 AS bytea[])) "
    "UNION ALL SELECT 'grant', g.version, g.expires_at, NULL, NULL, g.id, g.person, CASE WHEN f.person IS NOT NULL AND g.state = 'active' "
    "THEN 'frozen' ELSE g.state END, NULL FROM grants g LEFT JOIN freezes f ON f.person = g.person WHERE g.id = ANY (CAST($2 AS text[]))"
)
_CHAINS_SQLITE = sa.select(tables.chains).where(tables.chains.c.subject_ref.in_(sa.bindparam("refs", expanding=True)))
_CLOCK_SQLITE = sa.text("SELECT strftime('%Y-%m-%dT%H:%M:%f', 'now')")
_GRANTS = (
    sa.select(tables.grants, tables.freezes.c.person.is_not(None).label("frozen"))
    .outerjoin_from(tables.grants, tables.freezes, tables.freezes.c.person == tables.grants.c.person)
    .where(tables.grants.c.id.in_(sa.bindparam("ids", expanding=True)))
)

_MOVE = sa.text("UPDATE log_head SET size = :size, edge = :edge, last_time = :last_time WHERE id = 1").bindparams(
    sa.bindparam("size", type_=sa.BigInteger), sa.bindparam("edge", type_=sa.LargeBinary), sa.bindparam("last_time", type_=Timestamp)
)
_SAVE = " ON CONFLICT (subject_ref) DO UPDATE SET length = excluded.length, last_sc = excluded.last_sc, closed_by = excluded.closed_by"
_INSERTED: Final = (tables.entries, tables.chains, tables.bundles, tables.tiles)
_MANY: Final = 32
"""From so many entries on, COPY is worth its round trips: the driver looks at each element of an array before it writes it."""
_BEFORE: Final = 5  # the first parameter of `_append` that is a column
_LEAVES = (
    sa.select(tables.entries.c.leaf)
    .where(tables.entries.c.idx >= sa.bindparam("first"), tables.entries.c.idx < sa.bindparam("end"))
    .order_by(tables.entries.c.idx)
)
_ROOTS = sa.select(tables.tiles.c.n, tables.tiles.c.root).where(
    tables.tiles.c.level == sa.bindparam("at"), tables.tiles.c.n >= sa.bindparam("first"), tables.tiles.c.n < sa.bindparam("end")
)


def _sqlite(transaction: Transaction) -> bool:
    return transaction.connection.dialect.name == "sqlite"


async def lock_head(transaction: Transaction) -> Position:
    """Lock the one row that orders all appends of all processes, and read it."""
    row = (await transaction.execute(_LOCK_SQLITE if _sqlite(transaction) else _LOCK)).one()
    return Position(Edge.unpack(row.size, row.edge), row.last_time)


class GrantStands(NamedTuple):
    """A grant at this moment, as far as a guard asks. `state` is "frozen" while it is active and nothing of its person may be read."""

    person: str
    version: int
    state: str
    expires_at: dt.datetime | None


class Standing(NamedTuple):
    """What an append rests on, read under the lock: the head, the database's clock, chains by reference, grants by id."""

    position: Position
    now: dt.datetime
    chains: dict[bytes, Chain]
    grants: Mapping[str, GrantStands]


async def standing(transaction: Transaction, references: Collection[bytes], ids: Collection[str]) -> Standing:
    """Read what the entries of a batch rest on. The transaction must hold the lock."""
    if _sqlite(transaction):
        return await _standing_sqlite(transaction, list(references), ids)
    heads: list[tuple[Position, dt.datetime]] = []
    chains: dict[bytes, Chain] = {}
    granted: dict[str, GrantStands] = {}
    for what, number, moment, hashed, reference, grant, person, state, now in await transaction.fetch(_STANDING, [*references], [*ids]):
        if what == "chain":
            chains[reference] = Chain(number, hashed, moment)
        elif what == "grant":
            granted[grant] = GrantStands(person, number, state, _when(moment))
        else:
            heads.append((Position(Edge.unpack(number, hashed), _time(moment)), _time(now)))
    ((position, clock),) = heads
    return Standing(position, clock, chains, granted)


async def _standing_sqlite(transaction: Transaction, references: list[bytes], ids: Collection[str]) -> Standing:
    position = await lock_head(transaction)
    text = (await transaction.execute(_CLOCK_SQLITE)).scalar_one()
    rows = (await transaction.execute(_CHAINS_SQLITE, {"refs": references})).all()
    chains = {row.subject_ref: Chain(row.length, row.last_sc, row.closed_by) for row in rows}
    return Standing(position, dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC), chains, await grants(transaction, ids))


async def grants(transaction: Transaction, ids: Collection[str]) -> Mapping[str, GrantStands]:
    """Read how these grants stand at this moment."""
    rows = (await transaction.execute(_GRANTS, {"ids": [*ids]})).all() if ids else ()
    return {
        row.id: GrantStands(row.person, row.version, "frozen" if row.frozen and row.state == "active" else row.state, row.expires_at)
        for row in rows
    }


async def append(
    transaction: Transaction, rows: Sequence[tuple[Any, ...]], chains: Mapping[bytes, Chain], filled: Filled, position: Position
) -> None:
    """Insert entries and what they fill, write where their chains stand now, and move the head to `position`, just behind them.

    `rows`: the columns after index and time, which are those of the new position.
    """
    first, time = position.edge.size - len(rows), _microseconds(position.last_time)
    stand = [(reference, *chain) for reference, chain in chains.items()]
    if _sqlite(transaction):
        await _many(transaction, tables.entries, [(index, time, *row) for index, row in enumerate(rows, first)])
        await _many(transaction, tables.chains, stand, _SAVE)
        await _many(transaction, tables.bundles, filled.bundles)
        await _many(transaction, tables.tiles, filled.tiles)
        await _move_head(transaction, position)
        return
    if len(rows) >= _MANY:
        await transaction.copy(tables.entries.name, [(index, time, *row) for index, row in enumerate(rows, first)])
        rows = ()
    inserted: Sequence[Sequence[tuple[Any, ...]]] = (rows, stand, filled.bundles, filled.tiles)
    columns = (column for table, found in zip(_INSERTED, inserted, strict=True) for column in _columns(table, found))
    await transaction.fetch(_append(), first, time, position.edge.size, position.edge.pack(), *columns)


async def _move_head(transaction: Transaction, position: Position) -> None:
    """Write the new position."""
    values = {"size": position.edge.size, "edge": position.edge.pack(), "last_time": position.last_time}
    await transaction.execute(_MOVE, values)


async def leaves_between(transaction: Transaction, first: int, end: int) -> tuple[bytes, ...]:
    """Read the leaves first … end - 1."""
    return tuple((await transaction.execute(_LEAVES, {"first": first, "end": end})).scalars())


async def tile_roots(transaction: Transaction, level: int, first: int, end: int) -> dict[int, bytes]:
    """Read the roots of the full tiles first … end - 1 of a level."""
    rows = await transaction.execute(_ROOTS, {"at": level, "first": first, "end": end})
    return {row.n: row.root for row in rows}


async def _many(transaction: Transaction, table: sa.Table, rows: Sequence[tuple[Any, ...]], conflict: str = "") -> None:
    """SQLite: insert rows given in the order of the table's columns, times in microseconds."""
    if rows:
        await transaction.connection.exec_driver_sql(_insert(table.name, conflict), [*rows])


def _columns(table: sa.Table, rows: Sequence[tuple[Any, ...]]) -> Iterator[Sequence[Any]]:
    """Turn rows into columns; one in which nothing stands is left empty, which costs nothing (unnest fills it up with NULL)."""
    empty: Sequence[tuple[Any, ...]] = [()] * len(_given(table))
    for column in zip(*rows, strict=True) if rows else empty:
        yield column if any(value is not None for value in column) else ()


def _microseconds(time: dt.datetime) -> int:
    return (time - _EPOCH) // _MICROSECOND


def _time(microseconds: int) -> dt.datetime:
    return _EPOCH + dt.timedelta(microseconds=microseconds)


def _when(microseconds: int | None) -> dt.datetime | None:
    return None if microseconds is None else _time(microseconds)


@cache
def _append() -> str:
    """PostgreSQL: everything in one statement. Parameters: the first index, the time, the new size and edge, then columns as arrays."""
    columns, *others = map(_given, _INSERTED)
    names, first = ", ".join(column.name for column in columns), _BEFORE + len(columns)
    rows = f"{_unnested(columns, _BEFORE)} WITH ORDINALITY AS entry ({names}, place)"
    numbered = f"SELECT CAST($1 AS bigint) + place - 1, CAST($2 AS bigint), {names} FROM {rows}"  # noqa: S608 - names of our own
    inserts = [f"INSERT INTO log_entries (idx, time, {names}) {numbered}"]
    for table, fields in zip(_INSERTED[1:], others, strict=True):
        saved = _SAVE if table is tables.chains else ""
        inserts.append(f"INSERT INTO {table.name} SELECT * FROM {_unnested(fields, first)}{saved}")  # noqa: S608 - names of our own
        first += len(fields)
    parts = ", ".join(f"part{number} AS ({insert})" for number, insert in enumerate(inserts))
    return f"WITH {parts} UPDATE log_head SET size = $3, edge = $4, last_time = $2 WHERE id = 1"  # noqa: S608


def _given(table: sa.Table) -> Sequence[sa.Column[Any]]:
    """Name the columns that come row by row: of the entries, all but index and time."""
    return [*table.columns][2:] if table is tables.entries else [*table.columns]


def _unnested(columns: Sequence[sa.Column[Any]], first: int) -> str:
    """Name columns that come as arrays, the parameters from `first` on."""
    kinds = [postgresql_type(column.type) for column in columns]
    return f"unnest({', '.join(f'CAST(${number} AS {kind}[])' for number, kind in enumerate(kinds, first))})"


@cache
def _insert(name: str, conflict: str) -> str:
    columns = tables.metadata.tables[name].columns
    names, places = ", ".join(column.name for column in columns), ", ".join("?" for _ in columns)
    return f"INSERT INTO {name} ({names}) VALUES ({places}){conflict}"  # noqa: S608 - names of our own
