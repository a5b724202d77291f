"""law.md R16: a complaint has a number, 72 running hours, one answer; it goes on by itself, and nothing of it outlives the account."""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from idp.complaints.records import HOURS, Complaint, ComplaintState, NewComplaint
from idp.complaints.store import ComplaintStore
from keys.opaque import new_id

if TYPE_CHECKING:
    from keys.database import Database, StoreName

NOW = dt.datetime(2026, 11, 24, 2, tzinfo=dt.UTC)
SITI, BUDI = "s" * 22, "b" * 22


@pytest.fixture
def complaints(stores: dict[StoreName, Database]) -> ComplaintStore:
    return ComplaintStore(stores["idp"])


async def sent(store: ComplaintStore, person: str = SITI, entry: str = "e", now: dt.datetime = NOW, agency: str = "dinkes") -> Complaint:
    made, new = await store.submit(NewComplaint(new_id(), person, entry.ljust(22, "."), agency, b"cell"), now, now.year)
    assert new
    return made


async def test_numbers_count_by_the_year_and_the_answer_is_due_after_72_running_hours(complaints: ComplaintStore) -> None:
    first, second = await sent(complaints, entry="1"), await sent(complaints, entry="2")
    later = await sent(complaints, entry="3", now=NOW.replace(year=2027))
    assert [one.number for one in (first, second, later)] == ["ADU-2026-000001", "ADU-2026-000002", "ADU-2027-000001"]
    assert (first.state, first.due_at - first.created_at) == (ComplaintState.RECEIVED, dt.timedelta(hours=72))
    assert await complaints.by_number("ADU-2026-000002") == second
    assert next(one.number for one in await complaints.of_person(SITI)) == later.number


async def test_one_entry_has_one_complaint_however_often_and_at_once_it_is_sent(complaints: ComplaintStore) -> None:
    new = [NewComplaint(new_id(), SITI, "e" * 22, None, b"cell") for _ in range(8)]
    results = await asyncio.gather(*(complaints.submit(one, NOW, 2026) for one in new))
    assert sum(made for _, made in results) == 1
    assert {one.id for one, _ in results} == {next(one.id for one, made in results if made)}
    other, made = await complaints.submit(NewComplaint(new_id(), BUDI, "e" * 22, None, b"cell"), NOW, 2026)
    assert (made, other.number) == (True, "ADU-2026-000002")


async def test_an_answer_is_given_once_by_whoever_is_first_and_by_the_state_that_was_seen(complaints: ComplaintStore) -> None:
    made = await sent(complaints)
    answers = await asyncio.gather(*(complaints.answer(made, b"%d" % n, NOW, f"P-{n}") for n in range(5)))
    (answered,) = [one for one in answers if one]
    assert (answered.state, answered.final, answered.may_escalate) == (ComplaintState.ANSWERED, False, True)
    assert await complaints.answer(answered, b"again", NOW, "P") is None
    passed = await complaints.escalate(made.id, NOW + dt.timedelta(days=9))
    assert passed
    assert (passed.state, passed.by_clock, passed.due_at) == (ComplaintState.ESCALATED, False, NOW + dt.timedelta(days=9) + HOURS)
    assert await complaints.answer(made, b"late", NOW, "officer") is None  # as it was seen before it went on
    last = await complaints.answer(passed, b"end", NOW, "dpo")
    assert last
    assert (last.final, last.may_escalate, await complaints.escalate(made.id, NOW)) == (True, False, None)


async def test_what_nobody_answers_goes_on_once_when_its_time_is_over(complaints: ComplaintStore) -> None:
    made, other = await sent(complaints, entry="1"), await sent(complaints, entry="2")
    await complaints.answer(other, b"a", NOW, "P")
    assert await complaints.escalate_due(made.due_at - dt.timedelta(seconds=1), 10) == 0
    went = await asyncio.gather(*(complaints.escalate_due(made.due_at, 10) for _ in range(4)))
    assert sum(went) == 1
    found = await complaints.get(made.id)
    assert found
    assert (found.state, found.by_clock) == (ComplaintState.ESCALATED, True)
    assert [one.number for one in await complaints.list(ComplaintState.ESCALATED)] == [made.number]
    assert await complaints.list(ComplaintState.ESCALATED, agency="kominfo") == []


async def test_erasing_takes_person_entry_and_texts_and_leaves_the_count(complaints: ComplaintStore) -> None:
    made = await sent(complaints)
    answered = await complaints.answer(made, b"a", NOW + dt.timedelta(hours=4), "P")
    assert answered
    await sent(complaints, BUDI, now=NOW)
    await complaints.erase(SITI, NOW + dt.timedelta(hours=5))
    gone = await complaints.get(made.id)
    assert gone == replace(answered, person=None, entry_id=None, text=None, answer=None)
    assert (await complaints.of_person(SITI), [one.person for one in await complaints.list()]) == ([], [BUDI])
    assert (await complaints.escalate(made.id, NOW), await complaints.escalate_due(NOW + 2 * HOURS, 9)) == (None, 1)
    numbers = await complaints.statistics(NOW + dt.timedelta(days=30))
    assert (numbers.received, numbers.answered, numbers.escalated, numbers.late) == (2, 1, 1, 1)
    assert numbers.median == dt.timedelta(hours=4)
    assert (await complaints.statistics(NOW + dt.timedelta(days=800))).median is None
    before = await complaints.statistics(NOW + dt.timedelta(hours=3))  # as it stood then: nothing was answered, nothing went on
    assert (before.received, before.answered, before.escalated, before.late, before.median) == (2, 0, 0, 0, None)
    assert (await complaints.statistics(NOW - dt.timedelta(hours=1))).received == 0


async def test_what_was_open_when_its_account_was_erased_is_closed_and_never_becomes_late(complaints: ComplaintStore) -> None:
    fresh, late = await sent(complaints, entry="1"), await sent(complaints, entry="2", now=NOW - 2 * HOURS)
    await complaints.erase(SITI, NOW + dt.timedelta(hours=1))
    for one in (fresh, late):
        found = await complaints.get(one.id)
        assert found
        assert (found.state, found.open, found.may_escalate) == (ComplaintState.CLOSED, False, False)
    before, after = await complaints.statistics(NOW), await complaints.statistics(NOW + dt.timedelta(days=90))
    assert (before.received, before.closed, before.late) == (2, 0, 1)
    assert (after.received, after.answered, after.closed, after.late) == (2, 0, 2, 1), "late is only what was late when it was closed"


async def test_what_follows_is_committed_with_the_change_or_not_at_all(complaints: ComplaintStore) -> None:
    def fails(_: Complaint) -> list[object]:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await complaints.submit(NewComplaint(new_id(), SITI, "e" * 22, None, b"cell"), NOW, 2026, fails)  # type: ignore[arg-type]
    assert await complaints.of_person(SITI) == []
    made = await sent(complaints)
    assert made.number == "ADU-2026-000001"
    with pytest.raises(RuntimeError):
        await complaints.answer(made, b"a", NOW, "P", fails)  # type: ignore[arg-type]
    assert await complaints.get(made.id) == made
