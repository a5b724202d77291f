"""The database handle: how every store is opened, read and changed, on SQLite and on PostgreSQL.

Three ways in, and no other:

* `read()`: statements that change nothing; each sees its own snapshot.
* `statement()`: AUTOCOMMIT, one changing statement, durable when it returns. No transaction hook fires.
* `transaction()`: several statements; **rolls back unless `commit()` was called** (SQLite: BEGIN IMMEDIATE).

Engines are in AUTOCOMMIT from the start and transactions begin and end by our own statements: nothing switches per use, which on
PostgreSQL cost as much as a query.

SQLite has one writer: changes from one process queue on a lock of ours, which is fair, instead of on SQLite's busy handler, which is not.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from keys.dialects import inserting
from keys.errors import ConnectionHeld, StoreUnavailable
from keys.timestamps import Timestamp
from keys.transaction import Transaction, undo
from keys.urls import StoreName, store_urls

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sqlalchemy.engine import URL
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.pool import ConnectionPoolEntry

    from keys.dialects import DialectName

__all__ = [
    "Database",
    "Reserved",
    "StoreName",
    "Timestamp",
    "Transaction",
    "clock",
    "connections_held",
    "require_no_connection",
    "store_urls",
]

_held: contextvars.ContextVar[int] = contextvars.ContextVar("connections_held", default=0)


class Database:
    """One store. `dialect` is "sqlite" or "postgresql"; `schema` is the PostgreSQL schema, None on SQLite; `insert` can say ON CONFLICT."""

    def __init__(self, engine: AsyncEngine, url: URL, schema: str | None) -> None:
        self.engine = engine
        self.url = url
        self.schema = schema
        self.dialect: DialectName = "sqlite" if url.get_backend_name() == "sqlite" else "postgresql"
        self.insert = inserting(self.dialect)
        self._writer = asyncio.Lock() if self.dialect == "sqlite" else None
        self._opened = self._file()

    @classmethod
    def open(cls, url: str, *, pool_size: int = 5, max_overflow: int = 5, pool_timeout: float = 5.0) -> Database:
        """Open a store; nothing connects before the first use.

        `url`: `sqlite:///path` or `postgresql://…[?schema=NAME]`; the async drivers are filled in.
        """
        parsed = make_url(url)
        pool = {"pool_size": pool_size, "max_overflow": max_overflow, "pool_timeout": pool_timeout}
        if parsed.get_backend_name() == "sqlite":
            parsed = parsed.set(drivername="sqlite+aiosqlite")
            engine = create_async_engine(
                parsed,
                **pool,
                hide_parameters=True,
                isolation_level="AUTOCOMMIT",
            )
            event.listen(engine.sync_engine, "connect", _sqlite_connected)
            return cls(engine, parsed, None)
        schema = parsed.query.get("schema")
        if isinstance(schema, tuple):
            schema = schema[-1]
        parsed = parsed.set(drivername="postgresql+asyncpg").difference_update_query(["schema"])
        settings = {"application_name": "gerbang", "synchronous_commit": "on"}
        if schema:
            settings["search_path"] = schema
        engine = create_async_engine(
            parsed,
            **pool,
            hide_parameters=True,  # an error's text must not carry what was being stored
            isolation_level="AUTOCOMMIT",
            connect_args={"server_settings": settings, "timeout": 10, "command_timeout": 30},
        )
        return cls(engine, parsed, schema)

    @property
    def absent(self) -> bool:
        """Whether this is a SQLite file that is not there: to connect would make an empty one."""
        return self.dialect == "sqlite" and not Path(self.url.database or "").exists()

    @property
    def replaced(self) -> bool:
        """Whether the SQLite file is another one than when this was opened: open connections still see the old."""
        return self._opened is not None and self._file() != self._opened

    def _file(self) -> int | None:
        return None if self.absent or self.dialect != "sqlite" else Path(self.url.database or "").stat().st_ino

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Yield a connection for statements that change nothing."""
        async with self._connected() as connection:
            yield connection

    @contextlib.asynccontextmanager
    async def statement(self) -> AsyncIterator[AsyncConnection]:
        """Yield a connection on which each statement is its own transaction, durable when `execute` returns."""
        async with self._writing(), self._connected() as connection:
            yield connection

    @contextlib.asynccontextmanager
    async def transaction(self, lock: str | None = None) -> AsyncIterator[Transaction]:
        """Yield a transaction that rolls back unless `commit()` was awaited. `lock`: see `Transaction.start`."""
        async with self._writing(), self._connected() as connection, self._begun(connection, lock) as transaction:
            yield transaction

    @contextlib.asynccontextmanager
    async def reserved(self) -> AsyncIterator[Reserved]:
        """Keep one connection aside for a single task that must never wait for the pool (the log's batcher)."""
        reserved = Reserved(self)
        try:
            yield reserved
        finally:
            await reserved.close()

    async def now(self) -> dt.datetime:
        """Give the database's clock (UTC): the one clock that all processes share."""
        async with self.read() as connection:
            return await clock(connection)

    async def close(self) -> None:
        """Close every pooled connection."""
        await self.engine.dispose()

    @contextlib.asynccontextmanager
    async def _writing(self) -> AsyncIterator[None]:
        if self._writer is None:
            yield
        else:
            async with self._writer:
                yield

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[AsyncConnection]:
        token = _held.set(_held.get() + 1)
        try:
            async with await self._lent() as connection:
                yield connection
        except _GONE as error:
            raise StoreUnavailable(f"{self.url.get_backend_name()} store {self.schema or self.url.database}") from error
        except DBAPIError as error:
            if type(error) is DatabaseError:  # sqlite3 raises the bare class for a file that is no database, or a damaged one
                raise StoreUnavailable(f"sqlite store {self.url.database} ({error.orig})") from error
            if error.connection_invalidated or _refused(error):
                raise StoreUnavailable(str(self.schema or self.url.database)) from error
            raise
        finally:
            _held.reset(token)

    async def _lent(self) -> contextlib.AbstractAsyncContextManager[AsyncConnection]:
        """Take a connection of the pool.

        PostgreSQL's goes back without waiting for anything. SQLite's waits for its thread, so SQLAlchemy gives it back in a task of its own
        that no cancellation interrupts.
        """
        return contextlib.aclosing(await self.engine.connect()) if self.dialect == "postgresql" else self.engine.connect()

    @contextlib.asynccontextmanager
    async def _begun(self, connection: AsyncConnection, lock: str | None = None) -> AsyncIterator[Transaction]:
        transaction = await Transaction(connection, sqlite=self.dialect == "sqlite").start(lock)
        try:
            yield transaction
        finally:
            if transaction.open:
                await undo(transaction)


