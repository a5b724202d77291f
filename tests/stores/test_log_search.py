"""Searching records and counting them, on both databases: nothing is missed between pages, nothing is counted twice, nobody is named."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import Counter
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from consent.access_log import Actor, Entry, Record, Subject, activity
from consent.access_log.search import Wanted, search
from consent.key_uses import KeyUses
from tests.support.log import LogHouse, disclosure, key_event, log_house

__all__ = ["log_house"]

if TYPE_CHECKING:
    from keys.database import Database, StoreName

ZONE = ZoneInfo("Asia/Makassar")


def look(officer: str = "P-1", claim: str = "nik") -> Entry:
    record = Record(
        action="consult", agency="dinkes", actor=Actor("officer", officer), claims=(claim,), channel="counter", outcome="ok", reason="x"
    )
    return Entry(record, Subject("p9"))


async def filled(house: LogHouse) -> None:
    for number in range(40):
        await house.log.append(look(f"P-{number % 4}") if number % 10 == 0 else disclosure(f"p{number}", claims=("email",)))


async def test_each_filter_finds_its_records_and_only_those(log_house: LogHouse) -> None:
    await filled(log_house)
    for wanted, count in (
        (Wanted(), 40),
        (Wanted(client="aduan"), 36),
        (Wanted(action="consult"), 4),
        (Wanted(agency="dinkes"), 4),
        (Wanted(claim="nik"), 4),
        (Wanted(officer="P-2"), 2),
        (Wanted(officer='"P-2"'), 0),
        (Wanted(claim="ni"), 0),
        (Wanted(purpose="aduan"), 0),
        (Wanted(basis="a"), 0),
        (Wanted(officer="consult"), 0),
    ):
        found = await search(log_house.database, wanted, 100)
        assert (len(found.records), found.onward) == (count, None), wanted
    assert all("person" not in str(one.record) for one in (await search(log_house.database, Wanted(), 100)).records)


async def test_pages_follow_one_another_without_gap_also_when_a_search_stops_early(log_house: LogHouse) -> None:
    await filled(log_house)
    seen: list[int] = []
    before: int | None = None
    for _ in range(20):
        found = await search(log_house.database, Wanted(client="aduan", before=before), 7, most=11)
        assert len(found.records) <= 7
        seen += [one.index for one in found.records]
        before = found.onward
        if before is None:
            break
    assert seen == [number for number in range(39, -1, -1) if number % 10]


async def test_a_stretch_of_time_is_found_by_halving(log_house: LogHouse) -> None:
    await filled(log_house)
    times = [one.time for one in (await search(log_house.database, Wanted(), 100)).records][::-1]
    found = await search(log_house.database, Wanted(since=times[10], until=times[30]), 100)
    assert [one.index for one in found.records] == [index for index in range(39, -1, -1) if times[10] <= times[index] < times[30]]
    nothing = await search(log_house.database, Wanted(since=times[-1] + dt.timedelta(days=1)), 100)
    assert (nothing.records, nothing.onward) == ([], None)
    empty = await search(log_house.database, Wanted(since=times[30], until=times[10], before=-5), 100)
    assert (empty.records, empty.onward) == ([], None)


async def test_racing_processes_count_every_entry_once(log_house: LogHouse) -> None:
    await filled(log_house)
    await log_house.log.append(key_event())
    counted = await asyncio.gather(*(activity.gather(log_house.database, ZONE, limit=15) for _ in range(4)))
    while more := await activity.gather(log_house.database, ZONE, limit=15):
        counted.append(more)
    assert sum(counted) == 41
    today = dt.datetime.now(ZONE).date()
    found = await activity.between(log_house.database, today - dt.timedelta(days=2), today + dt.timedelta(days=2))
    sums = Counter[tuple[str, str, str]]()
    for one in found:
        sums[one.group.action, one.group.client, one.group.officer] += one.count
    assert sums == {
        ("disclose", "aduan", ""): 36, ("consult", "", "P-0"): 2, ("consult", "", "P-2"): 2, ("key", "", "signer"): 1,
    }  # fmt: skip


async def test_key_uses_of_processes_add_up_and_nothing_is_told_twice(stores: dict[StoreName, Database]) -> None:
    counts = [Counter(service=2), Counter(service=1, staff=5)]
    processes = [KeyUses(stores["consent"], lambda own=own: own) for own in counts]  # type: ignore[misc]
    day = dt.date(2026, 11, 24)
    counts[0]["service"] += 3
    counts[1]["service"] += 4
    await asyncio.gather(*(process.flush(day) for process in processes for _ in range(2)))
    assert await processes[0].between(day, day) == {"2026-11-24": {"service": 7}}
    counts[1]["staff"] += 1
    await processes[1].flush(day + dt.timedelta(days=1))
    assert await processes[0].between(day, day + dt.timedelta(days=9)) == {"2026-11-24": {"service": 7}, "2026-11-25": {"staff": 1}}
