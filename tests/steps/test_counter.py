"""What officers do: named, with a reason, recorded before it is done, and seen by the citizen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from idp.accounts import nik
from idp.accounts.records import Account, AccountState, Identifier, IdentifierKind, Taken
from idp.protocol import counter
from idp.protocol.counter import Officer
from tests.support.mailbox import letters

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from tests.support.running import Provider

pytestmark = pytest.mark.parametrize("kind", ["sqlite"])

OFFICER = Officer("petugas-07", "Warga datang ke loket dengan KTP-el")


async def account_of(provider: Provider, key: str) -> Account:
    (account,) = await provider.services.accounts.find(Identifier(IdentifierKind.EMAIL, provider.person(key).email))
    return account


async def newest(provider: Provider, account: Account) -> Mapping[str, Any]:
    (entry,) = await provider.services.consent.access_log.history(account.person, limit=1)
    return entry.record


async def test_a_look_is_an_entry_with_name_reason_and_claims(provider: Provider) -> None:
    siti = await account_of(provider, "siti")
    values = await counter.look(provider.services, OFFICER, siti, ["name"])
    assert values == {"name": provider.person().name}
    record = await newest(provider, siti)
    assert (record["action"], record["claims"], record["reason"]) == ("consult", ["name"], OFFICER.reason)
    assert record["actor"]["pseudonym"] == "petugas-07"


async def test_nobody_looks_without_a_reason(provider: Provider) -> None:
    siti = await account_of(provider, "siti")
    with pytest.raises(ValueError, match="reason"):
        await counter.look(provider.services, Officer("petugas-07", " "), siti, ["name"])
    with pytest.raises(ValueError, match="reason"):
        await counter.lock(provider.services, Officer("petugas-07", ""), siti)


async def test_a_verified_nik_signs_in_and_is_recorded(provider: Provider) -> None:
    dewi, found = await account_of(provider, "dewi"), provider.services
    number = nik.parse(provider.person("dewi").nik)
    assert isinstance(number, nik.Nik)
    assert await counter.verify_nik(found, OFFICER, dewi, number, how="KTP-el", more={"name": "Dewi Lestari"}) is None
    (again,) = await found.accounts.find(Identifier(IdentifierKind.NIK, number.value))
    assert again.nik_verified
    assert (await newest(provider, dewi))["action"] == "verify"
    cells = {cell.claim: cell.source for cell in await found.accounts.sealed(dewi.person, ["name", "nik"])}
    assert cells == {"name": "verified", "nik": "verified"}


async def test_a_nik_that_somebody_else_verified_is_refused(provider: Provider) -> None:
    dewi = await account_of(provider, "dewi")
    number = nik.parse(provider.person("siti").nik)
    assert isinstance(number, nik.Nik)
    assert await counter.verify_nik(provider.services, OFFICER, dewi, number, how="KTP-el") == Taken(IdentifierKind.NIK)


async def test_a_slip_voids_earlier_ones_and_old_channels_are_told(provider: Provider) -> None:
    siti, found = await account_of(provider, "siti"), provider.services
    first = await counter.print_slip(found, OFFICER, siti)
    second = await counter.print_slip(found, OFFICER, siti)
    assert (second.number, len(second.code)) == (siti.number, 10)
    visitor = await provider.visitor()
    page = await visitor.get("/recover/slip")
    for slip, status in ((first, 422), (second, 200)):
        page = await visitor.submit(page, page.form("code"), identifier=slip.number, code=slip.code, password="kucing oranye tidur")
        assert page.status == status
    told = {letter.to for letter in await letters(provider) if "slip" in letter.text}
    assert told == {provider.person().email, provider.person().phone}


async def test_locking_ends_sessions_and_all_that_stands_on_them(provider: Provider) -> None:
    tokens = await provider.tokens()
    siti = await account_of(provider, "siti")
    assert await counter.lock(provider.services, OFFICER, siti)
    assert (await provider.userinfo(tokens["access_token"])).status_code == 401
    assert (await provider.refresh(tokens["refresh_token"])).status_code == 400 if "refresh_token" in tokens else True
    assert await counter.unlock(provider.services, OFFICER, siti)
    assert (await account_of(provider, "siti")).state is AccountState.ACTIVE
    assert (await provider.userinfo(tokens["access_token"])).status_code == 401  # what ended stays ended
