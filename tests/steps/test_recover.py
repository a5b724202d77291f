"""Getting back in: by code, without the second factor, by slip; and what strangers learn from asking: nothing."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from idp.accounts.proofs.records import Purpose
from idp.accounts.records import Account, Identifier, IdentifierKind, Source, Value
from tests.support.mailbox import letters

if TYPE_CHECKING:
    from tests.support.running import Provider
    from tests.support.visitor import Page, Visitor

pytestmark = pytest.mark.parametrize("kind", ["sqlite"])

PASSWORD = "kucing oranye tidur"
CHANGING = re.compile(r'value="[^"]*"|(action|href)="[^"]*"')


async def ask(visitor: Visitor, identifier: str) -> Page:
    page = await visitor.get("/recover")
    return await visitor.submit(page, page.form("identifier"), identifier=identifier)


async def account_of(provider: Provider, key: str = "siti") -> Account:
    (account,) = await provider.services.accounts.find(Identifier(IdentifierKind.EMAIL, provider.person(key).email))
    return account


async def signs_in(provider: Provider, identifier: str, password: str) -> bool:
    visitor = await provider.visitor("198.51.100.77")
    page = await visitor.get("/login")
    return (await visitor.submit(page, page.form("identifier"), identifier=identifier, password=password)).status == 200


@pytest.mark.parametrize(("by", "channel"), [("email", "mail"), ("phone", "sms"), ("nik", "mail"), ("number", "mail")])
async def test_a_code_and_a_new_password_let_somebody_back_in(provider: Provider, by: str, channel: str) -> None:
    siti, account = provider.person(), await account_of(provider)
    own = await provider.visitor()
    await own.sign_in(await own.get("/login"), siti)
    visitor = await provider.visitor()
    page = await ask(visitor, account.number if by == "number" else str(getattr(siti, by)))
    letter = (await letters(provider))[-1]
    assert letter.channel == channel
    page = await visitor.submit(page, page.form("code"), code=letter.code, password=PASSWORD)
    assert page.status == 200
    assert await provider.services.sessions.of_person(account.person, provider.clock()) == []  # everybody else is out
    assert not await signs_in(provider, siti.email, siti.password)
    assert await signs_in(provider, siti.email, PASSWORD)
    told = {one.to for one in await letters(provider) if "baru saja diganti" in one.text}
    assert told == {siti.email, siti.phone}  # old channels are told


async def test_unknown_people_see_the_same_pages_at_the_same_cost_and_no_code_is_right(provider: Provider) -> None:
    statements: list[str] = []
    sa.event.listen(provider.services.database.engine.sync_engine, "before_cursor_execute", lambda *a: statements.append(a[2]))
    seen = []
    for identifier in (provider.person().email, "tidak.ada@contoh.id", "bukan apa-apa"):  # a NIK or account number looks once more, alike
        visitor = await provider.visitor()
        statements.clear()
        page = await ask(visitor, identifier)
        wrong = await visitor.submit(page, page.form("code"), code="000000", password=PASSWORD)
        shape = [text.split(" WHERE")[0] for text in statements]
        seen.append((page.status, CHANGING.sub("", page.text), wrong.status, CHANGING.sub("", wrong.text), shape))
    assert seen[0] == seen[1] == seen[2]
    assert len(await letters(provider)) == 1


async def test_a_number_unused_for_90_days_never_resets_alone(provider: Provider) -> None:
    siti = provider.person()
    provider.clock.move(days=91)
    page = await ask(await provider.visitor(), siti.phone)
    assert page.path == "/recover/code"  # the same page as ever
    assert await letters(provider) == []
    await ask(await provider.visitor(), siti.email)
    assert [letter.to for letter in await letters(provider)] == [siti.email]


async def test_a_shared_number_resets_no_account_and_says_how_to_go_on(provider: Provider) -> None:
    siti, found = provider.person(), provider.services
    child = [Value("name", "Ani"), Value("phone_number", siti.phone, Source.VERIFIED), Value("email", "ani@contoh.id", Source.VERIFIED)]
    await found.accounts.create(values=child, now=found.clock())
    await ask(await provider.visitor(), siti.phone)
    (letter,) = await letters(provider)
    assert "beberapa akun" in letter.text
    assert not re.search(r"\d{6}", letter.text)


async def test_a_code_bears_five_tries_works_once_and_only_where_it_was_asked_for(provider: Provider) -> None:
    siti, visitor = provider.person(), await provider.visitor()
    page = await ask(visitor, siti.email)
    code = (await letters(provider))[-1].code
    thief = await provider.visitor()
    await thief.get("/recover")
    stolen = await thief.get(page.url)
    assert (await thief.submit(stolen, stolen.form("code"), code=code, password=PASSWORD)).status == 422
    weak = await visitor.submit(page, page.form("code"), code=code, password="pendek")
    assert weak.status == 422  # and the code is still good
    assert (await visitor.submit(page, page.form("code"), code=code, password=PASSWORD)).status == 200
    assert (await visitor.submit(page, page.form("code"), code=code, password=PASSWORD + "2")).status == 422
    page = await ask(visitor, siti.email)
    code = (await letters(provider))[-1].code
    for _ in range(5):
        await visitor.submit(page, page.form("code"), code="000000" if code != "000000" else "000001", password=PASSWORD)
    assert (await visitor.submit(page, page.form("code"), code=code, password=PASSWORD)).status == 422


async def test_a_reset_password_does_not_go_around_the_second_factor(provider: Provider) -> None:
    budi, visitor = provider.person("budi"), await provider.visitor()
    page = await ask(visitor, budi.email)
    await visitor.submit(page, page.form("code"), code=(await letters(provider))[-1].code, password=PASSWORD)
    page = await visitor.get("/login")
    page = await visitor.submit(page, page.form("identifier"), identifier=budi.email, password=PASSWORD)
    assert page.path == "/login/second-factor"


async def test_a_lost_factor_is_replaced_by_password_and_code_together(provider: Provider) -> None:
    budi, visitor = provider.person("budi"), await provider.visitor()
    page = await visitor.get("/recover/factor")
    wrong = await visitor.submit(page, page.form("identifier"), identifier=budi.email, password="salah salah salah")
    assert wrong.status == 422
    page = await visitor.submit(page, page.form("identifier"), identifier=budi.email, password=budi.password)
    assert page.path == "/recover/factor/code"
    page = await visitor.submit(page, page.form("code"), code=(await letters(provider, budi.email))[-1].code)
    assert (page.status, page.path) == (200, "/")
    account = await account_of(provider, "budi")
    assert not account.has_second_factor
    assert account.nik_paused_until is not None
    assert dt.timedelta(hours=23) < account.nik_paused_until - provider.clock() <= dt.timedelta(hours=24)
    assert {letter.to for letter in await letters(provider) if "dipulihkan" in letter.text} == {budi.email, budi.phone}


async def test_a_slip_from_the_counter_resets_everything_once_within_fifteen_minutes(provider: Provider) -> None:
    account, found = await account_of(provider, "budi"), provider.services
    late = await found.accounts.proofs.issue(Purpose.SLIP, account.person, found.clock(), lifetime=900)
    provider.clock.move(minutes=16)
    slip = await found.accounts.proofs.issue(Purpose.SLIP, account.person, found.clock(), lifetime=900)
    visitor = await provider.visitor()
    page = await visitor.get("/recover/slip")
    form = page.form("code", "identifier")
    number = f"{account.number[:4]} {account.number[4:7]} {account.number[7:]}"
    assert (await visitor.submit(page, form, identifier=number, code=late.code, password=PASSWORD)).status == 422
    assert (await visitor.submit(page, form, identifier=number, code=f"{slip.code[:5]} {slip.code[5:]}", password=PASSWORD)).status == 200
    assert (await visitor.submit(page, form, identifier=number, code=slip.code, password=PASSWORD)).status == 422
    assert await signs_in(provider, account.number, PASSWORD)
    assert not (await account_of(provider, "budi")).has_second_factor


async def test_codes_are_limited_and_strangers_do_not_use_up_a_known_device_s_share(provider: Provider) -> None:
    siti, own = provider.person(), await provider.visitor()
    await own.sign_in(await own.get("/login"), siti)
    statuses = [(await ask(await provider.visitor(f"203.0.113.{n}"), siti.email)).status for n in range(6)]
    assert statuses == [200] * 5 + [429]
    assert (await ask(own, siti.email)).status == 200
