"""Four processes append on PostgreSQL while one is killed, the database crashes and comes back, and its disk fills and is emptied."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from consent.access_log import leaf, statements, writer
from consent.access_log.writer import Prepared
from keys.database import Database
from keys.errors import StoreUnavailable
from migrations.upgrade import upgrade
from tests.faults.test_log_processes import SPAWN, all_entries, received_in
from tests.support.appender import append_in_spite_of_all
from tests.support.log import TOLERANCE, LogHouse, key_event

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.faults.conftest import Cluster

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
OTHERS = 9000
BEYOND_A_WAL_FILE = 16 * 1024 * 1024


@pytest.fixture
def url(cluster: Cluster) -> str:
    """The consent store in a database of its own on the module's server."""
    return make_url(cluster.urls["consent"]).set(database="four").render_as_string(hide_password=False)


@pytest.fixture
async def house(cluster: Cluster, url: str, tmp_path: Path) -> AsyncIterator[LogHouse]:
    """Its log, as a fifth process sees it."""
    server = Database.open(cluster.urls["idp"], pool_size=1)
    async with server.statement() as connection:
        await connection.execute(sa.text("CREATE DATABASE four"))
    await server.close()
    database = Database.open(url)
    await upgrade("consent", database)
    async with database.statement() as connection:  # vacuum would offer the ends of a thousand pages, so that small entries go on fitting
        await connection.execute(sa.text("ALTER TABLE log_entries SET (autovacuum_enabled = false)"))
    await fill(database, OTHERS)
    made = LogHouse(database, tmp_path)
    yield made
    await database.close()


async def fill(database: Database, count: int) -> None:
    """Append entries about nobody with long reasons that do not compress; many make the table larger than a write-ahead log file."""
    long = key_event(os.urandom(700).hex())
    record, _ = leaf.prepared(long)
    async with database.transaction(statements.LOCK) as transaction:
        await writer.write(transaction, [Prepared(long, record, None, None, None, ())] * count, None, TOLERANCE)
        await transaction.commit()


async def fill_up(database: Database) -> None:
    """Use up what room there is in pages that are there already."""
    for _ in range(3000):
        try:
            await fill(database, 1)
        except (StoreUnavailable, sa.exc.DBAPIError):
            return
    raise AssertionError("the disk does not fill")


class Appenders:
    """Four processes, and what they wrote down."""

    def __init__(self, url: str, folder: Path) -> None:
        self.folder = folder
        self.processes = [SPAWN.Process(target=append_in_spite_of_all, args=(url, folder, number)) for number in range(4)]
        for process in self.processes:
            process.start()

    def length(self, what: str, number: int) -> int:
        file = self.folder / f"{what}-{number}"
        return file.stat().st_size if file.exists() else 0

    async def all_go_on(self, what: str = "received", *, without: int | None = None) -> None:
        """Wait until each living process has written more down, without anybody's hand."""
        numbers = [number for number in range(4) if number != without]
        before = {number: self.length(what, number) for number in numbers}
        deadline = time.monotonic() + 60
        while any(self.length(what, number) < before[number] + 4 for number in numbers):
            assert time.monotonic() < deadline, f"{what}: not every process goes on"
            await asyncio.sleep(0.05)

    async def told_to_stop(self) -> list[int | None]:
        (self.folder / "stop").touch()
        for process in self.processes:
            await asyncio.to_thread(process.join, 60)
        return [process.exitcode for process in self.processes]


@pytest.fixture
def appenders(house: LogHouse, url: str, tmp_path: Path) -> Iterator[Appenders]:
    """Four processes at work; none outlives the test."""
    del house
    started = Appenders(url, tmp_path)
    yield started
    for process in started.processes:
        process.kill()


async def test_nothing_is_released_without_its_entry_and_all_go_on_without_a_hand(
    appenders: Appenders, house: LogHouse, cluster: Cluster, tmp_path: Path
) -> None:
    await appenders.all_go_on()
    os.kill(appenders.processes[0].pid or 0, signal.SIGKILL)
    await appenders.all_go_on(without=0)
    await asyncio.to_thread(cluster.stop)
    await appenders.all_go_on("refused", without=0)
    await asyncio.to_thread(cluster.start)
    await appenders.all_go_on(without=0)
    await house.database.engine.dispose()  # its connections are from before the crash
    async with house.database.read() as connection:
        size = int((await connection.execute(sa.text("SELECT pg_relation_size('log_entries')"))).scalar_one())
    assert size > BEYOND_A_WAL_FILE
    with cluster.full_disk(size):
        await fill_up(house.database)
        await appenders.all_go_on("refused", without=0)
    await appenders.all_go_on(without=0)
    assert await appenders.told_to_stop() == [-signal.SIGKILL, 0, 0, 0]
    await require_contiguous(house, tmp_path)


async def require_contiguous(house: LogHouse, folder: Path) -> None:
    """Demand a whole log that holds every entry that somebody holds a receipt of."""
    entries, received = await all_entries(house), received_in(folder)
    assert received
    assert received.items() <= entries.items()
    async with house.database.read() as connection:
        count, first, last = (await connection.execute(sa.text("SELECT count(*), min(idx), max(idx) FROM log_entries"))).one()
    assert (first, last) == (0, count - 1)
    verdict, accounts = await house.verify_live()
    assert verdict.holds, verdict.problems
    assert accounts.about_persons == len(entries)
