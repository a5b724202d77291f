"""law.md R9: a citizen corrects their own words; the change is an entry, a verified value stays, a service reads the new one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from consent.errors import LogUnavailable
from idp.accounts.records import Identifier, IdentifierKind, Source, Value

if TYPE_CHECKING:
    from tests.support.running import Provider
    from tests.support.visitor import Page, Visitor

pytestmark = pytest.mark.parametrize("kind", ["sqlite", "postgresql"])

STREET = "Jalan Pemberani 77"


async def signed_in(provider: Provider, key: str = "dewi") -> tuple[Visitor, str]:
    visitor, who = await provider.visitor(), provider.person(key)
    await visitor.sign_in(await visitor.get("/login"), who)
    (account,) = await provider.services.accounts.find(Identifier(IdentifierKind.EMAIL, who.email))
    return visitor, account.person


async def corrected(visitor: Visitor, **fields: str) -> Page:
    page = await visitor.get("/me/data/correct")
    return await visitor.submit(page, page.form("form_token", "name"), **{"gender": "female", **fields})


async def kept(provider: Provider, person: str) -> dict[str, str]:
    return dict(await provider.services.consent.disclosure.to_self(person, await provider.services.accounts.sealed(person, None)))


async def test_a_correction_is_an_entry_and_then_a_value(provider: Provider) -> None:
    visitor, person = await signed_in(provider)
    before = (await provider.services.consent.access_log.status()).size
    page = await corrected(visitor, street_address=STREET, locality="Balikpapan")
    assert (page.path, "tersimpan" in page.text, STREET in page.text) == ("/me/data", True, True)
    assert STREET in (await kept(provider, person))["address"]
    newest = (await provider.services.consent.access_log.history(person))[0]
    assert (newest.record["action"], newest.record["claims"]) == ("update", ["address"])
    again = await corrected(visitor)
    assert (again.path, (await provider.services.consent.access_log.status()).size) == ("/me/data", before + 1)
    await corrected(visitor, street_address="", locality="", region="", postal_code="")
    assert "address" not in await kept(provider, person)


async def test_what_an_officer_verified_is_neither_asked_nor_taken(provider: Provider) -> None:
    visitor, person = await signed_in(provider, "siti")
    page = await visitor.get("/me/data/correct")
    assert ("diubah di loket" in page.text, "Simpan" in page.text) == (True, False)  # nothing is left to say
    await provider.services.accounts.put(person, Value("gender", "female"), provider.services.clock())
    page = await visitor.get("/me/data/correct")
    form = page.form("form_token")
    before = await kept(provider, person)
    await visitor.submit(page, page.form("form_token"), name="Orang Lain", gender="female", street_address=STREET)
    assert ("street_address" in form.fields, await kept(provider, person)) == (False, before)


async def test_a_value_that_an_officer_verifies_meanwhile_is_not_overwritten(provider: Provider) -> None:
    _, person = await signed_in(provider)
    accounts, now = provider.services.accounts, provider.services.clock()
    await accounts.put(person, Value("name", "Dewi Lestari", Source.VERIFIED, "loket", "ktp-el"), now)
    await accounts.restate(person, {"name": "Orang Lain", "gender": "male"}, ["name"], now)
    values = await kept(provider, person)
    assert (values["name"], values["gender"]) == ("Dewi Lestari", "male")


async def test_while_the_log_cannot_write_nothing_changes(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    visitor, person = await signed_in(provider)
    before = await kept(provider, person)

    async def down(*_: object) -> None:
        raise LogUnavailable("down")

    monkeypatch.setattr(provider.services.consent.access_log, "append", down)
    page = await corrected(visitor, street_address=STREET)
    assert (page.status, await kept(provider, person)) == (503, before)


async def test_a_field_that_cannot_be_used_is_named_and_what_was_typed_stays(provider: Provider) -> None:
    visitor, person = await signed_in(provider)
    before = await kept(provider, person)
    page = await corrected(visitor, name="", street_address=STREET)
    assert (page.status, "1 sampai 120 huruf" in page.text, STREET in page.text) == (422, True, True)
    assert await kept(provider, person) == before


async def test_a_form_that_another_page_sends_changes_nothing(provider: Provider) -> None:
    visitor, person = await signed_in(provider)
    before = await kept(provider, person)
    page = await visitor.post("/me/data/correct", {"name": "Orang Lain", "street_address": STREET})
    assert (page.status, await kept(provider, person)) == (403, before)
