"""How an append costs as the log grows: entries per second over the last ten thousand before each power of ten."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg
from sqlalchemy.engine import make_url

from tests.load import log_append

if TYPE_CHECKING:
    from collections.abc import Callable

MARKS = (10_000, 100_000, 1_000_000)
WINDOW = 10_240


async def appends(url: str, say: Callable[[str], None]) -> list[tuple[int, float]]:
    """Append up to a million entries; give (size of the log, entries per second there)."""
    found = []
    for mark in MARKS:
        missing = mark - WINDOW - await _size(url)
        if missing > 0:
            say(f"growing to {mark:,} entries …")
            await log_append.ours(url, missing)
        speed, _ = await log_append.timed(log_append.ours, url, WINDOW)
        found.append((await _size(url), speed))
        say(f"{found[-1][0]:>10,} entries: {speed:,.0f} appended per second")
    return found


async def _size(url: str) -> int:
    plain = make_url(url).set(drivername="postgresql").difference_update_query(["schema"])
    connection = await asyncpg.connect(plain.render_as_string(hide_password=False))
    size: int = await connection.fetchval("SELECT size FROM consent.log_head")
    await connection.close()
    return size
