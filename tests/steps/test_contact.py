"""Changing how messages reach a citizen: a new address counts once its code was typed; a taken one tells nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from idp.accounts.records import Account, Identifier, IdentifierKind
from tests.support.mailbox import letters

if TYPE_CHECKING:
    from tests.support.running import Provider
    from tests.support.visitor import Page, Visitor

pytestmark = pytest.mark.parametrize("kind", ["sqlite"])

NEW = "siti.baru@contoh.id"


async def signed_in(provider: Provider, key: str = "siti") -> Visitor:
    visitor = await provider.visitor()
    assert (await visitor.sign_in(await visitor.get("/login"), provider.person(key))).path == "/"
    return visitor


async def of(provider: Provider, kind: IdentifierKind, value: str) -> list[Account]:
    return list(await provider.services.accounts.find(Identifier(kind, value)))


async def asked(provider: Provider, visitor: Visitor, identifier: str, password: str | None = None) -> Page:
    page = await visitor.get("/security/contact")
    typed = provider.person().password if password is None else password
    return await visitor.submit(page, page.form("identifier", "password"), identifier=identifier, password=typed)


async def test_an_open_telephone_is_not_enough_the_password_is_asked_and_wrong_ones_are_limited(provider: Provider) -> None:
    visitor = await signed_in(provider)
    page = await asked(provider, visitor, NEW, password="bukan-sandinya")
    assert (page.status, "tidak cocok" in page.text, NEW in page.text) == (422, True, True)
    assert await letters(provider, NEW) == []
    for _ in range(10):
        page = await asked(provider, visitor, NEW, password="bukan-sandinya")
    page = await asked(provider, visitor, NEW)  # the right one, too late
    assert page.status == 422
    assert await letters(provider, NEW) == []


async def test_a_new_address_counts_once_its_code_was_typed_and_the_old_ones_are_told(provider: Provider) -> None:
    visitor, siti = await signed_in(provider), provider.person()
    (before,) = await of(provider, IdentifierKind.EMAIL, siti.email)
    size = (await provider.services.consent.access_log.status()).size
    page = await asked(provider, visitor, NEW)
    assert (page.path, "s•••@contoh.id" in page.text) == ("/security/contact/code", True)
    assert await of(provider, IdentifierKind.EMAIL, NEW) == []
    wrong = await visitor.submit(page, page.form("code"), code="000000")
    assert (wrong.status, "salah" in wrong.text) == (422, True)
    (letter,) = await letters(provider, NEW)
    done = await visitor.submit(wrong, wrong.form("code"), code=letter.code)
    assert done.url.endswith("/security?done=contact")
    (after,) = await of(provider, IdentifierKind.EMAIL, NEW)
    assert after.person == before.person
    assert await of(provider, IdentifierKind.EMAIL, siti.email) == []
    told = await letters(provider)
    assert {one.to for one in told if "diganti" in one.text} == {siti.email, siti.phone}
    (entry,) = await provider.services.consent.access_log.history(after.person, limit=1)
    assert (entry.record["action"], entry.record["claims"]) == ("update", ["email"])
    assert (await provider.services.consent.access_log.status()).size == size + 1
    assert "Email atau nomor HP diganti." in (await visitor.get("/security")).text


async def test_a_code_works_once_and_for_its_person_only(provider: Provider) -> None:
    visitor = await signed_in(provider)
    page = await asked(provider, visitor, "0812 5000 9999")
    change = parse_qs(urlsplit(page.url).query)["change"][0]
    (letter,) = await letters(provider, "+6281250009999")
    other = await signed_in(provider, "dewi")
    stranger = await other.get(f"/security/contact/code?change={change}")
    assert stranger.status == 410
    assert (await visitor.submit(page, page.form("code"), code=letter.code)).url.endswith("done=contact")
    again = await visitor.submit(page, page.form("code"), code=letter.code)
    assert again.status == 410
    assert len(await of(provider, IdentifierKind.PHONE, "+6281250009999")) == 1


async def test_a_taken_address_shows_the_same_page_and_no_code_is_right(provider: Provider) -> None:
    visitor, budi = await signed_in(provider), provider.person("budi")
    free, taken = await asked(provider, visitor, NEW), await asked(provider, visitor, budi.email)
    assert (taken.status, taken.path) == (free.status, free.path)
    (letter,) = await letters(provider, budi.email)
    assert "akun lain" in letter.text
    page = await visitor.submit(taken, taken.form("code"), code="123456")
    assert page.status == 422
    (account,) = await of(provider, IdentifierKind.EMAIL, budi.email)
    assert account.person != (await of(provider, IdentifierKind.EMAIL, provider.person().email))[0].person


@pytest.mark.parametrize(("typed", "said"), [("siti", "Isi email"), ("", "Isi email"), ("siti@example.com", "sudah Anda pakai")])
async def test_what_cannot_be_a_new_address_is_said(provider: Provider, typed: str, said: str) -> None:
    page = await asked(provider, await signed_in(provider), typed.replace("siti@example.com", provider.person().email))
    assert (page.status, said in page.text) == (422, True)


async def test_codes_are_limited_per_person(provider: Provider) -> None:
    visitor = await signed_in(provider)
    for n in range(5):
        assert (await asked(provider, visitor, f"siti{n}@contoh.id")).status == 200
    page = await asked(provider, visitor, "siti9@contoh.id")
    assert (page.status, "Terlalu banyak kode" in page.text) == (429, True)


async def test_the_way_to_the_telephone_is_the_citizens_choice(provider: Provider) -> None:
    visitor, siti = await signed_in(provider), provider.person()
    page = await visitor.get("/security/contact")
    done = await visitor.submit(page, page.form("channel"), channel="whatsapp")
    assert done.url.endswith("/security?done=channel")
    (account,) = await of(provider, IdentifierKind.EMAIL, siti.email)
    assert account.phone_channel == "whatsapp"
    await provider.services.courier.tell(account.person, "password_changed")
    assert [letter.channel for letter in await letters(provider, siti.phone)] == ["whatsapp"]
    assert 'value="whatsapp" checked' in (await visitor.get("/security/contact")).text
    page = await visitor.get("/security/contact")
    assert (await visitor.submit(page, page.form("channel"), channel="pigeon")).status == 400


async def test_changing_an_address_needs_a_fresh_sign_in_and_the_second_factor_where_there_is_one(provider: Provider) -> None:
    visitor = await signed_in(provider)
    for _ in range(5):
        provider.clock.move(minutes=4)
        assert (await visitor.get("/security")).path == "/security"
    assert (await visitor.get("/security/contact")).path == "/login"
