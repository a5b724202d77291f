"""Enrolling: three pages, a proof, and nothing said about who is here already."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from idp.accounts.records import Identifier, IdentifierKind
from idp.schema import metadata
from tests.support.mailbox import letters

if TYPE_CHECKING:
    from tests.support.running import Provider
    from tests.support.visitor import Page, Visitor

pytestmark = pytest.mark.parametrize("kind", ["sqlite"])

PASSWORD = "kucing oranye tidur"
NEW = {"name": "Nurhayati", "birthdate": "17-08-1990", "identifier": "nurhayati@contoh.id"}
CHANGING = re.compile(r'value="[^"]*"|(action|href)="[^"]*"|n•••@[a-z.]*|s•••@[a-z.]*')


async def as_far_as_code(visitor: Visitor, **changes: str) -> Page:
    page = await visitor.get("/enrol")
    page = await visitor.submit(page, page.form("identifier"), **{**NEW, **changes})
    assert page.path == "/enrol/password", page.text
    return await visitor.submit(page, page.form("password"), password=PASSWORD)


async def test_three_pages_and_a_code_make_an_account_and_sign_in(provider: Provider) -> None:
    visitor = await provider.visitor()
    page = await as_far_as_code(visitor)
    assert page.path == "/enrol/code"
    (letter,) = await letters(provider, "nurhayati@contoh.id")
    page = await visitor.submit(page, page.form("code"), code=letter.code)
    assert (page.status, page.path) == (200, "/")
    (account,) = await provider.services.accounts.find(Identifier(IdentifierKind.EMAIL, "nurhayati@contoh.id"))
    cells = {cell.claim: cell.source for cell in await provider.services.accounts.sealed(account.person)}
    assert cells == {"name": "asserted", "birthdate": "asserted", "email": "verified"}  # one word is a name; no family name is invented
    assert not account.minor


async def test_enrolling_within_a_service_s_request_leads_on_to_the_service(provider: Provider) -> None:
    visitor = await provider.visitor()
    page = await visitor.get(provider.ask().url)
    page = await visitor.get(re.search(r'href="(/enrol[^"]*)"', page.text)[1].replace("&amp;", "&"))  # type: ignore[index]
    page = await visitor.submit(page, page.form("identifier"), **NEW)
    page = await visitor.submit(page, page.form("password"), password=PASSWORD)
    (letter,) = await letters(provider, "nurhayati@contoh.id")
    page = await visitor.submit(page, page.form("code"), code=letter.code)
    assert page.path == "/approve"


async def test_a_telephone_is_proven_by_sms_or_whatsapp_and_may_be_shared(provider: Provider) -> None:
    visitor, siti = await provider.visitor(), provider.person()
    page = await as_far_as_code(visitor, identifier=siti.phone.replace("+62", "0"))
    assert "spam" not in page.text  # a telephone has no such folder
    page = await visitor.submit(page, page.form("again"), again="whatsapp")
    sms, whatsapp = await letters(provider, siti.phone)
    assert (sms.channel, whatsapp.channel) == ("sms", "whatsapp")
    assert "http" not in sms.text + whatsapp.text
    assert (await visitor.submit(page, page.form("code"), code=sms.code)).status == 422  # the newer one counts
    page = await visitor.submit(page, page.form("code"), code=whatsapp.code)
    assert page.path == "/"
    assert len(await provider.services.accounts.find(Identifier(IdentifierKind.PHONE, siti.phone))) == 2


async def test_a_taken_address_shows_the_same_page_and_its_owner_gets_a_mail(provider: Provider) -> None:
    siti = provider.person()
    free, taken = await provider.visitor(), await provider.visitor()
    free_page = await as_far_as_code(free)
    taken_page = await as_far_as_code(taken, identifier=siti.email)
    assert (free_page.status, free_page.path) == (taken_page.status, taken_page.path)
    assert CHANGING.sub("", free_page.text) == CHANGING.sub("", taken_page.text)
    (letter,) = await letters(provider, siti.email)
    assert "sudah punya akun" in letter.text
    assert not re.search(r"\d{6}", letter.text)
    for code in ("000000", "123456"):
        assert (await taken.submit(taken_page, taken_page.form("code"), code=code)).status == 422


async def test_a_taken_address_costs_the_same_statements(provider: Provider) -> None:
    statements: list[str] = []
    sa.event.listen(provider.services.database.engine.sync_engine, "before_cursor_execute", lambda *a: statements.append(a[2]))
    counts = []
    for address in ("bebas@contoh.id", provider.person().email):
        statements.clear()
        await as_far_as_code(await provider.visitor(), identifier=address)
        counts.append([text.split(" WHERE")[0] for text in statements])
    assert counts[0] == counts[1]


async def test_under_eighteen_is_stored_and_ends_with_the_eighteenth_birthday(provider: Provider) -> None:
    visitor = await provider.visitor()
    born = provider.clock().date().replace(year=provider.clock().year - 17)
    page = await as_far_as_code(visitor, birthdate=born.isoformat())
    (letter,) = await letters(provider, NEW["identifier"])
    await visitor.submit(page, page.form("code"), code=letter.code)
    (account,) = await provider.services.accounts.find(Identifier(IdentifierKind.EMAIL, NEW["identifier"]))
    assert account.minor
    provider.clock.move(days=366)
    again = await provider.visitor()
    page = await again.get("/login")
    await again.submit(page, page.form("identifier"), identifier=NEW["identifier"], password=PASSWORD)
    (account,) = await provider.services.accounts.find(Identifier(IdentifierKind.EMAIL, NEW["identifier"]))
    assert not account.minor


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""), ("name", "x" * 121), ("name", "123"), ("birthdate", ""), ("birthdate", "31-02-1990"), ("birthdate", "17-08-2990"),
        ("birthdate", "17-08-1850"), ("identifier", "nurhayati"), ("identifier", "6471015203900001"), ("identifier", ""),
    ],
)  # fmt: skip
async def test_what_cannot_be_used_is_said_beside_its_field(provider: Provider, field: str, value: str) -> None:
    visitor = await provider.visitor()
    page = await visitor.get("/enrol")
    page = await visitor.submit(page, page.form("identifier"), **{**NEW, field: value})
    assert page.status == 422
    assert f'id="{field}-error"' in page.text
    assert f'href="#{field}"' in page.text


async def test_a_weak_password_is_refused_with_what_to_do(provider: Provider) -> None:
    visitor = await provider.visitor()
    page = await visitor.get("/enrol")
    page = await visitor.submit(page, page.form("identifier"), **NEW)
    for weak in ("pendek", "Balikpapan2026", "nurhayati1990"):
        page = await visitor.submit(page, page.form("password"), password=weak)
        assert page.status == 422


async def test_a_half_finished_enrolment_rests_sealed_and_is_swept(provider: Provider) -> None:
    visitor = await provider.visitor()
    page = await as_far_as_code(visitor, name="Namaunik Sekali", identifier="alamatunik@contoh.id")
    await letters(provider)
    found = provider.services
    async with found.database.read() as connection:
        for table in metadata.sorted_tables:
            text = str((await connection.execute(sa.select(table))).all()).lower()
            assert not re.search("namaunik|alamatunik|1990-08-17|17-08-1990", text), table.name
    for file in provider.settings.data_dir.rglob("*"):
        if file.is_file():
            assert not re.search(rb"(?i)namaunik|alamatunik@|1990-08-17", file.read_bytes()), file
    provider.clock.move(hours=2)
    await found.accounts.sweep(found.clock())
    async with found.database.read() as connection:
        assert (await connection.execute(sa.select(metadata.tables["enrolments"]))).all() == []
    assert (await visitor.submit(page, page.form("code"), code="123456")).status == 410


async def test_another_browser_cannot_go_on_with_an_enrolment(provider: Provider) -> None:
    page = await as_far_as_code(await provider.visitor())
    thief = await provider.visitor()
    await thief.get("/login")
    assert (await thief.get(page.url)).status == 410


async def test_codes_to_one_address_are_limited(provider: Provider) -> None:
    statuses = [(await as_far_as_code(await provider.visitor(f"203.0.113.{n}"))).status for n in range(7)]
    assert statuses == [200] * 5 + [429] * 2


async def test_a_second_click_on_the_last_page_makes_no_second_account(provider: Provider) -> None:
    visitor = await provider.visitor()
    page = await as_far_as_code(visitor)
    (letter,) = await letters(provider, NEW["identifier"])
    form = page.form("code")
    assert (await visitor.submit(page, form, code=letter.code)).path == "/"
    again = await visitor.submit(page, form, code=letter.code)
    assert again.status == 410
    assert "/enrol" in again.text


@pytest.mark.parametrize("provider_settings", [{"limit_enrolment": "1/3600"}])
async def test_one_network_begins_only_so_many_enrolments_and_is_told_how_long_to_wait(provider: Provider) -> None:
    assert (await as_far_as_code(await provider.visitor("203.0.113.7"))).path == "/enrol/code"
    page = await as_far_as_code(await provider.visitor("203.0.113.7"), identifier="lain@contoh.id")
    assert (page.status, page.path) == (429, "/enrol/password")
    assert "Tunggu 60 menit" in page.text
    assert await letters(provider, "lain@contoh.id") == []
    assert (await as_far_as_code(await provider.visitor("203.0.113.8"), identifier="lain@contoh.id")).path == "/enrol/code"
