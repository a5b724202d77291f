"""Accounts: who is found by what, what is unique, what rests sealed, and what is left after erasure."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from idp.accounts.drafts.records import Draft
from idp.accounts.records import Account, AccountState, Identifier, IdentifierKind, Source, Taken, Value
from idp.schema import metadata
from keys.errors import KeyDestroyed
from keys.sealing.open import open_cell
from tests.support.people import People, people

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from keys.database import Database, StoreName

NIK = "6471051708900003"
PHONE = "+6281234567890"


@pytest.fixture
async def town(stores: dict[StoreName, Database]) -> AsyncIterator[People]:
    async with people(stores) as found:
        yield found


async def rows(database: Database, table: str) -> int:
    async with database.read() as connection:
        return int((await connection.execute(sa.select(sa.func.count()).select_from(metadata.tables[table]))).scalar_one())


async def test_a_person_is_found_by_each_verified_identifier_and_by_the_account_number(town: People) -> None:
    siti = await town.citizen(phone_number=PHONE, nik=NIK)
    for kind, value in (("email", "siti@contoh.id"), ("phone", PHONE), ("nik", NIK), ("number", siti.number)):
        found = await town.accounts.find(Identifier(IdentifierKind(kind), value))
        assert [account.person for account in found] == [siti.person], kind
    assert siti.nik_verified


async def test_an_asserted_nik_signs_nobody_in_and_does_not_lock_its_owner_out(town: People) -> None:
    thief = await town.citizen(email="t@contoh.id")
    assert await town.accounts.put(thief.person, Value("nik", NIK), town.clock()) is None
    assert await town.accounts.find(Identifier(IdentifierKind.NIK, NIK)) == []
    owner = await town.citizen(email="o@contoh.id")
    assert await town.accounts.put(owner.person, Value("nik", NIK, Source.VERIFIED, "officer", "ktp-el"), town.clock()) is None
    assert [account.person for account in await town.accounts.find(Identifier(IdentifierKind.NIK, NIK))] == [owner.person]


@pytest.mark.parametrize(("claim", "value", "kind"), [("email", "siti@contoh.id", "email"), ("nik", NIK, "nik")])
async def test_verified_addresses_and_niks_are_unique(town: People, claim: str, value: str, kind: str) -> None:
    await town.citizen(nik=NIK)
    other = await town.citizen(email="other@contoh.id")
    taken = Taken(IdentifierKind(kind))
    assert await town.accounts.put(other.person, Value(claim, value, Source.VERIFIED), town.clock()) == taken
    assert await town.accounts.create(values=[Value(claim, value, Source.VERIFIED)], now=town.clock()) == taken
    assert await town.accounts.put(other.person, Value(claim, value), town.clock()) is None  # asserted: anybody may


async def test_families_share_a_telephone_and_the_last_used_account_comes_first(town: People) -> None:
    mother = await town.citizen(email="m@contoh.id", phone_number=PHONE)
    child = await town.citizen(email="c@contoh.id", phone_number=PHONE)
    await town.accounts.used(mother.person, town.clock.move(minutes=1))
    found = await town.accounts.find(Identifier(IdentifierKind.PHONE, PHONE))
    assert [account.person for account in found] == [mother.person, child.person]


async def test_twenty_enrolments_with_one_address_make_one_account(town: People) -> None:
    value = Value("email", "race@contoh.id", Source.VERIFIED)
    made = await asyncio.gather(*(town.accounts.create(values=[value], now=town.clock()) for _ in range(20)))
    assert sum(isinstance(one, Account) for one in made) == 1
    assert made.count(Taken(IdentifierKind.EMAIL)) == 19


async def test_values_rest_sealed_and_open_only_at_their_own_place(town: People) -> None:
    siti = await town.citizen(name="Siti Aminah")
    (cell,) = await town.accounts.sealed(siti.person, ["name"])
    assert b"Siti" not in cell.cell
    assert cell.source == "verified"
    assert open_cell(await town.keyring.subject_keys.data_key(siti.person), cell.binding, cell.cell) == b"Siti Aminah"


async def test_a_changed_identifier_finds_its_owner_and_the_old_one_nobody(town: People) -> None:
    siti = await town.citizen()
    await town.accounts.put(siti.person, Value("email", "baru@contoh.id", Source.VERIFIED), town.clock())
    assert await town.accounts.find(Identifier(IdentifierKind.EMAIL, "siti@contoh.id")) == []
    assert await town.accounts.same(siti.person, Identifier(IdentifierKind.EMAIL, "baru@contoh.id"))


async def test_erasure_leaves_a_closed_empty_row(town: People, stores: dict[StoreName, Database]) -> None:
    siti = await town.citizen(phone_number=PHONE, nik=NIK)
    await town.accounts.factors.print_card(siti.person, town.clock())
    await town.accounts.erase(siti.person)
    for table in ("account_identifiers", "account_cells", "code_cards", "code_card_codes"):
        assert await rows(stores["idp"], table) == 0
    left = await town.accounts.get(siti.person)
    assert left is not None
    assert (left.state, left.number, left.password_hash) == (AccountState.CLOSED, "", None)
    assert await town.accounts.find(Identifier(IdentifierKind.NUMBER, siti.number)) == []
    assert not await town.accounts.set_state(siti.person, AccountState.ACTIVE)


async def test_an_erased_person_never_gets_keys_again(town: People) -> None:
    siti = await town.citizen()
    await town.keyring.subject_keys.destroy(siti.person)
    with pytest.raises(KeyDestroyed):
        await town.accounts.put(siti.person, Value("name", "Siti"), town.clock())


async def test_a_draft_opens_only_in_its_browser_and_only_in_time_and_is_swept(town: People, stores: dict[StoreName, Database]) -> None:
    draft = Draft("", "Siti Aminah", "1990-08-17", "email", "siti@contoh.id", "id")
    kept = await town.accounts.drafts.begin(draft, "browser-a", town.clock(), lifetime=3600)
    assert (await town.accounts.drafts.get(kept.id, "browser-a", town.clock())) == kept
    assert await town.accounts.drafts.get(kept.id, "browser-b", town.clock()) is None
    later = town.clock.move(hours=2)
    assert await town.accounts.drafts.get(kept.id, "browser-a", later) is None
    assert await town.accounts.sweep(later) == 1
    assert await rows(stores["idp"], "enrolments") == 0


async def test_a_rehash_never_overwrites_a_password_changed_meanwhile(town: People) -> None:
    siti = await town.citizen()
    await town.accounts.set_password(siti.person, "new")
    await town.accounts.rehash(siti.person, "old", "old-but-costlier")
    found = await town.accounts.get(siti.person)
    assert found is not None
    assert found.password_hash == "new"


async def test_naive_times_are_refused(town: People) -> None:
    siti = await town.citizen()
    with pytest.raises(sa.exc.StatementError):
        await town.accounts.used(siti.person, dt.datetime(2026, 1, 1))  # noqa: DTZ001 - the point of the test
