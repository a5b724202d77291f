"""Delayed visibility (log.md, law.md R17): the second chain, orders in force, what is shown when, and what an operator cannot hide."""

from __future__ import annotations

import base64
import datetime as dt
import json
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from consent import history_file
from consent.access_log import AccessLog, LogOptions, Receipt
from consent.access_log.records import Delay
from consent.access_log.tables import entries
from consent.delays import Delays, Order, OrderState
from consent.errors import ChainClosed
from consent.own_history import OwnHistories
from consent.signer import verifier_source
from tests.support.log import ORIGIN, LogHouse, disclosure, erasure, key_event, log_house

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["log_house"]
NOW = dt.datetime(2026, 11, 24, 3, tzinfo=dt.UTC)
UNTIL = NOW + dt.timedelta(days=90)
DUE = UNTIL + dt.timedelta(seconds=1)


class Delayed:
    """A log with an order over what "polisi" does about p1; `now` is what the program's clock says."""

    def __init__(self, house: LogHouse) -> None:
        self.house, self.now = house, NOW
        self.orders = Delays(house.database, lambda: self.now)
        self.log = AccessLog(house.database, house.keys, LogOptions(orders=self.orders, clock=lambda: self.now, watch_seconds=0.1))

    async def order(self, number: str = "o1", until: dt.datetime = UNTIL) -> None:
        chain = (await self.house.keys.log_key("p1")).delayed
        await self.orders.put(Order(number, chain, "polisi", "law_enforcement", "KUHAP Pasal 38", until, "P-1", "P-2", NOW))

    async def read(self, client: str = "polisi", person: str = "p1") -> Receipt:
        receipt = await self.log.append(disclosure(person, client))
        assert isinstance(receipt, Receipt)
        return receipt

    async def shown(self) -> list[int]:
        return [entry.index for entry in await self.log.history("p1")]

    async def tamper(self, index: int, **values: object) -> None:
        postgresql = self.house.database.dialect == "postgresql"
        for trigger in ("no_update", "no_delete"):
            await self.house.execute(f"DROP TRIGGER IF EXISTS log_entries_{trigger}" + (" ON log_entries" if postgresql else ""))
        async with self.house.database.transaction() as transaction:
            await transaction.execute(sa.update(entries).where(entries.c.idx == index).values(**values))
            await transaction.commit()

    async def file(self) -> bytes:
        await self.house.signer.sign_once()
        await self.house.execute("UPDATE log_checkpoints SET time = time - 60000000")
        await self.house.signer.sign_once()
        source = verifier_source(ORIGIN, self.house.checkpoint_keys)
        own = await OwnHistories(self.house.database, self.house.keys, source, lambda: self.now).of("p1")
        assert own is not None
        return history_file.write(own.entries, own.checkpoint.note, own.key)


@pytest.fixture
async def delayed(log_house: LogHouse) -> AsyncIterator[Delayed]:
    found = Delayed(log_house)
    await found.log.start()
    yield found
    await found.log.stop()


async def test_what_an_order_delays_is_a_chain_of_its_own_shown_when_due_and_counted_only_then(delayed: Delayed) -> None:
    await delayed.order()
    await delayed.read("aduan")
    secret = [(await delayed.read()).index for _ in range(3)]
    await delayed.read("aduan")
    await delayed.read(person="p2")  # an order is about one person
    assert await delayed.shown() == [4, 0]
    log, since = delayed.log, NOW - dt.timedelta(days=400)
    assert (await log.usages("p1", frozenset({"disclose"}), None, None, limit=1, offset=1))[0] == 2
    assert dict(await log.reads_per_client("p1", since)) == {"aduan": 2}
    assert sum(count for _, count in await log.reads_per_month("p1")) == 2
    assert (await log.check_person("p1")).entries == 2
    assert [entry.index for entry in await log.history("p1", whole=True)] == [4, 3, 2, 1, 0]
    verdict, accounts = await delayed.house.verify_live()
    assert (verdict.problems, accounts.about_persons, accounts.unopenable) == ((), 6, 0)
    delayed.now = DUE
    assert await delayed.shown() == [4, *secret[::-1], 0]
    assert await log.withheld("p1", NOW, DUE) == 3
    assert dict(await log.reads_per_client("p1", since)) == {"polisi": 3, "aduan": 2}
    number, found = await log.usages("p1", frozenset({"disclose"}), None, None, limit=2, offset=1)
    assert (number, [entry.index for entry in found]) == (5, [3, 2])
    assert [entry.index for entry in await log.history("p1", client="polisi", limit=2, before=3)] == [2, 1]
    entry = (await log.history("p1", client="polisi"))[-1]
    said = {"code": "law_enforcement", "legal_ref": "KUHAP Pasal 38", "until": "2027-02-22T03:00:00.000000Z"}
    assert entry.delay == said | {"by": "P-1", "confirmed_by": "P-2"}
    assert (entry.n, entry.subject["order"]) == (0, "o1")
    assert ((await log.check_person("p1")).whole, (await log.check_person("p1")).entries) == (True, 5)


