"""An open transaction of a store; `keys.database` opens it and hands it on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Self

from keys.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from sqlalchemy.engine import CursorResult, Result
    from sqlalchemy.ext.asyncio import AsyncConnection
    from sqlalchemy.sql.base import Executable


class Transaction:
    """An open transaction. It rolls back when its block ends, unless `commit()` was awaited."""

    def __init__(self, connection: AsyncConnection, *, sqlite: bool) -> None:
        self.connection = connection
        self._sqlite = sqlite
        self._driver: Any = None
        self.open = False

    async def start(self, lock: str | None = None) -> Self:
        """Begin; on SQLite at once as the writer, so that no later upgrade of a lock can fail.

        `lock`: a statement for PostgreSQL to run in the same round trip, whose rows nobody reads.
        Raises: StoreUnavailable when it fails.
        """
        begin = "BEGIN IMMEDIATE" if self._sqlite else "BEGIN ISOLATION LEVEL READ COMMITTED"
        if lock is None or self._sqlite:
            await self.connection.exec_driver_sql(begin)
        else:
            await directly((await self._direct()).execute(f"{begin}; {lock}"))
        self.open = True
        return self

    async def fetch(self, sql: str, *parameters: object) -> Sequence[Any]:
        """Run one statement of PostgreSQL past SQLAlchemy, which takes longer over a short statement than the database does.

        Raises: StoreUnavailable, whatever the fault is.
        """
        rows: Sequence[Any] = await directly((await self._direct()).fetch(sql, *parameters))
        return rows

    async def execute(self, statement: Executable, parameters: Any = None) -> CursorResult[Any] | Result[Any]:  # noqa: ANN401
        """Run one statement in this transaction."""
        return await self.connection.execute(statement, parameters)

    async def copy(self, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert many rows, each the columns of a table in their order, by PostgreSQL's COPY. Otherwise as `fetch`."""
        await directly((await self._direct()).copy_records_to_table(table, records=rows))

    async def _direct(self) -> Any:  # noqa: ANN401 - asyncpg's own connection
        if self._driver is None:
            self._driver = (await self.connection.get_raw_connection()).driver_connection
        return self._driver

    async def commit(self) -> None:
        """Make it durable. When this raises, whether it was committed is unknown, and callers must treat it as not."""
        if self._driver is None:
            await self.connection.exec_driver_sql("COMMIT")
        else:
            await directly(self._driver.execute("COMMIT"))
        self.open = False

    async def rollback(self) -> None:
        """Undo all of it; a connection that broke has undone it already."""
        self.open = False
        if not self.connection.invalidated:
            await self.connection.exec_driver_sql("ROLLBACK")


async def undo(transaction: Transaction) -> None:
    """Roll back even while the task is being cancelled; a connection that cannot roll back is thrown away."""
    try:
        await asyncio.shield(transaction.rollback())
    except BaseException:
        await transaction.connection.invalidate()
        raise


async def directly(asked: Awaitable[Any]) -> Any:  # noqa: ANN401 - as the driver gives it
    """Wait for the driver itself: it runs several statements in one round trip, where SQLAlchemy prepares each one."""
    from asyncpg import InterfaceError, PostgresError  # noqa: PLC0415 - loaded already where this runs, and never on SQLite

    try:
        return await asked
    except (PostgresError, InterfaceError, OSError, TimeoutError) as error:
        raise StoreUnavailable("a transaction failed") from error
