"""The access log on both databases: what is appended is there, in order, chained, and in the tree; what fails, fails closed."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError

from consent.access_log import Denied, Guard, Receipt, Record
from consent.access_log.forgetting import NotErased
from consent.access_log.records import Entry
from consent.errors import ChainClosed, LogBusy, LogUnavailable, ReceiptRefused
from keys.errors import ConnectionHeld
from tests.support.log import LogHouse, disclosure, erasure, key_event, log_house

if TYPE_CHECKING:
    from sqlalchemy.sql.base import Executable

__all__ = ["log_house"]


async def appended(house: LogHouse, entry: Entry, guard: Guard | None = None, companion: tuple[Executable, ...] = ()) -> Receipt:
    receipt = await house.log.append(entry, guard, companion)
    assert isinstance(receipt, Receipt)
    return receipt


async def test_an_entry_is_in_the_history_when_its_receipt_is_there(log_house: LogHouse) -> None:
    entry = disclosure()
    receipt = await appended(log_house, entry)
    (found,) = await log_house.log.history("p1")
    assert (found.index, found.entry_id, found.n, found.time) == (receipt.index, entry.entry_id, 0, receipt.time)
    assert (found.client, found.claims, found.grant, found.problem) == ("aduan", ("email", "name"), "g1", None)
    assert (receipt.person, receipt.claims) == ("p1", frozenset({"email", "name"}))


async def test_indices_are_contiguous_and_chains_whole_over_many_batches(log_house: LogHouse) -> None:
    receipts = await asyncio.gather(*(appended(log_house, disclosure(f"p{i % 7}")) for i in range(1300)))
    assert sorted(receipt.index for receipt in receipts) == list(range(1300))
    for person in range(7):
        check = await log_house.log.check_person(f"p{person}")
        assert (check.whole, check.problem, check.tree_size) == (True, None, 1300)
    verdict, accounts = await log_house.verify_live()
    assert verdict.holds, verdict.problems
    assert (accounts.about_persons, accounts.unopenable) == (1300, 0)


async def test_entries_about_nobody_and_somebody_mix(log_house: LogHouse) -> None:
    await asyncio.gather(*(log_house.log.append(key_event() if i % 3 else disclosure()) for i in range(30)))
    verdict, accounts = await log_house.verify_live()
    assert verdict.holds, verdict.problems
    assert (accounts.about_persons, accounts.about_nobody) == (10, 20)


async def test_a_history_is_paged_and_filtered(log_house: LogHouse) -> None:
    for number in range(6):
        await appended(log_house, disclosure(client="antrean" if number % 2 else "aduan"))
    await appended(log_house, Entry(Record(action="consult", channel="counter", outcome="ok"), disclosure().subject))
    history = log_house.log.history
    assert [entry.n for entry in await history("p1", limit=3)] == [6, 5, 4]
    assert [entry.n for entry in await history("p1", before=4)] == [3, 2, 1, 0]
    assert [entry.n for entry in await history("p1", client="antrean")] == [5, 3, 1]
    assert [entry.n for entry in await history("p1", action="consult")] == [6]
    newest = (await history("p1"))[0].time
    assert not await history("p1", until=(await history("p1"))[-1].time)
    assert len(await history("p1", since=newest + dt.timedelta(seconds=1))) == 0
    last = await log_house.log.last_read("p1")
    assert last is not None
    assert last.n == 5
    assert await log_house.log.last_read("p2") is None
    months = await log_house.log.reads_per_month("p1", 3)
    assert [count for _, count in months] == [0, 0, 6]
    assert months[-1][0] == f"{newest:%Y-%m}"
    by_client = await log_house.log.reads_per_client("p1", newest - dt.timedelta(days=1))
    assert sorted(by_client, key=lambda item: -item[1]) == list(by_client)
    assert sum(count for _, count in by_client) == 6
    assert dict(by_client)["antrean"] == 3
    assert await log_house.log.reads_per_client("p1", newest + dt.timedelta(seconds=1)) == []


async def test_a_guard_that_still_holds_lets_the_entry_be(log_house: LogHouse) -> None:
    await log_house.give()
    assert isinstance(await log_house.log.append(disclosure(), Guard("g1", 1)), Receipt)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("UPDATE grants SET state = 'withdrawn', version = 2", "withdrawn"),
        ("UPDATE grants SET version = 2", "changed"),
        ("UPDATE grants SET expires_at = 1", "expired"),
        ("UPDATE grants SET person = 'p2'", "missing"),
        ("DELETE FROM grants", "missing"),
        ("INSERT INTO freezes (person, entry_id, frozen_at) VALUES ('p1', 'f1', 1)", "frozen"),
    ],
)
async def test_consent_that_changed_meanwhile_turns_the_entry_into_a_denied_one(log_house: LogHouse, change: str, reason: str) -> None:
    await log_house.give()
    await log_house.execute(change)
    denied = await log_house.log.append(disclosure(), Guard("g1", 1))
    assert isinstance(denied, Denied)
    assert denied.reason == reason
    (entry,) = await log_house.log.history("p1")
    assert (entry.action, entry.record["outcome"], entry.entry_id, entry.problem) == ("denied", reason, denied.entry_id, None)
    assert await log_house.log.last_read("p1") is None


async def test_a_withdrawal_is_felt_by_the_reads_after_it_in_the_same_batch(log_house: LogHouse) -> None:
    await log_house.give()
    withdraw = sa.text("UPDATE grants SET state = 'withdrawn', version = 2 WHERE id = 'g1'")
    event = Entry(Record(action="consent", channel="page", outcome="withdrawn"), disclosure().subject)
    results = await asyncio.gather(
        log_house.log.append(disclosure(), Guard("g1", 1)),
        log_house.log.append(event, Guard("g1", 1), [withdraw]),
        log_house.log.append(disclosure(), Guard("g1", 1)),
    )
    assert [type(result) for result in results] == [Receipt, Receipt, Denied]
    times = {entry.time for entry in await log_house.log.history("p1")}
    assert len(times) == 1, "the three were in one batch"


async def test_a_companion_is_committed_with_its_entry(log_house: LogHouse) -> None:
    await log_house.give()
    change = sa.text("UPDATE grants SET version = 7 WHERE id = 'g1'")
    await appended(log_house, disclosure(), None, (change,))
    assert isinstance(await log_house.log.append(disclosure(), Guard("g1", 7)), Receipt)


async def test_a_companion_that_fails_takes_only_its_own_entry_with_it(log_house: LogHouse) -> None:
    await log_house.give()
    first = sa.text("UPDATE grants SET version = 9 WHERE id = 'g1'")
    twice = sa.text("INSERT INTO grants SELECT * FROM grants WHERE id = 'g1'")
    results = await asyncio.gather(
        log_house.log.append(disclosure("p1")),
        log_house.log.append(disclosure("p2"), None, [first, twice]),
        log_house.log.append(disclosure("p3")),
        return_exceptions=True,
    )
    assert isinstance(results[1], IntegrityError)
    assert [r.index for r in results if isinstance(r, Receipt)] == [0, 1]
    assert not await log_house.log.history("p2")
    assert isinstance(await log_house.log.append(disclosure(), Guard("g1", 1)), Receipt), "the first companion was undone too"


async def test_a_caller_that_leaves_does_not_disturb_its_neighbours(log_house: LogHouse) -> None:
    tasks = [asyncio.create_task(log_house.log.append(disclosure(f"p{i}"))) for i in range(20)]
    await asyncio.sleep(0)
    tasks[3].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(results[3], asyncio.CancelledError)
    assert all(isinstance(result, Receipt) for number, result in enumerate(results) if number != 3)
    verdict, _ = await log_house.verify_live()
    assert verdict.holds, verdict.problems


async def test_too_many_that_wait_are_told_when_to_come_back(log_house: LogHouse) -> None:
    busy = log_house.process(limit=10)
    await busy.start()
    results = await asyncio.gather(*(busy.append(disclosure()) for _ in range(30)), return_exceptions=True)
    refused = [result for result in results if isinstance(result, LogBusy)]
    assert len(refused) == 20
    assert refused[0].retry_after > 0
    await busy.stop()


async def test_stopping_commits_what_waits_and_accepts_nothing_more(log_house: LogHouse) -> None:
    waiting = asyncio.gather(*(log_house.log.append(disclosure()) for _ in range(600)))
    await asyncio.sleep(0.01)
    await log_house.log.stop()
    assert len(await waiting) == 600
    with pytest.raises(LogUnavailable):
        await log_house.log.append(disclosure())


async def test_a_log_that_was_not_started_accepts_nothing(log_house: LogHouse) -> None:
    with pytest.raises(LogUnavailable):
        await log_house.process().append(disclosure())


async def test_nobody_waits_for_the_log_holding_a_connection(log_house: LogHouse) -> None:
    async with log_house.database.read():
        with pytest.raises(ConnectionHeld):
            await log_house.log.append(disclosure())


async def test_a_receipt_is_good_once_for_its_person_and_claims_and_ten_seconds(
    log_house: LogHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    receipt = await appended(log_house, disclosure())
    receipt.spend("p1", ["email"])
    with pytest.raises(ReceiptRefused, match="used before"):
        receipt.spend("p1", ["email"])
    with pytest.raises(ReceiptRefused, match="something else"):
        (await appended(log_house, disclosure())).spend("p2", ["email"])
    with pytest.raises(ReceiptRefused, match="something else"):
        (await appended(log_house, disclosure())).spend("p1", ["nik"])
    old = await appended(log_house, disclosure())
    monkeypatch.setattr("consent.access_log.records.clock.monotonic", lambda: old.issued + 10.1)
    with pytest.raises(ReceiptRefused, match="too old"):
        old.spend("p1", ["email"])
    with pytest.raises(ReceiptRefused, match="only the access log"):
        Receipt(old.entry_id, old.index, old.leaf, old.time, "p1", old.claims, 0.0)


async def test_an_erase_entry_states_the_length_of_the_chain_and_closes_it(log_house: LogHouse) -> None:
    for _ in range(3):
        await appended(log_house, disclosure())
    closing = await appended(log_house, erasure("p1"))
    (entry, *_) = await log_house.log.history("p1")
    assert (entry.index, entry.record["count"]) == (closing.index, 4)
    with pytest.raises(ChainClosed):
        await log_house.log.append(disclosure())
    assert isinstance(await log_house.log.append(disclosure("p2")), Receipt)
    verdict, _ = await log_house.verify_live()
    assert verdict.holds, verdict.problems


async def test_after_an_erasure_the_log_verifies_though_nobody_can_tell_whose_entries_these_were(log_house: LogHouse) -> None:
    for number in range(12):
        await appended(log_house, disclosure("p1" if number % 3 else "p2"))
    closing = await appended(log_house, erasure("p1"))
    log_house.keys.destroyed.add("p1")
    assert await log_house.log.forget(closing.index) == 9
    with pytest.raises(ChainClosed):
        await log_house.log.append(disclosure("p1"))
    with pytest.raises(ChainClosed):
        await log_house.log.history("p1")
    async with log_house.database.read() as connection:
        left = await connection.execute(sa.text("SELECT count(*) FROM log_entries WHERE subject_ref IS NULL AND subject_sealed IS NULL"))
        assert left.scalar_one() == 9
    verdict, accounts = await log_house.verify_live()
    assert verdict.holds, verdict.problems
    assert (accounts.unopenable, accounts.stated) == (9, 9)
    await log_house.signer.sign_once()
    assert (await log_house.export_and_verify()).holds


async def test_only_the_index_of_an_erase_entry_lets_subjects_be_forgotten(log_house: LogHouse) -> None:
    receipt = await appended(log_house, disclosure())
    with pytest.raises(NotErased):
        await log_house.log.forget(receipt.index)
    with pytest.raises(NotErased):
        await log_house.log.forget(99)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE log_entries SET record = nonce_a",
        "UPDATE log_entries SET subject_ref = NULL, subject_sealed = NULL",
        "UPDATE log_entries SET leaf = nonce_a, subject_ref = NULL, subject_sealed = NULL",
        "DELETE FROM log_entries",
        "UPDATE log_tiles SET root = hashes",
        "DELETE FROM log_tiles",
        "UPDATE log_bundles SET n = n + 1",
        "DELETE FROM log_bundles",
    ],
)
async def test_the_database_itself_refuses_to_change_the_log(log_house: LogHouse, statement: str) -> None:
    await asyncio.gather(*(log_house.log.append(disclosure()) for _ in range(256)))
    with pytest.raises(DBAPIError, match="only grows"):
        await log_house.execute(statement)


async def test_an_index_is_refused_by_the_function_that_forgets_unless_it_closes_a_chain(log_house: LogHouse) -> None:
    await appended(log_house, disclosure())
    if log_house.database.dialect == "postgresql":
        with pytest.raises(DBAPIError, match="not the erase entry"):
            await log_house.execute("SELECT log_forget(0)")
        with pytest.raises(DBAPIError, match="only grows"):
            await log_house.execute("TRUNCATE log_entries")
    else:
        await log_house.execute("UPDATE log_chains SET closed_by = NULL")
        with pytest.raises(DBAPIError, match="becomes NULL"):
            await log_house.execute("UPDATE log_entries SET subject_ref = NULL, subject_sealed = NULL")


async def test_a_chain_pointed_at_the_erase_entry_of_another_is_not_forgotten(log_house: LogHouse) -> None:
    """The attack of whoever may move positions: blank a victim's history by somebody else's true erasure."""
    await appended(log_house, disclosure("victim"))
    closing = await appended(log_house, erasure("p1"))
    await log_house.execute(f"UPDATE log_chains SET closed_by = {closing.index}")
    assert await log_house.log.forget(closing.index) == 1  # of p1 alone
    if log_house.database.dialect == "sqlite":
        with pytest.raises(DBAPIError, match="becomes NULL"):
            await log_house.execute("UPDATE log_entries SET subject_ref = NULL, subject_sealed = NULL WHERE idx = 0")
    assert await log_house.log.forget(closing.index) == 0  # again, as after a crash
    assert [entry.index for entry in await log_house.log.history("victim")] == [0]


async def test_a_clock_a_little_behind_gives_the_newest_entrys_time_and_one_far_behind_is_refused(log_house: LogHouse) -> None:
    first = await appended(log_house, disclosure())
    await log_house.execute("UPDATE log_head SET last_time = last_time + 3000000")
    second = await appended(log_house, disclosure())
    assert second.time == first.time + dt.timedelta(seconds=3)
    await log_house.execute("UPDATE log_head SET last_time = last_time + 3600000000")
    with pytest.raises(LogUnavailable, match="clock is behind"):
        await log_house.log.append(disclosure())
    await log_house.execute("UPDATE log_head SET last_time = last_time - 3600000000")
    assert (await appended(log_house, disclosure())).index == 2
