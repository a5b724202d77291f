"""Several processes append; some are killed at any instant: indices stay contiguous, and every receipt given has its entry."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
import signal
import time
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from consent.access_log import Receipt
from consent.errors import LogUnavailable
from tests.support.appender import append_without_end
from tests.support.log import LogHouse, disclosure, log_house

if TYPE_CHECKING:
    from pathlib import Path

    from keys.database import StoreName

__all__ = ["log_house"]
SPAWN = multiprocessing.get_context("spawn")


def received_in(folder: Path) -> dict[str, int]:
    """Read what the processes wrote down; a line cut by the kill was never finished."""
    lines = [
        line.split() for file in folder.glob("received-*") for line in file.read_text().splitlines(keepends=True) if line.endswith("\n")
    ]
    return {entry_id: int(index) for entry_id, index in lines}


def wait_for(file: Path) -> None:
    """Wait until a process has begun."""
    while not file.exists():
        time.sleep(0.02)


async def all_entries(house: LogHouse) -> dict[str, int]:
    found = {}
    for person in range(5):
        found |= {entry.entry_id: entry.index for entry in await house.log.history(f"p{person}", limit=1_000_000)}
    return found


async def require_whole(house: LogHouse, folder: Path) -> None:
    """Demand that the log is whole and holds every entry that somebody holds a receipt of."""
    entries, received = await all_entries(house), received_in(folder)
    assert received
    assert received.items() <= entries.items()
    assert sorted(entries.values()) == list(range(len(entries)))
    verdict, accounts = await house.verify_live()
    assert verdict.holds, verdict.problems
    assert accounts.about_persons == len(entries)


@pytest.mark.parametrize("kind", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True)
async def test_several_processes_append_to_one_log(log_house: LogHouse, database_urls: dict[StoreName, str], tmp_path: Path) -> None:
    processes = [
        SPAWN.Process(target=append_without_end, args=(database_urls["consent"], tmp_path / f"received-{number}", number, 60))
        for number in range(3)
    ]
    for process in processes:
        process.start()
    ours = await asyncio.gather(*(log_house.log.append(disclosure("p1")) for _ in range(300)))
    await asyncio.gather(*(asyncio.to_thread(process.join, 60) for process in processes))
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert all(isinstance(receipt, Receipt) for receipt in ours)
    await require_whole(log_house, tmp_path)
    assert (await log_house.log.status()).size == 3 * 8 * 60 + 300


async def test_a_process_killed_at_any_instant_leaves_a_whole_log(
    log_house: LogHouse, database_urls: dict[StoreName, str], tmp_path: Path, kind: str
) -> None:
    random.seed(kind)
    for number in range(4):
        process = SPAWN.Process(target=append_without_end, args=(database_urls["consent"], tmp_path / f"received-{number}", number))
        process.start()
        await asyncio.to_thread(wait_for, tmp_path / f"received-{number}")
        await asyncio.sleep(random.uniform(0.05, 0.4))
        os.kill(process.pid or 0, signal.SIGKILL)
        await asyncio.to_thread(process.join)
        assert isinstance(await log_house.log.append(disclosure("p2")), Receipt)
    await require_whole(log_house, tmp_path)


@pytest.mark.parametrize("kind", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True)
async def test_a_database_gone_refuses_and_its_return_needs_no_hand(log_house: LogHouse, postgres_url: str) -> None:
    from keys.database import Database

    name = log_house.database.url.database
    server = Database.open(postgres_url)
    assert isinstance(await log_house.log.append(disclosure()), Receipt)
    async with server.statement() as connection:
        await connection.execute(sa.text(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false'))
        await connection.execute(sa.text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"))
    for _ in range(3):
        with pytest.raises(LogUnavailable):
            await log_house.log.append(disclosure())
        await asyncio.sleep(0.2)
    async with server.statement() as connection:
        await connection.execute(sa.text(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true'))
    assert isinstance(await log_house.log.append(disclosure()), Receipt)
    verdict, _ = await log_house.verify_live()
    assert verdict.holds, verdict.problems
    await server.close()


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
async def test_a_full_disk_refuses_and_space_needs_no_hand(log_house: LogHouse) -> None:
    assert isinstance(await log_house.log.append(disclosure()), Receipt)
    engine = log_house.database.engine.sync_engine
    full = True

    def limit(connection: sa.engine.interfaces.DBAPIConnection, _record: object) -> None:
        if full:
            connection.cursor().execute("PRAGMA max_page_count = 1")  # SQLite raises it to what the file already has

    sa.event.listen(engine, "connect", limit)
    await engine_reopened(log_house)
    results = await asyncio.gather(*(log_house.log.append(disclosure()) for _ in range(300)), return_exceptions=True)
    assert any(isinstance(result, LogUnavailable) for result in results)
    given = sum(isinstance(result, Receipt) for result in results)
    full = False
    await engine_reopened(log_house)
    assert isinstance(await log_house.log.append(disclosure()), Receipt)
    verdict, accounts = await log_house.verify_live()
    assert verdict.holds, verdict.problems
    assert accounts.about_persons >= given + 2


async def engine_reopened(house: LogHouse) -> None:
    """Have every connection opened anew, the batcher's too."""
    await house.log.stop()
    await house.database.engine.dispose()
    await house.log.start()
