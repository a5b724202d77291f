"""Roles of accounts: one pseudonym for good, duties kept apart, and nobody's any more once the account is erased."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import TYPE_CHECKING

import pytest

from idp.staff.records import Member, Role, RoleRefused
from idp.staff.store import StaffStore

if TYPE_CHECKING:
    from keys.database import Database, StoreName

NOW = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)
SITI, BUDI = "s" * 22, "b" * 22


@pytest.fixture
def staff(stores: dict[StoreName, Database]) -> StaffStore:
    return StaffStore(stores["idp"])


async def appointed(staff: StaffStore, person: str, role: Role) -> Member:
    member = await staff.appoint(person, role, NOW, by="Rina", agency="dinkes", unit="Loket 1")
    assert isinstance(member, Member)
    return member


async def test_a_pseudonym_is_random_and_outlives_the_roles(staff: StaffStore) -> None:
    first = await appointed(staff, SITI, Role.OFFICER)
    assert (await appointed(staff, BUDI, Role.OFFICER)).pseudonym != first.pseudonym
    assert await staff.dismiss(SITI, Role.OFFICER)
    assert not await staff.dismiss(SITI, Role.OFFICER)
    former = await staff.of_person(SITI)
    assert former is not None
    assert not former.roles
    assert (await appointed(staff, SITI, Role.DPO)).pseudonym == first.pseudonym
    assert [one.pseudonym for one in await staff.all(Role.DPO)] == [first.pseudonym]


async def test_who_audits_is_neither_administrator_nor_officer_and_a_role_is_given_once(staff: StaffStore) -> None:
    await appointed(staff, SITI, Role.AUDITOR)
    assert await staff.appoint(SITI, Role.AUDITOR, NOW, by="Rina") == RoleRefused("held")
    assert await staff.appoint(SITI, Role.ADMINISTRATOR, NOW, by="Rina") == RoleRefused("apart", Role.AUDITOR)
    assert await staff.appoint(SITI, Role.OFFICER, NOW, by="Rina") == RoleRefused("apart", Role.AUDITOR)
    await appointed(staff, BUDI, Role.OFFICER)
    assert await staff.appoint(BUDI, Role.AUDITOR, NOW, by="Rina") == RoleRefused("apart", Role.OFFICER)


async def test_racing_appointments_give_one_pseudonym_and_never_both_roles_kept_apart(staff: StaffStore) -> None:
    made = await asyncio.gather(
        *(staff.appoint(SITI, role, NOW, by="Rina") for role in (Role.AUDITOR, Role.ADMINISTRATOR, Role.AUDITOR, Role.ADMINISTRATOR))
    )
    assert len([one for one in made if isinstance(one, Member)]) == 1
    member = await staff.of_person(SITI)
    assert member is not None
    assert len(member.roles) == 1


async def test_erasing_forgets_whose_a_pseudonym_was_and_keeps_it_taken(staff: StaffStore) -> None:
    member = await appointed(staff, SITI, Role.OFFICER)
    await staff.erase(SITI)
    assert await staff.of_person(SITI) is None
    assert await staff.by_pseudonym(member.pseudonym) == Member(member.pseudonym, None, ())
