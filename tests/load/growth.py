"""How the log costs as it grows: appending, proofs, a citizen's page and an export before each power of ten."""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from consent.access_log import AccessLog, tree
from consent.anchor import Anchor
from consent.checkpoint import VerifierKey
from consent.export import export
from consent.signer import LogSigner
from keys.database import Database
from tests.load import log_append
from tests.support.log import ORIGIN, SeedKeys

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

MARKS = (10_000, 100_000, 1_000_000)
FAR = 10_000_000
WINDOW = 10_240
PROOFS = 40


@dataclass(frozen=True)
class Grown:
    """A log of `size` entries: entries appended per second, median milliseconds of what is asked, entries exported per second."""

    size: int
    appended: float
    inclusion: float
    consistency: float
    page: float
    exported: float


async def measured(url: str, marks: tuple[int, ...], say: Callable[[str], None]) -> list[Grown]:
    """Append up to the last mark, and measure at each."""
    found = []
    for mark in marks:
        missing = mark - WINDOW - await _size(url)
        if missing > 0:
            say(f"growing to {mark:,} entries …")
            async with log_append.ours(url) as append:
                await log_append.drive(append, missing)
        async with log_append.ours(url) as append:
            speed, _ = await log_append.timed(append, WINDOW)
        found.append(await _read(url, speed))
        say(f"{found[-1].size:>10,} entries: {speed:,.0f} appended per second")
    return found


def lines(found: list[Grown]) -> list[str]:
    """Write the table."""
    rows = [
        f"| {one.size:,} | {one.appended:,.0f} | {one.inclusion:.1f} | {one.consistency:.1f} | {one.page:.1f} | {one.exported:,.0f} |"
        for one in found
    ]
    head = (
        "| entries | appended per second | inclusion proof, ms | consistency proof, ms | a citizen's newest 50, ms | exported per second |"
    )
    return [head, "|---|---|---|---|---|---|", *rows]


async def _read(url: str, speed: float) -> Grown:
    database = Database.open(url)
    log, size = AccessLog(database, log_append.Keys()), await _size(url)
    chosen = random.Random(size)

    async def inclusion() -> None:
        async with database.read() as connection:
            await tree.inclusion_proof(connection, chosen.randrange(size), size)

    async def consistency() -> None:
        async with database.read() as connection:
            await tree.consistency_proof(connection, chosen.randrange(1, size), size)

    async def page() -> None:
        await log.history(f"p{chosen.randrange(5000)}", limit=50)

    grown = Grown(size, speed, await _median(inclusion), await _median(consistency), await _median(page), await _exported(database, size))
    await database.close()
    return grown


async def _exported(database: Database, size: int) -> float:
    """Export all of it to this machine's disk; give entries per second."""
    keys = SeedKeys()
    with tempfile.TemporaryDirectory(prefix="gerbang-bench-") as name:
        await LogSigner(database, keys, ORIGIN, Anchor(Path(name) / "anchor")).sign_once(adopt=True)
        began = time.perf_counter()
        await export(database, Path(name) / "export", VerifierKey(ORIGIN, keys.key.public_key))
        return size / (time.perf_counter() - began)


async def _median(work: Callable[[], Awaitable[None]]) -> float:
    times = []
    for _ in range(PROOFS):
        began = time.perf_counter()
        await work()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


async def _size(url: str) -> int:
    database = Database.open(url)
    async with database.read() as connection:
        size = (await tree.head(connection)).size
    await database.close()
    return size
