"""`make bench`: our provider against the floors of docs/performance.md, alternating, on a PostgreSQL of its own. Asserts no time.

Options (BENCH_ARGS): --quick (about a minute), --write (put the table into docs/performance.md), --only NAME (jobs whose name contains
it), --growth (the log at 10^4 to 10^6 entries and nothing else; with --quick to 10^5, with --far to 10^7, which takes a quarter of an
hour), --citizens (signing in among 10^4 and 10^6 citizens and nothing else), --hold (keep both servers up afterwards, to look into them).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from uuid import uuid4

import uvloop

from idp.composition import compose
from tests.load import citizens, first_look, growth, log_append, place, report
from tests.load.measure import FULL, QUICK, Contender, Pace, Row, compare
from tests.load.supplies import FloorSupplies, Supplies, make
from tests.support.running import settings_for
from tests.support.server import Server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence

    from keys.database import StoreName
    from tests.load.place import Postgres, Used

Found = TypeVar("Found")
WORKERS = 2
SETTINGS = {
    "argon2_memory": 19456,
    "argon2_time": 2,
    "argon2_parallelism": 1,
    "access_token_lifetime": 3600,
    "log_level": "info",
    "limit_authorize": "1000000/60",
    "limit_pushed": "1000000/60",
}
APPENDED = {"quick": 5_120, "full": 20_480}


class Bench:
    """The two servers of one run, and what they are asked."""

    def __init__(self, pace: Pace, ours: Server, floor: tuple[int, int], database: Postgres) -> None:
        assert ours.process is not None
        self.pace = pace
        self.ours = (ours.port, ours.process.pid)
        self.floor = floor
        self._database = database

    async def rows(self, mine: Supplies, raw: FloorSupplies) -> list[tuple[Row, int]]:
        """Give every job with the number of connections that ask."""
        codes = self.pace.codes
        return [
            (self._row("password sign-in", mine.password(), raw.password(), 0.90, status=303), 8),
            (self._row("client_credentials", mine.client_credentials(), raw.client_credentials(), 0.60), 16),
            (self._row("code → tokens", await mine.codes(codes), await raw.codes(codes), 0.60), 16),
            (self._row("code → tokens, ID Token by RS256", await mine.codes(codes, "biasa")), 16),
            (self._row("refresh", await mine.refreshes(codes, "profile"), await raw.refreshes(codes), 0.60), 16),
            (self._row("refresh, with an ID Token", await mine.refreshes(codes, None)), 16),
            (self._row("userinfo, the read logged", await mine.userinfo(), raw.userinfo(), 0.60), 32),
            (self._row("userinfo with DPoP, the read logged", await mine.userinfo_dpop(codes), raw.userinfo_dpop(codes), 0.60), 32),
            (self._row("introspection", await mine.introspect(), raw.introspect(), 0.60), 16),
            (self._row("pushed request", mine.pushed(), raw.pushed(), 0.60, status=201), 16),
            (self._row("single sign-on: redirect → code", mine.single_sign_on(), status=303), 1),
        ]

    def _row(self, job: str, mine: Sequence[bytes], raw: Sequence[bytes] = (), goal: float | None = None, *, status: int = 200) -> Row:
        once = len(mine) == self.pace.codes
        ours = Contender(self.ours[0], mine, self._used(self.ours[1]), status, once=once)
        return Row(job, ours, Contender(self.floor[0], raw, self._used(self.floor[1]), once=once) if raw else None, goal)

    def _used(self, pid: int) -> Callable[[], Used]:
        return lambda: place.used(pid, self._database)


@contextlib.asynccontextmanager
async def bench(pace: Pace, database: Postgres, folder: Path, urls: Mapping[StoreName, str]) -> AsyncIterator[Bench]:
    """Start both servers."""
    floor_url = await place.make_database(database, "floor")
    await place.floor_tables(floor_url)
    ours = Server(urls, folder, WORKERS, {f"IDP_{name.upper()}": str(value) for name, value in SETTINGS.items()})
    async with place.floors(floor_url, WORKERS) as floor:
        try:
            yield Bench(pace, ours.start(), floor, database)
        finally:  # also when the start failed halfway
            ours.stop()


async def measured(asked: argparse.Namespace, database: Postgres, folder: Path) -> report.Measured:
    """Measure everything that was asked for."""
    pace = QUICK if asked.quick else FULL
    urls = await place.migrated(await place.make_database(database, "gerbang"))
    setting = await report.setting(database.url, WORKERS, f"{pace.rounds} rounds of {pace.seconds} s, {pace.citizens} citizens")
    async with bench(pace, database, folder, urls) as running:
        await asyncio.sleep(1)
        idle = place.memory(running.ours[1], peak=False)
        _say("filling the stores …")
        async with compose(
            settings_for(urls, folder, **SETTINGS, issuer=f"http://localhost:{running.ours[0]}"), background=False
        ) as services:
            raw = FloorSupplies(database.named("floor"))
            await raw.fill(pace.citizens)
            rows = await running.rows(await make(services, pace.citizens), raw)
        chosen = [(row, connections) for row, connections in rows if not asked.only or asked.only in row.job]
        for row, connections in chosen:
            _say(f"{row.job} …")
            await compare(row, pace, connections)
        peak, floor_peak = (place.memory(pid, peak=True) for pid in (running.ours[1], running.floor[1]))
        if asked.hold:
            _say(f"Gerbang on {running.ours}, floors on {running.floor} (port, pid); Enter ends.")
            await asyncio.to_thread(sys.stdin.readline)
    append = [] if asked.only else await _append(await place.migrated(await place.make_database(database, "append")), asked.quick)
    look = await first_look.embedded(folder / "embedded")
    return report.Measured([row for row, _ in chosen], append, look, idle, peak, floor_peak, setting)


async def _append(urls: Mapping[StoreName, str], quick: bool) -> list[tuple[float, float]]:  # noqa: FBT001 - asked on the command line
    _say("log append, in process …")
    entries = APPENDED["quick" if quick else "full"]
    return await log_append.pairs(urls["consent"], entries, 2 if quick else 3)


async def _grown(database: Postgres, *, quick: bool, far: bool) -> None:
    urls = await place.migrated(await place.make_database(database, "growth"))
    marks = growth.MARKS[:-1] if quick else (*growth.MARKS, *([growth.FAR] if far else []))
    _print("\n".join(growth.lines(await growth.measured(urls["consent"], marks, _say))))


async def _stoppable(work: Coroutine[object, object, Found]) -> Found:
    """Whoever stops us (SIGTERM) stops the servers too."""
    task = asyncio.ensure_future(work)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        raise SystemExit(128 + signal.SIGTERM) from None


def main() -> None:
    """Read the options, measure, print."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    for flag in ("quick", "write", "growth", "far", "citizens", "hold"):
        parser.add_argument(f"--{flag}", action="store_true")
    parser.add_argument("--only", default="")
    asked = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="gerbang-bench-") as name,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        place.postgres(Path(tempfile.gettempdir()) / f"gerbang-pg-{uuid4().hex[:8]}") as database,
    ):
        if asked.growth:
            runner.run(_stoppable(_grown(database, quick=asked.quick, far=asked.far)))
            return
        if asked.citizens:
            pace = QUICK if asked.quick else FULL
            crowds = runner.run(_stoppable(citizens.measured(database, Path(name), pace, SETTINGS, _say)))
            _print("\n".join(citizens.lines(crowds)))
            return
        text = report.lines(runner.run(_stoppable(measured(asked, database, Path(name)))))
    _print("\n".join(text))
    if asked.write:
        report.write(text)


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    main()
