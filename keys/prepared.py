"""Statements of hot paths. On PostgreSQL they go past SQLAlchemy, which takes twice as long over a short statement as driver and database.

SQLAlchemy compiles them all the same, with its types, once for each object; so build them once.
"""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING, Any

from keys.transaction import directly

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from sqlalchemy.engine import Dialect
    from sqlalchemy.ext.asyncio import AsyncConnection
    from sqlalchemy.sql.base import Executable
    from sqlalchemy.types import TypeEngine

    from keys.database import Database

    Convert = Callable[[Any], Any] | None


class Prepared:
    """A statement with parameters by name. `changes`: it writes, and is durable when it returns (`Database.statement`)."""

    def __init__(self, database: Database, statement: Executable, *, changes: bool = False) -> None:
        self._database = database
        self._statement = statement
        self._connected = database.statement if changes else database.read
        self._compiled: _Compiled | None = None

    async def all(self, values: Mapping[str, Any]) -> Sequence[Any]:
        """Run it and give its rows, whose columns are attributes; always the same names must be given.

        Raises: StoreUnavailable; on PostgreSQL whatever the fault is.
        """
        async with self._connected() as connection:
            if self._database.dialect == "postgresql":
                return await self._past(connection, values)
            result = await connection.execute(self._statement, values)
            return result.all() if result.returns_rows else ()

    async def first(self, values: Mapping[str, Any]) -> Any | None:  # noqa: ANN401 - a row
        """Run it and give its first row; None when there is none. Raises: as `all`."""
        rows = await self.all(values)
        return rows[0] if rows else None

    async def _past(self, connection: AsyncConnection, values: Mapping[str, Any]) -> Sequence[Any]:
        compiled = self._compiled
        if compiled is None:
            compiled = self._compiled = _Compiled(self._statement, connection.dialect, tuple(values))
        driver = _driver(connection)
        if driver.is_closed():  # the database went away while nobody asked: the pool does not know yet
            await connection.invalidate()
            driver = (await connection.get_raw_connection()).driver_connection
        try:
            found = await directly(driver.fetch(compiled.sql, *compiled.arguments(values)))
        except BaseException:
            await connection.invalidate()  # in whatever state it is
            raise
        return compiled.rows(found)


def _driver(connection: AsyncConnection) -> Any:  # noqa: ANN401 - asyncpg's own connection
    """Give the driver's connection without the detour that waits for one to be opened: `connection` is open."""
    return connection.sync_connection.connection.driver_connection if connection.sync_connection else None


class _Compiled:
    """What the driver needs of a statement: its text, the order and conversion of its parameters, the conversion of its columns."""

    def __init__(self, statement: Any, dialect: Dialect, names: tuple[str, ...]) -> None:  # noqa: ANN401 - any that has columns
        compiled = statement.compile(dialect=dialect, column_keys=names)
        self.sql: str = compiled.string
        self._parameters = [
            (name, _inward(compiled.binds[name].type, dialect), compiled.params[name] if name not in names else None)
            for name in compiled.positiontup or ()
        ]
        self._given = frozenset(names)
        columns = list(statement.exported_columns)
        row: Any = collections.namedtuple("Row", [column.name for column in columns])  # type: ignore[misc]  # noqa: PYI024 - made here
        self._make: Callable[[Iterable[Any]], Any] = row._make
        self._outward = [_outward(column.type, dialect) for column in columns]
        self._plain = not any(self._outward)

    def arguments(self, values: Mapping[str, Any]) -> list[Any]:
        """Put parameters in their order; what the statement itself says stands among them. Raises: KeyError."""
        given = self._given
        return [_converted(values[name] if name in given else constant, convert) for name, convert, constant in self._parameters]

    def rows(self, found: Sequence[Any]) -> Sequence[Any]:
        """Give the driver's rows as tuples with names."""
        make = self._make
        if self._plain:
            return [make(row) for row in found]
        return [make(_converted(value, convert) for value, convert in zip(row, self._outward, strict=True)) for row in found]


def _converted(value: Any, convert: Convert) -> Any:  # noqa: ANN401 - a column's value
    return value if convert is None else convert(value)


def _inward(kind: TypeEngine[Any], dialect: Dialect) -> Convert:
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _outward(kind: TypeEngine[Any], dialect: Dialect) -> Convert:
    return kind.dialect_impl(dialect).result_processor(dialect, None)
