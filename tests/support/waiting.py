"""Waiting for what the background does: asked again until it is so. A fixed sleep is too long on quiet machines, too short on busy ones."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from consent.access_log import Receipt
from consent.errors import LogUnavailable
from tests.support.log import disclosure

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from consent.access_log import AccessLog

PATIENCE = 20.0


async def until(so: Callable[[], Awaitable[Any]], what: str) -> None:
    """Ask until the answer is true; fail with `what` when it stays false."""
    deadline = time.monotonic() + PATIENCE
    while not await so():
        assert time.monotonic() < deadline, f"it never came: {what}"
        await asyncio.sleep(0.02)


async def trusted_again(log: AccessLog, person: str = "p1") -> None:
    """Wait until a log that refused entries takes one, by itself."""

    async def taken() -> bool:
        try:
            return isinstance(await log.append(disclosure(person)), Receipt)
        except LogUnavailable:
            return False

    await until(taken, "an entry of a log that is whole again")
