"""A process of its own that appends to the log, and writes down each entry id once it holds the receipt."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from consent.access_log import AccessLog, Receipt
from consent.errors import LogUnavailable
from keys.database import Database
from tests.support.log import NamedLogKeys, disclosure

if TYPE_CHECKING:
    from pathlib import Path


def append_without_end(url: str, received: Path, number: int, most: int = 1_000_000) -> None:
    """Append from eight tasks at once. `received` gets "<entry id> <index>" lines, each when the receipt is there."""
    asyncio.run(_append(url, received, number, most))


def append_in_spite_of_all(url: str, folder: Path, number: int) -> None:
    """Append as a server does, whatever happens to the database, until `folder`/stop is there; never asked twice for one entry.

    `received-<number>` gets "<entry id> <index>" lines, `refused-<number>` one letter for each refusal.
    """
    asyncio.run(_append_on(url, folder, number))


async def _append_on(url: str, folder: Path, number: int) -> None:
    database = Database.open(url)
    log = AccessLog(database, NamedLogKeys())
    await log.start()

    async def work(task: int) -> None:
        while not (folder / "stop").exists():
            try:
                receipt = await log.append(disclosure(f"p{(number + task) % 5}"))
            except LogUnavailable:
                refused.write("x")
                refused.flush()
            else:
                assert isinstance(receipt, Receipt)
                received.write(f"{receipt.entry_id} {receipt.index}\n")
                received.flush()
            await asyncio.sleep(0.03)

    with (
        (folder / f"received-{number}").open("a", encoding="ascii") as received,
        (folder / f"refused-{number}").open("a", encoding="ascii") as refused,
    ):
        await asyncio.gather(*(work(task) for task in range(3)))
    await log.stop()
    await database.close()


async def _append(url: str, received: Path, number: int, most: int) -> None:
    database = Database.open(url)
    log = AccessLog(database, NamedLogKeys())
    await log.start()

    async def work(task: int) -> None:
        for round_ in range(most):
            receipt = await log.append(disclosure(f"p{(number * 8 + task + round_) % 5}"))
            assert isinstance(receipt, Receipt)
            file.write(f"{receipt.entry_id} {receipt.index}\n")
            file.flush()

    with received.open("a", encoding="ascii") as file:
        await asyncio.gather(*(work(task) for task in range(8)))
    await log.stop()
    await database.close()
