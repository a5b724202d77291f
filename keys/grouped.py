"""Reads that share a statement: requests waiting in the same moment ask the database together.

Each read is as fresh as one alone: its statement begins after it was asked for, and nothing is kept. While one group is being read the
next gathers, so that a lone read waits for nothing and a crowd shares each round trip.
"""

from __future__ import annotations

import asyncio
from contextvars import Context
from typing import TYPE_CHECKING, Generic, TypeVar

import sqlalchemy as sa

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from keys.database import Database

Key = TypeVar("Key")
Found = TypeVar("Found")


class Grouped(Generic[Key, Found]):
    """Reads by key. `read` gives what it finds for at most `largest` keys; the same key may be among them twice."""

    def __init__(self, read: Callable[[Sequence[Key]], Awaitable[Mapping[Key, Found]]], largest: int = 128) -> None:
        self._read = read
        self._largest = largest
        self._waiting: list[tuple[Key, asyncio.Future[Found | None]]] = []
        self._reader: asyncio.Task[None] | None = None

    async def get(self, key: Key) -> Found | None:
        """Read one; None when there is none. Raises what `read` raises."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Found | None] = loop.create_future()
        self._waiting.append((key, answer))
        if self._reader is None or self._reader.done():
            self._reader = loop.create_task(self._run(), context=Context())  # it belongs to no request
        return await answer

    async def _run(self) -> None:
        while self._waiting:
            await asyncio.sleep(0)  # others of this instant join
            group, self._waiting = self._waiting[: self._largest], self._waiting[self._largest :]
            await self._answer([(key, answer) for key, answer in group if not answer.done()])

    async def _answer(self, group: Sequence[tuple[Key, asyncio.Future[Found | None]]]) -> None:
        if not group:
            return
        try:
            found = await self._read([key for key, _ in group])
        except Exception as error:  # noqa: BLE001 - each of those who wait is told, and decides
            for _, answer in group:
                if not answer.done():
                    answer.set_exception(error)
            return
        for key, answer in group:
            if not answer.done():
                answer.set_result(found.get(key))


def among(database: Database, column: sa.ColumnElement[str], name: str) -> sa.ColumnElement[bool]:
    """Say that a column is one of the parameter `name`'s values: on PostgreSQL one prepared statement whatever their number."""
    if database.dialect == "sqlite":
        return column.in_(sa.bindparam(name, expanding=True))
    return column == sa.any_(sa.bindparam(name, type_=sa.ARRAY(sa.Text)))
