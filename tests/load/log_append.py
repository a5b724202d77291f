"""Log append alone against its floor: rows of the same bytes, ready made, inserted by the raw driver under one row lock in equal batches.

Both answer 512 callers, each of whom comes back at once; both are warm before the clock starts, and what a person's log key costs to unwrap
is paid before (log.md: "person log keys are unwrapped before").

Run: python -m tests.load.log_append URL [ENTRIES [ROUNDS]]. URL is of a migrated consent store. Prints entries per second of both,
alternating, and their ratio; asserts nothing. CPU seconds are of this process only.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from consent.access_log import AccessLog, Entry, Record, Subject
from consent.access_log.batcher import BatchOptions
from consent.access_log.log import LogOptions
from idp.server import settle
from keys.database import Database
from keys.log_subjects import LogKey

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

Append = Callable[[str], Awaitable[object]]
Row = tuple[object, ...]

BATCH, CALLERS, PEOPLE = 256, 512, 5000
WARM = 4 * BATCH
_LEAF, _RECORD, _NONCE, _SEALED = 65, 179, 32, 209
ROW: Row = (1, "disclose", "aduan", os.urandom(_LEAF), os.urandom(_RECORD), os.urandom(_NONCE), None, b"", os.urandom(_SEALED), None)
"""An entry's columns after the index, of the sizes that `ours` stores; the reference to the person (the eighth) is filled in."""


class Keys:
    """Log keys that cost nothing once they were given."""

    def __init__(self) -> None:
        self._known: dict[str, LogKey] = {}

    async def log_key(self, person: str) -> LogKey:
        """Give a key."""
        found = self._known.get(person)
        if found is None:
            found = self._known[person] = LogKey(hashlib.sha256(person.encode()).digest())
        return found


@contextlib.asynccontextmanager
async def ours(url: str) -> AsyncIterator[Append]:
    """Append to the access log."""
    database, keys = Database.open(url), Keys()
    for number in range(PEOPLE):
        await keys.log_key(f"p{number}")
    log = AccessLog(database, keys, LogOptions(batch=BatchOptions(limit=100_000)))
    await log.start()

    async def append(person: str) -> object:
        record = Record(action="disclose", client="aduan", client_name="Aduan", claims=("email", "name"), channel="userinfo", outcome="ok")
        return await log.append(Entry(record, Subject(person, "g1", "a1")))

    yield append
    await log.stop()
    await database.close()


class Floor:
    """Commits what waits, 256 rows at a time, and answers after the commit."""

    def __init__(self, write: Callable[[list[Row], int], Awaitable[None]]) -> None:
        self._write = write
        self._size = 0
        self._waiting: list[tuple[Row, asyncio.Future[int]]] = []
        self._flusher: asyncio.Task[None] | None = None
        self._references = {f"p{number}": os.urandom(_NONCE) for number in range(PEOPLE)}

    async def append(self, person: str) -> object:
        """Wait for the commit of a row."""
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.append(((*ROW[:7], self._references[person], *ROW[8:]), future))
        if self._flusher is None or self._flusher.done():
            self._flusher = asyncio.create_task(self._flush())
        return await future

    async def _flush(self) -> None:
        await asyncio.sleep(0)
        while self._waiting:
            batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
            rows = [(self._size + number, *row) for number, (row, _) in enumerate(batch)]
            await self._write(rows, self._size + len(rows))
            for number, (_, future) in enumerate(batch):
                future.set_result(self._size + number)
            self._size += len(rows)


@contextlib.asynccontextmanager
async def floor_postgresql(url: str) -> AsyncIterator[Append]:
    """Insert by asyncpg into a table like ours, with its indexes."""
    import asyncpg

    plain = Database.open(url).url.set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(plain, server_settings={"search_path": "floor", "synchronous_commit": "on"})
    await connection.execute("CREATE SCHEMA IF NOT EXISTS floor")
    await connection.execute("DROP TABLE IF EXISTS floor.head, floor.entries")
    await connection.execute("CREATE TABLE floor.head AS SELECT * FROM consent.log_head")
    await connection.execute("CREATE TABLE floor.entries (LIKE consent.log_entries INCLUDING ALL)")
    places = ", ".join(f"${number}" for number in range(1, len(ROW) + 2))

    async def write(rows: list[Row], size: int) -> None:
        async with connection.transaction():
            await connection.fetchrow("SELECT * FROM head FOR UPDATE")
            await connection.executemany(f"INSERT INTO entries VALUES ({places})", rows)
            await connection.execute("UPDATE head SET size = $1", size)

    yield Floor(write).append
    await connection.close()


@contextlib.asynccontextmanager
async def floor_sqlite(url: str) -> AsyncIterator[Append]:
    """Insert by aiosqlite, settings as ours."""
    import aiosqlite

    async with aiosqlite.connect(str(Database.open(url).url.database) + ".floor", isolation_level=None) as connection:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
            await connection.execute(f"PRAGMA {pragma}")
        await connection.execute("DROP TABLE IF EXISTS entries")
        await connection.execute("DROP TABLE IF EXISTS head")
        await connection.execute("CREATE TABLE head (size INTEGER)")
        await connection.execute("INSERT INTO head VALUES (0)")
        await connection.execute("CREATE TABLE entries (idx INTEGER PRIMARY KEY, a, b, c, d, e, f, g, h, i, j)")
        await connection.execute("CREATE INDEX of_subject ON entries (h, idx)")
        places = ", ".join("?" for _ in range(len(ROW) + 1))

        async def write(rows: list[Row], size: int) -> None:
            await connection.execute("BEGIN IMMEDIATE")
            await connection.execute("SELECT * FROM head")
            await connection.executemany(f"INSERT INTO entries VALUES ({places})", rows)
            await connection.execute("UPDATE head SET size = ?", (size,))
            await connection.execute("COMMIT")

        yield Floor(write).append


async def drive(append: Append, entries: int) -> None:
    """Let every caller append one entry after another, until there are `entries` (rounded down to whole rounds)."""

    async def caller(number: int) -> None:
        for round_ in range(entries // CALLERS):
            await append(f"p{(number * 31 + round_) % PEOPLE}")

    await asyncio.gather(*(caller(number) for number in range(CALLERS)))


async def timed(append: Append, entries: int) -> tuple[float, float]:
    """Give entries per second, and CPU microseconds per entry."""
    began, cpu = time.perf_counter(), time.process_time()
    await drive(append, entries)
    return entries / (time.perf_counter() - began), (time.process_time() - cpu) / entries * 1e6


async def pairs(url: str, entries: int, rounds: int, say: Callable[..., Any] = lambda *_: None) -> list[tuple[float, float]]:
    """Alternate floor and ours; give (ours, floor) in entries per second for each round."""
    found = []
    async with (floor_sqlite if url.startswith("sqlite") else floor_postgresql)(url) as floor, ours(url) as own:
        for append in (floor, own):
            await drive(append, WARM)
        settle()  # as a server process does
        for _ in range(rounds):
            (raw, raw_cpu), (mine, mine_cpu) = await timed(floor, entries), await timed(own, entries)
            found.append((mine, raw))
            say(f"floor {raw:8.0f}/s {raw_cpu:6.0f} µs CPU   ours {mine:8.0f}/s {mine_cpu:6.0f} µs CPU   ratio {mine / raw:.2f}")
    return found


async def main() -> None:
    """Measure and print."""
    url, entries, rounds = (*sys.argv[1:4], *("10240", "3")[len(sys.argv) - 2 :])
    found = await pairs(url, int(entries), int(rounds), print)
    print(f"median ratio {statistics.median(own / raw for own, raw in found):.2f}")  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main())
