"""Log append alone against its floor: the same rows, ready made, inserted by the raw driver under one row lock in equal batches.

Run: python -m tests.load.log_append URL [ENTRIES]. URL is of a migrated consent store. Prints entries per second of both, alternating, and
their ratio; asserts nothing. CPU seconds are of this process only.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import statistics
import sys
import time
from typing import TYPE_CHECKING

from consent.access_log import AccessLog, Entry, Record, Subject
from consent.access_log.batcher import BatchOptions
from consent.access_log.log import LogOptions
from keys.database import Database
from keys.log_subjects import LogKey

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

BATCH = 256
ROW = (1, "disclose", "aduan", os.urandom(65), os.urandom(330), os.urandom(32), None, os.urandom(32), os.urandom(260))


class Keys:
    """Log keys that cost nothing."""

    def __init__(self) -> None:
        self._known: dict[str, LogKey] = {}

    async def log_key(self, person: str) -> LogKey:
        """Give a key."""
        found = self._known.get(person)
        if found is None:
            found = self._known[person] = LogKey(hashlib.sha256(person.encode()).digest())
        return found


async def ours(url: str, entries: int) -> None:
    """Append from 512 callers that each come back at once."""
    database = Database.open(url)
    log = AccessLog(database, Keys(), LogOptions(batch=BatchOptions(limit=100_000)))
    await log.start()

    async def caller(number: int) -> None:
        for round_ in range(entries // 512):
            record = Record(
                action="disclose", client="aduan", client_name="Aduan", claims=("email", "name"), channel="userinfo", outcome="ok"
            )
            await log.append(Entry(record, Subject(f"p{(number * 31 + round_) % 5000}", "g1", "a1")))

    await asyncio.gather(*(caller(number) for number in range(512)))
    await log.stop()
    await database.close()


async def floor_postgresql(url: str, entries: int) -> None:
    """Insert by asyncpg."""
    import asyncpg

    parsed = Database.open(url)
    plain = parsed.url.set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(plain, server_settings={"search_path": "floor", "synchronous_commit": "on"})
    await connection.execute("CREATE SCHEMA IF NOT EXISTS floor")
    await connection.execute("DROP TABLE IF EXISTS floor.head, floor.entries")
    await connection.execute("CREATE TABLE floor.head AS SELECT * FROM consent.log_head")
    await connection.execute("CREATE TABLE floor.entries (LIKE consent.log_entries INCLUDING ALL)")
    places = ", ".join(f"${number}" for number in range(1, 11))
    for first in range(0, entries, BATCH):
        rows = [(first + number, *ROW[:7], os.urandom(32), ROW[8]) for number in range(BATCH)]
        async with connection.transaction():
            await connection.fetchrow("SELECT * FROM head FOR UPDATE")
            await connection.executemany(f"INSERT INTO entries VALUES ({places})", rows)
            await connection.execute("UPDATE head SET size = $1", first + BATCH)
    await connection.close()


async def floor_sqlite(url: str, entries: int) -> None:
    """Insert by aiosqlite, settings as ours."""
    import aiosqlite

    async with aiosqlite.connect(str(Database.open(url).url.database) + ".floor", isolation_level=None) as connection:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
            await connection.execute(f"PRAGMA {pragma}")
        await connection.execute("DROP TABLE IF EXISTS entries")
        await connection.execute("DROP TABLE IF EXISTS head")
        await connection.execute("CREATE TABLE head (size INTEGER)")
        await connection.execute("INSERT INTO head VALUES (0)")
        await connection.execute("CREATE TABLE entries (idx INTEGER PRIMARY KEY, a, b, c, d, e, f, g, h, i)")
        await connection.execute("CREATE INDEX of_subject ON entries (h, idx)")
        for first in range(0, entries, BATCH):
            rows = [(first + number, *ROW[:7], os.urandom(32), ROW[8]) for number in range(BATCH)]
            await connection.execute("BEGIN IMMEDIATE")
            await connection.execute("SELECT * FROM head")
            await connection.executemany("INSERT INTO entries VALUES (?,?,?,?,?,?,?,?,?,?)", rows)
            await connection.execute("UPDATE head SET size = ?", (first + BATCH,))
            await connection.execute("COMMIT")


async def timed(work: Callable[[str, int], Awaitable[None]], url: str, entries: int) -> tuple[float, float]:
    """Give entries per second, and CPU microseconds per entry."""
    began, cpu = time.perf_counter(), time.process_time()
    await work(url, entries)
    return entries / (time.perf_counter() - began), (time.process_time() - cpu) / entries * 1e6


async def main() -> None:
    """Alternate floor and ours, and print."""
    url, entries = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 10_240
    floor = floor_sqlite if url.startswith("sqlite") else floor_postgresql
    ratios = []
    for _ in range(3):
        (raw, raw_cpu), (own, own_cpu) = await timed(floor, url, entries), await timed(ours, url, entries)
        ratios.append(own / raw)
        print(f"floor {raw:8.0f}/s {raw_cpu:6.0f} µs CPU   ours {own:8.0f}/s {own_cpu:6.0f} µs CPU   ratio {own / raw:.2f}")  # noqa: T201
    print(f"median ratio {statistics.median(ratios):.2f}")  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main())
