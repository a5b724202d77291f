"""law.md R14, UU 27/2022 Art. 11: what is frozen is not read from that moment on, whenever the log, or the process, goes away."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from consent.access_log.records import Denied, Entry, Guard, Receipt, Record, Subject
from consent.errors import LogUnavailable
from migrations import carried
from tests.support.consent import House, asking, card, house

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from keys.database import Database, StoreName

NAMES = frozenset({"name", "email"})


@pytest.fixture
async def home(stores: dict[StoreName, Database]) -> AsyncIterator[House]:
    async with house(stores) as found:
        yield found


async def outcomes(home: House, person: str) -> list[str]:
    return [str(one.record["outcome"]) for one in await home.consent.access_log.history(person, action="update")]


async def test_a_freeze_between_decision_and_commit_turns_the_read_into_a_denied_one(home: House) -> None:
    consent, person = home.consent, await home.person()
    await consent.ledger.give(asking(person), await home.purpose(), NAMES, card("name", "email", "phone_number"))
    (granted,) = await consent.ledger.of_person(person)
    decided = await consent.ledger.get(granted.id)
    assert decided is not None
    assert not decided.frozen
    read = Entry(Record(action="disclose", channel="userinfo", outcome="ok"), Subject(person, granted.id))
    guard = Guard(granted.id, decided.version)
    assert await consent.freezes.freeze(person)
    denied = await consent.access_log.append(read, guard)
    assert isinstance(denied, Denied)
    again = await consent.ledger.get(granted.id)
    assert (denied.reason, again is not None and again.frozen) == ("frozen", True)
    assert await consent.freezes.thaw(person)
    read = Entry(read.record, read.subject)
    assert isinstance(await consent.access_log.append(read, guard), Receipt), "the permission itself never changed"
    await consent.freezes.freeze(person)
    await consent.ledger.withdraw(granted.id)
    ended = await consent.access_log.append(Entry(read.record, read.subject), guard)
    assert isinstance(ended, Denied)
    assert ended.reason == "withdrawn", "what ended for good is said first"


async def test_freezing_twice_and_thawing_twice_at_once_is_one_entry_each(home: House) -> None:
    freezes, person = home.consent.freezes, await home.person()
    assert sorted(await asyncio.gather(*(freezes.freeze(person) for _ in range(3)))) == [False, False, True]
    assert sorted(await asyncio.gather(*(freezes.thaw(person) for _ in range(3)))) == [False, False, True]
    assert (await outcomes(home, person), await freezes.of(person)) == (["unfrozen", "frozen"], None)


async def test_a_freeze_holds_while_the_log_is_away_and_is_entered_once_when_it_is_back(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    freezes, log, person = home.consent.freezes, home.consent.access_log, await home.person()
    with monkeypatch.context() as patch:
        patch.setattr(log, "append", away)
        assert await freezes.freeze(person)
        with pytest.raises(LogUnavailable):
            await freezes.thaw(person)
        assert await freezes.flush() == 0
        frozen = await freezes.of(person)
        assert frozen is not None
        assert frozen.entered_at is None, "nothing was changed by a thaw that could not be entered"
    assert await outcomes(home, person) == []
    await asyncio.gather(*(freezes.flush() for _ in range(3)))
    (entry,) = await log.history(person)
    assert (entry.entry_id, entry.record["outcome"], "occurred" in entry.record) == (frozen.entry_id, "frozen", True)
    with monkeypatch.context() as patch:
        patch.setattr(log, "append", away)
        with pytest.raises(LogUnavailable):
            await freezes.thaw(person)
    assert await freezes.of(person) is not None


async def test_a_crash_between_the_freeze_and_its_entry_leaves_it_frozen_and_thawing_enters_both(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    freezes, person = home.consent.freezes, await home.person()
    with monkeypatch.context() as patch, contextlib.suppress(asyncio.CancelledError):
        patch.setattr(home.consent.access_log, "append", killed)
        await freezes.freeze(person)
    assert await freezes.of(person) is not None
    assert await freezes.thaw(person)
    assert await outcomes(home, person) == ["unfrozen", "frozen"]


async def test_an_upgrade_carries_freezes_from_the_store_that_held_them_before(stores: dict[StoreName, Database]) -> None:
    idp, consent = stores["idp"], stores["consent"]
    earlier = (
        "ALTER TABLE citizen_wishes ADD COLUMN frozen_at bigint",
        "INSERT INTO citizen_wishes (person, channel, digest, frozen_at) VALUES ('siti', 'all', true, 7), ('budi', 'all', true, NULL)",
        "UPDATE alembic_version SET version_num = '0014'",
    )
    async with idp.transaction() as transaction:
        for statement in earlier:
            await transaction.execute(sa.text(statement))
        await transaction.commit()
    assert (await carried.freezes(idp, consent), await carried.freezes(idp, consent)) == (1, 0)
    async with consent.read() as connection:
        kept = (await connection.execute(sa.text("SELECT person, frozen_at, entered_at FROM freezes"))).all()
    assert [tuple(row) for row in kept] == [("siti", 7, 7)]


async def away(*_: object, **__: object) -> None:
    raise LogUnavailable("away")


async def killed(*_: object, **__: object) -> None:
    raise asyncio.CancelledError
