"""The SQL of an append. Rows go by prepared repetition, which both drivers pipeline; arrays cost asyncpg more than they save."""

from __future__ import annotations

import datetime as dt
from functools import cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from consent.access_log import tables
from consent.access_log.position import Chain, Position
from consent.merkle import Edge
from keys.database import Timestamp

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from keys.database import Transaction

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)

_LOCK = sa.text("SELECT size, edge, last_time FROM log_head WHERE id = 1 FOR UPDATE").columns(
    size=sa.BigInteger, edge=sa.LargeBinary, last_time=Timestamp
)
_LOCK_SQLITE = sa.select(tables.head.c.size, tables.head.c.edge, tables.head.c.last_time)

# The clock is read by a statement after the lock was taken: waiting for the lock must not make an entry look old.
_CHAINS = sa.text(
    "SELECT CAST(extract(epoch FROM clock.now) * 1000000 AS bigint) AS now, c.subject_ref, c.length, c.last_sc, c.closed_by "
    "FROM (SELECT clock_timestamp() AS now) AS clock LEFT JOIN log_chains c ON c.subject_ref = ANY (CAST(:refs AS bytea[]))"
)
_CHAINS_SQLITE = sa.select(tables.chains).where(tables.chains.c.subject_ref.in_(sa.bindparam("refs", expanding=True)))
_CLOCK_SQLITE = sa.text("SELECT strftime('%Y-%m-%dT%H:%M:%f', 'now')")

_MOVE = sa.text("UPDATE log_head SET size = :size, edge = :edge, last_time = :last_time WHERE id = 1").bindparams(
    sa.bindparam("size", type_=sa.BigInteger), sa.bindparam("edge", type_=sa.LargeBinary), sa.bindparam("last_time", type_=Timestamp)
)
_SAVE = " ON CONFLICT (subject_ref) DO UPDATE SET length = excluded.length, last_sc = excluded.last_sc, closed_by = excluded.closed_by"
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


async def chains_and_clock(transaction: Transaction, references: Collection[bytes]) -> tuple[dict[bytes, Chain], dt.datetime]:
    """Read where the chains of these persons stand, and the database's clock."""
    refs = list(references)
    if _sqlite(transaction):
        text = (await transaction.execute(_CLOCK_SQLITE)).scalar_one()
        now = dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)
        rows: Sequence[Any] = (await transaction.execute(_CHAINS_SQLITE, {"refs": refs})).all() if refs else []
    else:
        rows = (await transaction.execute(_CHAINS, {"refs": refs})).all()
        now = _EPOCH + dt.timedelta(microseconds=rows[0].now)
    return {row.subject_ref: Chain(row.length, row.last_sc, row.closed_by) for row in rows if row.subject_ref is not None}, now


async def move_head(transaction: Transaction, position: Position) -> None:
    """Write the new position."""
    values = {"size": position.edge.size, "edge": position.edge.pack(), "last_time": position.last_time}
    await transaction.execute(_MOVE, values)


async def insert(transaction: Transaction, table: sa.Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows given in the order of the table's columns."""
    if rows:
        await _many(transaction, table, rows, "")


async def save_chains(transaction: Transaction, chains: Mapping[bytes, Chain]) -> None:
    """Write where these chains stand now."""
    rows = [(reference, chain.length, chain.last_sc, chain.closed_by) for reference, chain in chains.items()]
    await _many(transaction, tables.chains, rows, _SAVE)


async def leaves_between(transaction: Transaction, first: int, end: int) -> tuple[bytes, ...]:
    """Read the leaves first … end - 1."""
    return tuple((await transaction.execute(_LEAVES, {"first": first, "end": end})).scalars())


async def tile_roots(transaction: Transaction, level: int, first: int, end: int) -> dict[int, bytes]:
    """Read the roots of the full tiles first … end - 1 of a level."""
    rows = await transaction.execute(_ROOTS, {"at": level, "first": first, "end": end})
    return {row.n: row.root for row in rows}


async def _many(transaction: Transaction, table: sa.Table, rows: Sequence[tuple[Any, ...]], conflict: str) -> None:
    sqlite = _sqlite(transaction)
    times = [number for number, column in enumerate(table.columns) if isinstance(column.type, Timestamp)]
    columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
    for number in times:
        columns[number] = [(value - _EPOCH) // _MICROSECOND for value in columns[number]]
    await transaction.connection.exec_driver_sql(_insert(table.name, conflict, sqlite=sqlite), list(zip(*columns, strict=True)))


@cache
def _insert(name: str, conflict: str, *, sqlite: bool) -> str:
    table = tables.metadata.tables[name]
    names = ", ".join(column.name for column in table.columns)
    places = ", ".join("?" if sqlite else f"${number}" for number in range(1, len(table.columns) + 1))
    return f"INSERT INTO {name} ({names}) VALUES ({places}){conflict}"  # noqa: S608 - names of our own
