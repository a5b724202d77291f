"""The consent ledger: every answer is an entry of the log with its rows, taking back works at once, no event is ever changed.

Receipts are after ISO/IEC TS 27560.
"""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from consent.errors import GrantMoved, LogUnavailable
from consent.records import EventKind, GrantState
from tests.support.consent import House, asking, card, house

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from consent.records import Given
    from keys.database import Database, StoreName

OFFERED = ("name", "email", "phone_number")
REQUIRED = frozenset({"name", "email"})


@pytest.fixture
async def home(stores: dict[StoreName, Database]) -> AsyncIterator[House]:
    async with house(stores) as found:
        yield found


async def given(home: House, person: str, claims: frozenset[str] = REQUIRED) -> Given:
    return await home.consent.ledger.give(asking(person), await home.purpose(), claims, card(*OFFERED))


async def kinds(home: House, grant: str) -> list[EventKind]:
    return [event.kind for event in await home.consent.ledger.events(grant)]


async def logged(home: House, person: str) -> list[str]:
    await home.settled()
    return [str(entry.record["outcome"]) for entry in await home.consent.access_log.history(person, action="consent")]


async def test_a_permission_is_a_grant_an_entry_and_a_receipt(home: House) -> None:
    person = await home.person()
    result = await given(home, person)
    found = await home.consent.ledger.find(person, "aduan-app", "aduan")
    assert found == result.grant
    assert found.state is GrantState.ACTIVE
    assert found.claims == REQUIRED
    assert found.offered == frozenset(OFFERED)
    assert await kinds(home, found.id) == [EventKind.REQUESTED, EventKind.GIVEN]
    entry = next(entry for entry in await home.consent.access_log.history(person) if entry.entry_id == result.entry_id)
    assert entry.grant == found.id
    assert entry.record["claims"] == sorted(REQUIRED)
    assert entry.record["purpose"] == {"declaration": "aduan", "version": 1}


async def test_a_receipt_proves_what_was_allowed_and_holds_no_value_and_no_name_of_the_person(home: House) -> None:
    person = await home.person()
    result = await given(home, person)
    assert await home.consent.ledger.receipt_of(result.grant.id) == result.receipt
    content = await home.consent.receipts.verify(result.receipt)
    assert content["record_id"] == result.grant.id
    assert content["jti"] == result.entry_id
    assert content["notice"]["text_hash"] == "ab" * 32
    assert content["data_protection_officer"] == "dpo@kota.example"
    told = {kind["type"]: kind["allowed"] for kind in content["purposes"][0]["pii_information"]}
    assert told == {"name": True, "email": True, "phone_number": False}
    assert person not in str(content)


async def test_a_permission_never_covers_what_the_card_did_not_show(home: House) -> None:
    person, purpose = await home.person(), await home.purpose()
    for claims, offered in (({"name", "email"}, {"name"}), ({"name", "nik"}, {"name", "nik"}), ({"name"}, {"name", "email"})):
        with pytest.raises(ValueError, match="card"):
            await home.consent.ledger.give(asking(person), purpose, frozenset(claims), card(*offered))
    assert await home.consent.ledger.of_person(person) == []


async def test_answering_twice_in_a_row_is_one_answer(home: House) -> None:
    person = await home.person()
    first = await given(home, person)
    assert await given(home, person) == first
    assert await kinds(home, first.grant.id) == [EventKind.REQUESTED, EventKind.GIVEN]


async def test_answering_in_two_tabs_at_once_is_one_answer(home: House) -> None:
    person = await home.person()
    await home.purpose()
    first, *others = await asyncio.gather(*(given(home, person) for _ in range(8)))
    assert all(other == first for other in others)
    assert await kinds(home, first.grant.id) == [EventKind.REQUESTED, EventKind.GIVEN]
    assert (await logged(home, person)).count("given") == 1


async def test_an_answer_later_renews_the_same_grant(home: House) -> None:
    person = await home.person()
    first = await given(home, person)
    home.clock.forward(days=100)
    second = await given(home, person, frozenset(OFFERED))
    assert second.grant.id == first.grant.id
    assert second.grant.version == first.grant.version + 1
    assert second.grant.claims == frozenset(OFFERED)
    assert await kinds(home, first.grant.id) == [EventKind.REQUESTED, EventKind.GIVEN, EventKind.RENEWED]


async def test_a_grant_lasts_twelve_months_at_most(home: House) -> None:
    result = await given(home, await home.person())
    assert result.grant.expires_at == home.clock.now + dt.timedelta(days=365)


async def test_a_grant_lasts_no_longer_than_the_declaration_says(home: House) -> None:
    purpose = dataclasses.replace(await home.purpose(), max_validity_days=7)
    result = await home.consent.ledger.give(asking(await home.person()), purpose, REQUIRED, card(*OFFERED))
    assert result.grant.expires_at == home.clock.now + dt.timedelta(days=7)


