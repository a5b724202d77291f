"""log.md, "blank one subject and call it erased": the journal outside the database is part of the accounting of what does not open."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from consent.access_log import Entry, Receipt, Record
from consent.access_log.tables import chains, entries
from consent.errors import ChainDoubtful
from keys.log_subjects import LogKey
from tests.support.log import LogHouse, disclosure, erasure, log_house

if TYPE_CHECKING:
    from consent.access_log.forgetting import Closing

__all__ = ["log_house"]
NEWEST, PERSONS = 29, 3


@pytest.fixture
async def house(log_house: LogHouse) -> LogHouse:
    """A log of thirty entries of three people, whose triggers an operator dropped."""
    await asyncio.gather(*(log_house.log.append(disclosure(f"p{i % PERSONS}")) for i in range(NEWEST + 1)))
    postgresql = log_house.database.dialect == "postgresql"
    for trigger in ("no_update", "no_delete"):
        await log_house.execute(f"DROP TRIGGER log_entries_{trigger}" + (" ON log_entries" if postgresql else ""))
    return log_house


async def change(house: LogHouse, *statements: sa.Executable) -> None:
    async with house.database.transaction() as transaction:
        for statement in statements:
            await transaction.execute(statement)
        await transaction.commit()


async def reference(house: LogHouse, person: str) -> bytes:
    return (await house.keys.log_key(person)).reference


async def erase(house: LogHouse, person: str) -> tuple[int, Closing]:
    """Erase as the program does; give what it writes into the journal."""
    receipt = await house.log.append(erasure(person))
    assert isinstance(receipt, Receipt)
    closing = await house.log.closing(person)
    house.keys.destroyed.add(person)
    await house.log.forget(receipt.index)
    return receipt.index, closing


async def problems(house: LogHouse, journal: dict[int, int | None]) -> list[str]:
    async def read() -> dict[int, int | None]:
        return journal

    return [str(problem) for problem in (await house.verify_live(read))[0].problems]


def blank(index: int) -> sa.Executable:
    return sa.update(entries).where(entries.c.idx == index).values(subject_ref=None, subject_sealed=None)


def shift(reference: bytes, by: int) -> sa.Executable:
    return sa.update(chains).where(chains.c.subject_ref == reference).values(length=chains.c.length + by)


async def test_a_true_erasure_is_in_the_log_and_in_the_journal(house: LogHouse) -> None:
    index, closing = await erase(house, "p1")
    assert closing.count == 11
    assert await problems(house, {index: closing.count}) == []
    assert await problems(house, {index: None}) == []  # a line of the journal may not know the number


async def test_a_newest_entry_blanked_and_balanced_by_a_false_erase_entry_is_named(house: LogHouse) -> None:
    """The attack: nothing in the database contradicts it, the accounting balances, and only the journal knows nobody was erased."""
    await house.log.append(disclosure("ghost"))  # a chain of the operator's own making
    await change(house, blank(NEWEST), shift(await reference(house, "p2"), -1), shift(await reference(house, "ghost"), 1))
    index, closing = await erase(house, "ghost")
    assert closing.count == 2
    verdict, accounts = await house.verify_live()
    assert (verdict.holds, accounts.unopenable, accounts.stated) == (True, 3, 3)
    assert await problems(house, {}) == [f"entry {index}: it states 3 entries as erased, but the erasure journal does not know it"]


async def test_a_true_erasure_made_to_state_one_entry_too_many_is_named(house: LogHouse) -> None:
    await change(house, blank(NEWEST), shift(await reference(house, "p2"), -1), shift(await reference(house, "p1"), 1))
    index, closing = await erase(house, "p1")
    verdict, accounts = await house.verify_live()
    assert (verdict.holds, accounts.unopenable, accounts.stated) == (True, 12, 12)
    said = await problems(house, {index: closing.count})
    assert said == [f"entry {index}: it states 12 entries as erased, the erasure journal 11"]


async def test_a_false_retention_entry_is_named(house: LogHouse) -> None:
    await change(house, blank(NEWEST), shift(await reference(house, "p2"), -1))
    receipt = await house.log.append(Entry(Record(action="retention", channel="background", outcome="done", count=1)))
    assert isinstance(receipt, Receipt)
    assert (await house.verify_live())[0].holds
    assert "the erasure journal does not know it" in (await problems(house, {}))[0]


async def test_an_erase_entry_that_the_journal_knows_and_the_log_does_not_is_named(house: LogHouse) -> None:
    assert await problems(house, {4: 3}) == ["entry 4: the erasure journal knows it as an erase entry, which it is not"]
    assert await problems(house, {NEWEST + 1: 3}) == []  # written after this look began


async def test_a_restored_chain_whose_key_is_gone_is_closed_by_an_entry_about_nobody(house: LogHouse) -> None:
    house.keys.destroyed.add("p1")  # as after: erased, then the log alone restored from before
    assert not (await house.verify_live())[0].holds
    record = Record(action="erase", channel="staff", outcome="ok")
    closed = await house.log.close_orphan(await reference_of_destroyed(house, "p1"), record, at_most=11)
    assert closed == (NEWEST + 1, 10)
    assert await problems(house, {NEWEST + 1: 10}) == []
    assert await house.log.forget(NEWEST + 1) == 10
    assert await problems(house, {NEWEST + 1: 10}) == []
    assert await house.log.close_orphan(await reference_of_destroyed(house, "p1"), record, at_most=11) is None


async def test_a_restored_chain_that_is_not_what_the_journal_remembers_is_not_closed(house: LogHouse) -> None:
    house.keys.destroyed.add("p1")
    theirs, record = await reference_of_destroyed(house, "p1"), Record(action="erase", channel="staff", outcome="ok")
    with pytest.raises(ChainDoubtful, match="the journal remembers 9"):
        await house.log.close_orphan(theirs, record, at_most=9)
    await change(house, sa.update(entries).where(entries.c.idx == NEWEST).values(subject_ref=theirs))  # somebody else's entry slipped in
    with pytest.raises(ChainDoubtful, match="has 11 entries, its row says 10"):
        await house.log.close_orphan(theirs, record, at_most=11)


async def reference_of_destroyed(house: LogHouse, person: str) -> bytes:
    return LogKey(house.keys.known[person]).reference