class Reserved:
    """A connection of one task's own, opened when first needed and opened anew after a fault."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: AsyncConnection | None = None

    @contextlib.asynccontextmanager
    async def transaction(self, lock: str | None = None) -> AsyncIterator[Transaction]:
        """Yield a transaction as `Database.transaction` does; after any exception the connection is thrown away.

        `lock`: see `Transaction.start`.
        """
        database = self._database
        try:
            async with database._writing():  # noqa: SLF001 - same module, same owner
                connection = await self._open()
                async with database._begun(connection, lock) as transaction:  # noqa: SLF001
                    yield transaction
        except _GONE as error:
            await self.close()
            raise StoreUnavailable(str(database.schema or database.url.database)) from error
        except BaseException as error:
            await self.close()
            if isinstance(error, DBAPIError) and _refused(error):
                raise StoreUnavailable(str(database.schema or database.url.database)) from error
            raise

    async def _open(self) -> AsyncConnection:
        if self._connection is None:
            self._connection = await self._database.engine.connect()
        return self._connection

    async def close(self) -> None:
        """Give the connection up; the next transaction opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(Exception):  # a broken connection may refuse even to be thrown away
                await connection.invalidate()
            with contextlib.suppress(Exception):
                await connection.close()


_GONE = (OperationalError, InterfaceError, PoolTimeoutError, OSError, TimeoutError)
_REFUSED = ("08", "53", "57")
"""PostgreSQL's classes of errors, Appendix A: connection exception, insufficient resources (disk full, too many connections), operator
intervention ("the database system is starting up"). The driver has no kind of its own for them."""


def _refused(error: DBAPIError) -> bool:
    """Tell whether the server says that it cannot serve now, whatever is asked."""
    return str(getattr(error.orig, "sqlstate", None) or "").startswith(_REFUSED)


async def clock(connection: AsyncConnection | Transaction) -> dt.datetime:
    """Give the database's clock as seen on this connection (wall clock, not the transaction's start)."""
    dialect = (connection.connection if isinstance(connection, Transaction) else connection).dialect.name
    if dialect == "sqlite":
        text = (await connection.execute(sa.text("SELECT strftime('%Y-%m-%dT%H:%M:%f', 'now')"))).scalar_one()
        return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)
    value: dt.datetime = (await connection.execute(sa.text("SELECT clock_timestamp()"))).scalar_one()
    return value.astimezone(dt.UTC)


def connections_held() -> int:
    """Count the connections that the current task holds."""
    return _held.get()


def require_no_connection(what: str) -> None:
    """Refuse to wait for `what` while a connection is held: a pool must never wait for the log, a hash or the network.

    Raises: ConnectionHeld.
    """
    if _held.get():
        raise ConnectionHeld(what)


def _sqlite_connected(connection: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
    """Durable, shared, and forgetting what is deleted."""
    del entry
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", "busy_timeout=10000", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