async def test_refusing_is_recorded_and_asked_anew(home: House) -> None:
    person, purpose = await home.person(), await home.purpose()
    refused = await home.consent.ledger.refuse(asking(person), purpose, card(*OFFERED))
    assert refused.state is GrantState.REFUSED
    assert await kinds(home, refused.id) == [EventKind.REQUESTED, EventKind.REFUSED]
    home.clock.forward(minutes=1)
    result = await given(home, person)
    assert result.grant.id != refused.id
    assert sorted(await logged(home, person)) == ["given", "refused", "requested", "requested"]


async def test_an_event_is_one_entry_although_its_lease_ran_out_while_it_was_being_written(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, purpose = await home.person(), await home.purpose()
    await home.consent.stop()  # only the two writers below are at work
    await home.consent.access_log.start()
    append, held = home.consent.access_log.append, asyncio.Event()
    waits = iter([held.wait, held.wait])

    async def slowly(*arguments: Any) -> Any:
        wait = next(waits, None)
        if wait is None:
            held.set()
        else:
            await wait()
        return await append(*arguments)

    monkeypatch.setattr(home.consent.access_log, "append", slowly)
    await home.consent.ledger.request(asking(person), purpose)
    writers = []
    for _ in range(3):
        writers.append(asyncio.create_task(home.consent.ledger.flush_queue()))
        await asyncio.sleep(0.2)
        home.clock.forward(minutes=2)
    await asyncio.gather(*writers)
    await home.consent.ledger.flush_queue()
    assert not await home.consent.ledger.queued()
    assert [entry.record["outcome"] for entry in await home.consent.access_log.history(person)] == ["requested"]


async def test_refusing_works_while_the_log_is_down(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    person, purpose = await home.person(), await home.purpose()

    async def down(*_: object) -> None:
        raise LogUnavailable("down")

    monkeypatch.setattr(home.consent.access_log, "append", down)
    refused = await home.consent.ledger.refuse(asking(person), purpose, card(*OFFERED))
    assert refused.state is GrantState.REFUSED
    event = (await home.consent.ledger.events(refused.id))[-1]
    assert (event.kind, event.text_hash, event.claims) == (EventKind.REFUSED, "ab" * 32, frozenset(OFFERED))


async def test_refusing_a_second_card_takes_nothing_back(home: House) -> None:
    person = await home.person()
    result = await given(home, person)
    after = await home.consent.ledger.refuse(asking(person), await home.purpose(), card(*OFFERED))
    assert after.state is GrantState.ACTIVE
    assert after.claims == result.grant.claims
    assert await home.consent.ledger.get(after.id) == after


async def test_withdrawing_ends_the_grant_and_a_new_permission_is_a_new_grant(home: House) -> None:
    person = await home.person()
    first = await given(home, person)
    withdrawn = await home.consent.ledger.withdraw(first.grant.id)
    assert withdrawn is not None
    assert withdrawn.state is GrantState.WITHDRAWN
    assert await home.consent.ledger.withdraw(first.grant.id) == withdrawn
    home.clock.forward(seconds=1)
    second = await given(home, person)
    assert second.grant.id != first.grant.id
    assert await home.consent.ledger.get(first.grant.id) == withdrawn
    assert sorted(await logged(home, person)) == ["given", "given", "requested", "requested", "withdrawn"]


async def test_withdrawing_what_is_not_there_is_nothing(home: House) -> None:
    assert await home.consent.ledger.withdraw("nothing") is None


async def test_withdrawing_works_while_the_log_is_down_and_reaches_it_later(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    person = await home.person()
    result = await given(home, person)
    await home.settled()
    append = home.consent.access_log.append

    async def down(*_: object) -> None:
        raise LogUnavailable("down")

    monkeypatch.setattr(home.consent.access_log, "append", down)
    withdrawn = await home.consent.ledger.withdraw(result.grant.id)
    assert withdrawn is not None
    assert withdrawn.state is GrantState.WITHDRAWN
    assert await home.consent.ledger.flush_queue() == 0
    assert await home.consent.ledger.queued() == 1
    monkeypatch.setattr(home.consent.access_log, "append", append)
    home.clock.forward(minutes=2)
    assert "withdrawn" in await logged(home, person)
    assert await home.consent.ledger.queued() == 0
    entry = (await home.consent.access_log.history(person, limit=1))[0]
    assert entry.record["occurred"].startswith(str(result.grant.given_at.date())) if result.grant.given_at else False


async def test_no_permission_without_a_record(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    person, purpose = await home.person(), await home.purpose()

    async def down(*_: object) -> None:
        raise LogUnavailable("down")

    monkeypatch.setattr(home.consent.access_log, "append", down)
    with pytest.raises(LogUnavailable):
        await home.consent.ledger.give(asking(person), purpose, REQUIRED, card(*OFFERED))
    found = await home.consent.ledger.find(person, "aduan-app", "aduan")
    assert found is not None
    assert found.state is GrantState.REQUESTED


async def test_a_grant_withdrawn_while_its_renewal_is_on_the_way_stays_withdrawn(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    person = await home.person()
    first = await given(home, person)
    home.clock.forward(days=1)
    append = home.consent.access_log.append

    async def withdrawn_first(*arguments: object) -> object:
        monkeypatch.setattr(home.consent.access_log, "append", append)
        await home.consent.ledger.withdraw(first.grant.id)
        return await append(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(home.consent.access_log, "append", withdrawn_first)
    with pytest.raises(GrantMoved):
        await given(home, person)
    found = await home.consent.ledger.get(first.grant.id)
    assert found is not None
    assert found.state is GrantState.WITHDRAWN
    assert "renewed" not in await logged(home, person)


async def test_time_ends_a_grant_once(home: House) -> None:
    person = await home.person()
    result = await given(home, person)
    assert await home.consent.ledger.expire_due() == 0
    home.clock.forward(days=365)
    assert await home.consent.ledger.expire_due() == 1
    assert await home.consent.ledger.expire_due() == 0
    assert await kinds(home, result.grant.id) == [EventKind.REQUESTED, EventKind.GIVEN, EventKind.EXPIRED]


async def test_an_answer_after_the_time_opens_a_new_grant_even_before_the_sweep(home: House) -> None:
    person = await home.person()
    first = await given(home, person)
    home.clock.forward(days=365)
    second = await given(home, person)
    assert second.grant.id != first.grant.id
    assert (await kinds(home, first.grant.id))[-1] is EventKind.EXPIRED


async def test_a_removed_application_leaves_no_permission_to_another_of_its_name(home: House) -> None:
    siti, budi = await home.person(), await home.person()
    grants = [(await given(home, person)).grant.id for person in (siti, budi)]
    assert len(await home.consent.ledger.invalidate_client("aduan-app", None)) == 2
    assert not await home.consent.ledger.invalidate_client("aduan-app", None)
    for grant in grants:
        found = await home.consent.ledger.get(grant)
        assert found is not None
        assert found.state is GrantState.INVALIDATED
    assert (await logged(home, siti))[0] == "invalidated"


async def test_closing_an_account_invalidates_every_open_grant_and_forgets_whose_they_were(home: House) -> None:
    person = await home.person()
    result = await given(home, person)
    assert await home.consent.ledger.invalidate_all(person, None) == 1
    await home.settled()
    await home.consent.ledger.forget(person)
    assert await home.consent.ledger.of_person(person) == []
    assert await kinds(home, result.grant.id) == [EventKind.REQUESTED, EventKind.GIVEN, EventKind.INVALIDATED]


async def test_an_event_of_somebody_erased_meanwhile_is_logged_about_nobody(home: House, stores: dict[StoreName, Database]) -> None:
    person = await home.person()
    result = await given(home, person)
    await home.settled()
    before = (await home.consent.access_log.status()).size
    await home.keyring.subject_keys.destroy(person)
    await home.consent.ledger.invalidate(result.grant.id, None)
    await home.settled()
    async with stores["consent"].read() as connection:
        rows = (await connection.execute(sa.text("SELECT subject_ref FROM log_entries ORDER BY idx"))).all()
    assert len(rows) == before + 1
    assert rows[-1].subject_ref is None


async def test_two_processes_write_a_queued_event_once(home: House, stores: dict[StoreName, Database]) -> None:
    person = await home.person()
    result = await given(home, person)
    async with house(stores) as other:
        await home.consent.ledger.withdraw(result.grant.id)
        await asyncio.gather(*(each.consent.ledger.flush_queue() for each in (home, other) for _ in range(4)))
        await home.settled()
    assert (await logged(home, person)).count("withdrawn") == 1


@pytest.mark.parametrize("table", ["consent_events", "purpose_versions"])
@pytest.mark.parametrize("change", ["UPDATE {} SET declared = 9", "DELETE FROM {}"])
async def test_the_database_itself_refuses_to_change_what_was_written(
    home: House, stores: dict[StoreName, Database], table: str, change: str
) -> None:
    await given(home, await home.person())
    column = "purpose_version" if table == "consent_events" else "version"
    with pytest.raises(sa.exc.DBAPIError, match="append-only"):
        async with stores["consent"].statement() as connection:
            await connection.execute(sa.text(change.format(table).replace("declared", column)))


async def test_the_ledger_keeps_no_name_of_a_person_beside_an_event(home: House, stores: dict[StoreName, Database]) -> None:
    person = await home.person()
    await given(home, person)
    async with stores["consent"].read() as connection:
        rows = (await connection.execute(sa.text("SELECT * FROM consent_events"))).all()
    assert rows
    assert all(person not in str(row) for row in rows)
