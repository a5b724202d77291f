"""The database handle: what is committed stays, what is not is gone, on both databases."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from keys.database import Database, require_no_connection
from keys.errors import ConnectionHeld, StoreUnavailable
from keys.prepared import Prepared
from keys.timestamps import Timestamp

if TYPE_CHECKING:
    from pathlib import Path

    from keys.database import StoreName

CREATE = sa.text("CREATE TABLE one_use (hash TEXT PRIMARY KEY, used INTEGER)")
INSERT = sa.text("INSERT INTO one_use VALUES ('c', NULL)")
CONSUME = sa.text("UPDATE one_use SET used = 1 WHERE hash = 'c' AND used IS NULL RETURNING hash")
LOOK = sa.text("SELECT used FROM one_use")


async def _prepared(url: str) -> Database:
    database = Database.open(url)
    async with database.statement() as connection:
        await connection.execute(CREATE)
        await connection.execute(INSERT)
    return database


async def _reopened(url: str) -> int | None:
    database = Database.open(url)
    async with database.read() as connection:
        value: int | None = (await connection.execute(LOOK)).scalar_one()
    await database.close()
    return value


async def test_update_returning_through_statement_is_durable(database_urls: dict[StoreName, str]) -> None:
    database = await _prepared(database_urls["idp"])
    async with database.statement() as connection:
        assert (await connection.execute(CONSUME)).scalar_one() == "c"
    await database.close()
    assert await _reopened(database_urls["idp"]) == 1


async def test_a_transaction_rolls_back_unless_committed(database_urls: dict[StoreName, str]) -> None:
    database = await _prepared(database_urls["idp"])
    async with database.transaction() as transaction:
        assert (await transaction.execute(CONSUME)).scalar_one() == "c"
    await database.close()
    assert await _reopened(database_urls["idp"]) is None


async def test_a_committed_transaction_is_durable(database_urls: dict[StoreName, str]) -> None:
    database = await _prepared(database_urls["idp"])
    async with database.transaction() as transaction:
        assert (await transaction.execute(CONSUME)).scalar_one() == "c"
        await transaction.commit()
    await database.close()
    assert await _reopened(database_urls["idp"]) == 1


async def test_a_reserved_connection_works_after_a_failed_transaction(database_urls: dict[StoreName, str]) -> None:
    database = await _prepared(database_urls["idp"])
    async with database.reserved() as reserved:
        with pytest.raises(ZeroDivisionError):
            async with reserved.transaction() as transaction:
                await transaction.execute(CONSUME)
                raise ZeroDivisionError
        async with reserved.transaction() as transaction:
            assert (await transaction.execute(CONSUME)).scalar_one() == "c"
            await transaction.commit()
    await database.close()
    assert await _reopened(database_urls["idp"]) == 1


async def test_a_lock_comes_with_the_begin_and_a_failed_one_is_a_store_that_is_away(database_urls: dict[StoreName, str]) -> None:
    database = await _prepared(database_urls["idp"])
    async with database.reserved() as reserved:
        async with reserved.transaction("SELECT 1 FROM one_use FOR UPDATE") as transaction:
            await transaction.execute(CONSUME)  # not committed
        if database.dialect == "postgresql":
            with pytest.raises(StoreUnavailable):
                async with reserved.transaction("SELECT 1 FROM nowhere FOR UPDATE"):
                    pass
        async with reserved.transaction("SELECT 1 FROM one_use FOR UPDATE") as transaction:
            assert (await transaction.execute(CONSUME)).scalar_one() == "c"
            await transaction.commit()
    await database.close()
    assert await _reopened(database_urls["idp"]) == 1


async def test_waiting_while_a_connection_is_held_is_refused(database_urls: dict[StoreName, str]) -> None:
    database = Database.open(database_urls["idp"])
    require_no_connection("the log")
    async with database.read():
        with pytest.raises(ConnectionHeld):
            require_no_connection("the log")
    require_no_connection("the log")
    await database.close()


async def test_an_unreachable_store_is_named_unavailable(tmp_path: Path) -> None:
    database = Database.open(f"sqlite:///{tmp_path}/missing/idp.sqlite3")
    with pytest.raises(StoreUnavailable):
        await database.now()
    await database.close()
    await asyncio.sleep(0.1)  # aiosqlite ends its thread a moment after the failure, and wants the loop for it


async def test_a_server_that_says_it_cannot_serve_now_is_a_store_that_is_away(database_urls: dict[StoreName, str]) -> None:
    database = Database.open(database_urls["idp"])
    if database.dialect == "postgresql":
        reasons = {
            "57P03": StoreUnavailable,
            "53100": StoreUnavailable,
            "22012": sa.exc.DBAPIError,
        }  # starting up, disk full, our own fault
        for code, expected in reasons.items():
            with pytest.raises(expected):
                async with database.statement() as connection:
                    await connection.execute(sa.text(f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{code}'; END $$"))
    await database.close()


_THINGS = sa.Table(
    "things", sa.MetaData(), sa.Column("id", sa.String(8), primary_key=True), sa.Column("at", Timestamp), sa.Column("kind", sa.String(8))
)
_AT = dt.datetime(2026, 11, 24, 10, 15, tzinfo=dt.UTC)


async def _things(url: str) -> Database:
    database = Database.open(url, pool_size=1, max_overflow=0)
    async with database.statement() as connection:
        await connection.execute(sa.text("CREATE TABLE things (id TEXT PRIMARY KEY, at BIGINT, kind TEXT)"))
    added = Prepared(database, sa.insert(_THINGS), changes=True)
    assert not await added.all({"id": "a", "at": _AT, "kind": "new"})
    assert not await added.all({"id": "b", "at": None, "kind": "old"})
    return database


async def test_a_prepared_statement_converts_as_its_columns_say_and_takes_its_own_values_along(database_urls: dict[StoreName, str]) -> None:
    database = await _things(database_urls["idp"])
    asked = sa.select(_THINGS.c.id, _THINGS.c.at).where(_THINGS.c.kind == "new", _THINGS.c.at <= sa.bindparam("now", type_=Timestamp()))
    prepared = Prepared(database, asked)
    for _ in range(2):
        (row,) = await prepared.all({"now": _AT})
        assert (row.id, row.at) == ("a", _AT)
    assert await prepared.first({"now": _AT - dt.timedelta(seconds=1)}) is None
    with pytest.raises((KeyError, sa.exc.StatementError)):
        await prepared.all({})
    await database.close()


async def test_a_prepared_change_is_durable_and_of_many_that_race_one_wins(database_urls: dict[StoreName, str]) -> None:
    database = await _things(database_urls["idp"])
    mine = sa.update(_THINGS).where(_THINGS.c.kind == "new").values(kind=sa.bindparam("to")).returning(_THINGS.c.id)
    used = Prepared(database, mine, changes=True)
    won = [row for row in await asyncio.gather(*(used.first({"to": f"u{number}"}) for number in range(8))) if row is not None]
    assert [row.id for row in won] == ["a"]
    await database.close()
    again = Database.open(database_urls["idp"])
    async with again.read() as connection:
        assert (await connection.execute(sa.select(_THINGS.c.kind).where(_THINGS.c.id == "a"))).scalar_one().startswith("u")
    await again.close()


@pytest.mark.parametrize("kind", ["postgresql"])
async def test_a_connection_that_postgresql_ended_is_replaced_before_a_prepared_statement_uses_it(
    database_urls: dict[StoreName, str],
) -> None:
    database = await _things(database_urls["idp"])
    prepared = Prepared(database, sa.select(_THINGS.c.id).where(_THINGS.c.id == sa.bindparam("which")))
    async with database.read() as connection:
        mine = (await connection.execute(sa.text("SELECT pg_backend_pid()"))).scalar_one()
    other = Database.open(database_urls["idp"])
    async with other.read() as connection:
        await connection.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": mine})
    await other.close()
    await asyncio.sleep(0.05)
    row = await prepared.first({"which": "a"})
    assert row is not None
    await database.close()


@pytest.mark.parametrize("kind", ["postgresql"])
async def test_whatever_postgresql_refuses_of_a_prepared_statement_is_a_store_unavailable_and_the_next_one_works(
    database_urls: dict[StoreName, str],
) -> None:
    database = await _things(database_urls["idp"])
    added = Prepared(database, sa.insert(_THINGS), changes=True)
    with pytest.raises(StoreUnavailable):
        await added.all({"id": "a", "at": _AT, "kind": "twice"})
    assert not await added.all({"id": "c", "at": _AT, "kind": "new"})
    await database.close()