async def test_the_longest_of_two_orders_holds_and_an_ended_or_past_one_delays_nothing(delayed: Delayed) -> None:
    await delayed.order()
    await delayed.order("o2", NOW + dt.timedelta(days=10))
    assert (await delayed.log.history("p1", whole=True)) == []
    await delayed.read()
    (entry,) = await delayed.log.history("p1", whole=True)
    assert entry.subject["order"] == "o1"
    assert await delayed.orders.end("o1", "P-3") is not None
    assert await delayed.orders.end("o1", "P-3") is None
    delayed.now += dt.timedelta(days=11)
    await delayed.read()
    assert await delayed.shown() == [1]  # what was written stays as its record says
    states = {order.id: order.state(delayed.now) for order in await delayed.orders.newest()}
    assert states == {"o1": OrderState.ENDED, "o2": OrderState.OVER}
    other = Delays(delayed.house.database, lambda: NOW)
    await delayed.order("o3")
    assert await other.over("polisi", (await delayed.house.keys.log_key("p1")).delayed) is not None  # a process that just began


async def test_a_file_leaves_out_what_is_not_due_betrays_nothing_of_it_and_verifies(delayed: Delayed) -> None:
    """What is due may stand behind what is not: its number and the commitment before it would tell of that one, and where it stands."""
    await delayed.order("o1", UNTIL)
    hidden = (await delayed.read()).leaf[1:33]
    assert await delayed.orders.end("o1", "P-3")
    await delayed.order("o2", NOW + dt.timedelta(days=10))
    for client in ("aduan", "polisi", "aduan", "polisi"):
        await delayed.read(client)
    for moment, count in ((NOW, 2), (NOW + dt.timedelta(days=11), 4), (DUE, 5)):
        delayed.now = moment
        written = await delayed.file()
        verdict = history_file.verify(written, delayed.house.key)
        assert (verdict.problem, verdict.entries, verdict.first) == (None, count, 0)
        withheld = [one for one in json.loads(written)["entries"] if one["record"]["visibility"] == "delayed"]
        assert len(withheld) == count - 2
        assert not any({"subject", "nonce_s"} & set(one) for one in withheld)
        assert moment == DUE or base64.b64encode(hidden) not in written
        edited = written.replace(b"KUHAP Pasal 38", b"KUHAP Pasal 39")
        assert edited == written or not history_file.verify(edited, delayed.house.key).holds


@pytest.mark.parametrize("due", [False, True])
async def test_an_operator_who_hides_or_shifts_what_is_delayed_is_found(delayed: Delayed, *, due: bool) -> None:
    await delayed.order()
    await delayed.read("aduan")
    for _ in range(3):
        await delayed.read()
    async with delayed.house.database.read() as connection:
        record = (await connection.execute(sa.select(entries.c.record).where(entries.c.idx == 2))).scalar_one()
    delayed.now = DUE if due else NOW
    await delayed.tamper(2, record=record.replace(b"2027", b"2099"))
    assert 2 in await delayed.shown()  # the record decides, and this is none that was recorded
    check = await delayed.log.check_person("p1")
    assert not check.whole
    await delayed.tamper(2, record=record)
    assert (await delayed.log.check_person("p1")).whole
    key = await delayed.house.keys.log_key("p1")
    for index, reference in ((2, None), (3, None), (0, key.delayed), (2, key.reference)):
        async with delayed.house.database.read() as connection:
            before = (await connection.execute(sa.select(entries.c.subject_ref).where(entries.c.idx == index))).scalar_one()
        await delayed.tamper(index, subject_ref=reference)
        check = await delayed.log.check_person("p1")
        assert not check.whole, (index, reference)
        assert due or check.index in {None, 0, 2}
        assert not (await delayed.house.verify_live())[0].holds
        await delayed.tamper(index, subject_ref=before)


async def test_erasing_closes_both_chains_and_the_second_takes_nothing_afterwards(delayed: Delayed) -> None:
    await delayed.order()
    await delayed.read("aduan")
    await delayed.read()
    await delayed.read()
    assert await delayed.log.standing("p1", second=True) == (True, None)
    first = await delayed.log.append(erasure("p1"))
    with pytest.raises(ChainClosed):
        await delayed.read()
    entry = erasure("p1")
    second = await delayed.log.append(type(entry)(entry.record._replace(visibility="delayed"), entry.subject))
    assert [(await delayed.log.closing("p1", second=late)).count for late in (False, True)] == [2, 3]
    assert await delayed.log.standing("p1", second=True) == (True, second.index)
    await delayed.orders.forget((await delayed.house.keys.log_key("p1")).delayed)
    delayed.house.keys.destroyed.add("p1")
    assert [await delayed.log.forget(receipt.index) for receipt in (first, second)] == [2, 3]
    verdict, accounts = await delayed.house.verify_live()
    assert (verdict.problems, accounts.unopenable, accounts.stated) == ((), 5, 5)
    await delayed.house.signer.sign_once()
    assert (await delayed.house.export_and_verify()).problems == ()
    assert [order.chain for order in await delayed.orders.newest()] == [None]


async def test_nobody_who_was_erased_before_gets_a_second_chain(delayed: Delayed) -> None:
    await delayed.order()
    await delayed.read("aduan")
    await delayed.log.append(erasure("p1"))
    with pytest.raises(ChainClosed):
        await delayed.read()
    assert await delayed.log.standing("p1", second=True) == (False, None)


async def test_an_export_names_what_is_delayed_without_a_law(delayed: Delayed) -> None:
    entry = disclosure()
    await delayed.log.append(key_event())
    await delayed.log.append(type(entry)(entry.record._replace(visibility="delayed"), entry.subject))
    right = Delay("defence", "UU 34/2004", UNTIL, "P-1")
    await delayed.log.append(type(entry)(entry.record._replace(visibility="delayed", delay=right), entry.subject))
    await delayed.house.signer.sign_once()
    verdict = await delayed.house.export_and_verify()
    assert [(problem.index, "by which law" in problem.what) for problem in verdict.problems] == [(1, True)]
