"""Grouped reads: those of one moment share a statement, each is fresh, and one that fails is told to all who waited for it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from keys.database import connections_held
from keys.grouped import Grouped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Source:
    """Something to read from, which counts its reads and can be held."""

    def __init__(self) -> None:
        self.values = {"a": 1, "b": 2}
        self.groups: list[list[str]] = []
        self.begun = asyncio.Event()
        self.free = asyncio.Event()
        self.free.set()
        self.broken: Exception | None = None

    async def read(self, keys: Sequence[str]) -> Mapping[str, int]:
        self.groups.append(list(keys))
        self.begun.set()
        assert connections_held() == 0
        seen = dict(self.values)
        await self.free.wait()
        if self.broken:
            raise self.broken
        return seen


async def test_reads_of_one_moment_share_a_statement() -> None:
    source = Source()
    grouped = Grouped(source.read)
    assert await asyncio.gather(*(grouped.get(key) for key in ("a", "b", "c", "a"))) == [1, 2, None, 1]
    assert source.groups == [["a", "b", "c", "a"]]


async def test_a_read_begun_before_one_was_asked_for_never_answers_it() -> None:
    source = Source()
    grouped = Grouped(source.read)
    source.free.clear()
    early = asyncio.create_task(grouped.get("a"))
    await source.begun.wait()
    source.values["a"] = 7  # changed and committed; whoever asks from now on must see it
    late = asyncio.create_task(grouped.get("a"))
    await asyncio.sleep(0)
    source.free.set()
    assert (await early, await late) == (1, 7)
    assert len(source.groups) == 2


async def test_a_group_has_a_largest_size() -> None:
    source = Source()
    grouped = Grouped(source.read, largest=2)
    await asyncio.gather(*(grouped.get(str(number)) for number in range(5)))
    assert [len(group) for group in source.groups] == [2, 2, 1]


async def test_a_failed_read_is_told_to_everybody_in_it_and_the_next_works() -> None:
    source = Source()
    grouped = Grouped(source.read)
    source.broken = OSError("gone")
    answers = await asyncio.gather(*(grouped.get(key) for key in "ab"), return_exceptions=True)
    assert [type(answer) for answer in answers] == [OSError, OSError]
    source.broken = None
    assert await grouped.get("b") == 2


async def test_who_leaves_takes_nobody_along() -> None:
    source = Source()
    grouped = Grouped(source.read)
    source.free.clear()
    leaving, staying = asyncio.create_task(grouped.get("a")), asyncio.create_task(grouped.get("b"))
    await source.begun.wait()
    leaving.cancel()
    source.free.set()
    assert await staying == 2
    with pytest.raises(asyncio.CancelledError):
        await leaving
