"""Invariant 1, "No read without a record", while the server is killed (SIGKILL) at random instants of a thousand disclosures."""

from __future__ import annotations

import asyncio
import random
import time
from typing import TYPE_CHECKING

import httpx2
import pytest
import sqlalchemy as sa

from tests.support.crowd import Crowd, account_of, crowd, inside, workers

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.server import Server

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
READS = 1000
READERS = 8
KILLS = 4


class Readers:
    """Applications that read without end, and write down each entry id once they hold an answer."""

    def __init__(self, applications: Crowd, token: str) -> None:
        self.applications = applications
        self.token = token
        self.received: list[str] = []
        self.other: set[int] = set()
        self.broken = 0
        self.killing = True
        self._goal, self._there = 0, asyncio.Event()

    async def read(self) -> None:
        """Read until all readers together have received enough, and the last kill is over."""
        while self.killing or len(self.received) < READS:
            try:
                answer = await self.applications.userinfo(self.token)
            except httpx2.HTTPError:
                self.broken += 1
                await asyncio.sleep(0.05)
                continue
            if answer.status_code == 200:
                assert answer.json()["name"]
                self.received.append(answer.headers["x-access-log-id"])
                if len(self.received) >= self._goal:
                    self._there.set()
            else:
                self.other.add(answer.status_code)
                await asyncio.sleep(0.05)

    async def reached(self, count: int) -> None:
        """Wait until so many answers were received."""
        self._goal = count
        self._there.clear()
        await self._there.wait()


async def test_whatever_an_application_received_stands_in_the_log_though_the_server_was_killed(
    server: Callable[..., Server], kind: str, tmp_path: Path
) -> None:
    seed = time.time_ns()
    print(f"seed {seed}")  # noqa: T201 - shown when the test fails: the same instants can be tried again
    chance = random.Random(seed)
    started = server(workers=1 if kind == "sqlite" else 2)
    async with crowd(started) as applications:
        readers = Readers(applications, (await applications.tokens())["access_token"])
        tasks = [asyncio.create_task(readers.read()) for _ in range(READERS)]
        for number, count in enumerate(sorted(chance.sample(range(20, READS - 100), KILLS))):
            await readers.reached(count)
            await asyncio.sleep(chance.uniform(0, 0.02))
            await kill(started, one=kind == "postgresql" and number % 2 == 0, chance=chance)
        readers.killing = False
        await asyncio.gather(*tasks)
        assert readers.broken
        assert readers.other <= {503}
    await require_whole(started, readers.received)
    started.run("audit", "verify", "--live")
    exported = tmp_path / "export"
    started.run("audit", "export", str(exported))
    started.run("audit", "verify", str(exported), "--vkey", str(exported / "vkey"))
    assert '"event": "unexpected"' not in started.log.read_text()


async def kill(started: Server, *, one: bool, chance: random.Random) -> None:
    """Kill one server process, which its supervisor replaces; or all of them, and start again as an operator's supervisor would."""
    if not one:
        await asyncio.to_thread(started.kill)
        await asyncio.to_thread(started.start)
        return
    victim = chance.choice(workers(started))
    victim.kill()
    deadline = time.monotonic() + 60
    while victim.pid in {worker.pid for worker in workers(started)} or len(workers(started)) < 2:
        assert time.monotonic() < deadline, "the killed process was not replaced"
        await asyncio.sleep(0.1)


async def require_whole(started: Server, received: list[str]) -> None:
    """Demand contiguous indices, and an entry about this person for every answer."""
    async with inside(started) as services:
        siti = await account_of(services, Crowd.person())
        history = await services.consent.access_log.history(siti.person, limit=1_000_000, action="disclose")
        async with services.consent.database.read() as connection:
            count, first, last = (await connection.execute(sa.text("SELECT count(*), min(idx), max(idx) FROM log_entries"))).one()
    recorded = {entry.entry_id for entry in history}
    assert len(received) == len(set(received)) >= READS
    assert set(received) <= recorded
    assert (first, last) == (0, count - 1)
