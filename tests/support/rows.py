"""Rows put straight into tables, for tests of stores that only need them to be there."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from keys.database import Timestamp

if TYPE_CHECKING:
    from keys.database import Database

LONG_AGO = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


async def put(database: Database, table: sa.Table, **values: object) -> None:
    """Insert a row; columns that must have a value and were not named get a plain one of their type."""
    row = {column.name: _plain(column.type) for column in table.columns if not column.nullable} | values
    async with database.statement() as connection:
        await connection.execute(sa.insert(table).values(row))


def _plain(kind: Any) -> object:
    if isinstance(kind, Timestamp):
        return LONG_AGO
    if isinstance(kind, sa.LargeBinary):
        return b"\0"
    if isinstance(kind, sa.Boolean):
        return False
    return 0 if isinstance(kind, sa.Integer) else "x"
