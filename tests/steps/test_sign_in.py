"""Signing in: by every identifier, with a second factor, on shared phones; and what strangers learn from failing: nothing."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from idp.accounts.factors.records import Outcome
from idp.accounts.records import AccountState, Identifier, IdentifierKind
from idp.schema import metadata

if TYPE_CHECKING:
    from tests.support.running import Provider
    from tests.support.visitor import Page, Visitor


CHANGING = re.compile(r'value="[^"]*"|nomor rujukan|[A-Za-z0-9_.-]{40,}')


async def fill_in(visitor: Visitor, identifier: str, password: str, **more: str) -> Page:
    page = await visitor.get("/login")
    return await visitor.submit(page, page.form("identifier"), identifier=identifier, password=password, **more)


async def account_of(provider: Provider, email: str) -> str:
    (account,) = await provider.services.accounts.find(Identifier(IdentifierKind.EMAIL, email))
    return account.person


@pytest.mark.parametrize("by", ["email", "phone", "nik", "number"])
async def test_any_identifier_signs_in(provider: Provider, by: str) -> None:
    siti = provider.person()
    account = await provider.services.accounts.get(await account_of(provider, siti.email))
    assert account is not None
    typed = account.number if by == "number" else str(getattr(siti, by))
    page = await fill_in(await provider.visitor(), typed, siti.password)
    assert (page.status, page.path) == (200, "/")


async def test_a_nik_that_nobody_verified_signs_nobody_in(provider: Provider) -> None:
    dewi = provider.person("dewi")
    assert (await fill_in(await provider.visitor(), dewi.nik, dewi.password)).status == 422


async def test_sign_in_shows_the_official_address_and_that_nobody_asks_for_codes(provider: Provider) -> None:
    page = await (await provider.visitor()).get("/login")
    assert "Alamat resmi" in page.text
    assert "Petugas tidak pernah meminta sandi atau kode" in page.text
    for field, autocomplete in (("identifier", "username"), ("password", "current-password")):
        assert re.search(rf'name="{field}"[^>]*autocomplete="{autocomplete}"', page.text), field


async def test_a_wrong_password_and_an_unknown_person_see_the_same_page(provider: Provider) -> None:
    siti = provider.person()
    known = await fill_in(await provider.visitor(), siti.email, "salah salah salah")
    unknown = await fill_in(await provider.visitor(), "tidak.ada@contoh.id", "salah salah salah")
    assert (known.status, unknown.status) == (422, 422)
    assert CHANGING.sub("", known.text) == CHANGING.sub("", unknown.text)
    assert sorted(known.response.headers) == sorted(unknown.response.headers)


async def test_a_wrong_password_and_an_unknown_person_cost_the_same_work(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    found, siti = provider.services, provider.person()
    statements: list[str] = []
    sa.event.listen(found.database.engine.sync_engine, "before_cursor_execute", lambda *a: statements.append(a[2].split(" WHERE")[0]))
    hashes: list[bool] = []
    verify = found.keyring.passwords.verify

    async def counted(stored: str | None, password: str) -> object:
        hashes.append(stored is not None)
        return await verify(stored, password)

    monkeypatch.setattr(found.keyring.passwords, "verify", counted)
    work = {}
    for who, typed in {
        "email": siti.email, "no email": "tidak.ada@contoh.id", "phone": siti.phone, "no phone": "+6281299990000",
        "nik": siti.nik, "no nik": "6471050101010009", "nonsense": "bukan apa-apa",
    }.items():  # fmt: skip
        visitor = await provider.visitor()
        page = await visitor.get("/login")
        statements.clear()
        hashes.clear()
        await visitor.submit(page, page.form("identifier"), identifier=typed, password="salah salah salah")
        work[who] = (len(statements), len(hashes))
    assert work["email"] == work["no email"] == work["nonsense"]
    assert work["phone"] == work["no phone"]
    assert work["nik"] == work["no nik"]


async def test_a_locked_account_is_told_only_to_who_knows_the_password(provider: Provider) -> None:
    siti = provider.person()
    await provider.services.accounts.set_state(await account_of(provider, siti.email), AccountState.LOCKED)
    assert "login.locked" not in (await fill_in(await provider.visitor(), siti.email, "salah salah salah")).text
    page = await fill_in(await provider.visitor(), siti.email, siti.password)
    assert page.status == 403
    assert "Akun ini dikunci" in page.text


async def test_a_second_factor_is_asked_for_and_raises_the_session(provider: Provider) -> None:
    budi = provider.person("budi")
    visitor = await provider.visitor()
    page = await fill_in(visitor, budi.email, budi.password)
    assert page.path == "/login/second-factor"
    assert (await visitor.get("/security")).path == "/login"  # the password alone opened nothing
    wrong = await visitor.submit(page, page.form("code"), code="000000" if budi.code() != "000000" else "000001")
    assert wrong.status == 422
    done = await visitor.submit(wrong, wrong.form("code"), code=budi.code())
    assert done.path == "/"
    (session,) = await provider.services.sessions.of_person(await account_of(provider, budi.email), provider.clock())
    assert (session.acr, session.amr) == ("aal2", ("pwd", "otp", "mfa"))


async def test_a_code_is_not_taken_twice(provider: Provider) -> None:
    provider.clock.hold()
    budi = provider.person("budi")
    for status in (200, 422):
        visitor = await provider.visitor()
        page = await fill_in(visitor, budi.email, budi.password)
        page = await visitor.submit(page, page.form("code"), code=budi.code())
        assert page.status == status
    assert "sudah dipakai" in page.text


async def test_a_card_code_signs_in_once(provider: Provider) -> None:
    budi, found = provider.person("budi"), provider.services
    codes = await found.accounts.factors.print_card(await account_of(provider, budi.email), provider.clock())
    for status in (200, 422):
        visitor = await provider.visitor()
        await fill_in(visitor, budi.email, budi.password)
        page = await fill_in(visitor, budi.email, budi.password)
        page = await visitor.get(re.search(r'href="(/login/code-card[^"]*)"', page.text)[1].replace("&amp;", "&"))  # type: ignore[index]
        page = await visitor.submit(page, page.form("code"), code=codes[0])
        assert page.status == status


async def test_each_sign_in_gives_another_session_id_and_ends_the_stranger_s(provider: Provider) -> None:
    visitor, budi = await provider.visitor(), provider.person("budi")
    first = await fill_in(visitor, budi.email, budi.password)
    await visitor.submit(first, first.form("code"), code=budi.code())
    old = visitor.client.cookies["gerbang_session"]
    provider.clock.move(seconds=60)
    page = await visitor.get("/login?again=1")
    page = await visitor.submit(page, page.form("identifier"), identifier=budi.email, password=budi.password)
    await visitor.submit(page, page.form("code"), code=budi.code())
    assert visitor.client.cookies["gerbang_session"] != old
    assert await provider.services.sessions.by_token(old, provider.clock()) is None


async def test_on_a_shared_phone_a_service_first_asks_who_is_there(provider: Provider) -> None:
    visitor, siti = await provider.visitor(), provider.person()
    page = await visitor.walk(provider.ask().url, siti)
    assert page.left is not None
    assert (await visitor.get(provider.ask().url)).left is not None  # single sign-on
    provider.clock.move(minutes=6)
    page = await visitor.get(provider.ask().url)
    assert page.path == "/login"
    assert "Lanjut sebagai S…?" in page.text
    assert siti.name not in page.text
    assert (await visitor.submit(page, page.form("continue"), press="continue")).left is not None


async def test_not_me_signs_the_other_one_out(provider: Provider) -> None:
    visitor, siti = await provider.visitor(), provider.person()
    await visitor.walk(provider.ask().url, siti)
    provider.clock.move(minutes=6)
    page = await visitor.get(provider.ask().url)
    page = await visitor.submit(page, page.form("other"), press="other")
    assert page.form("identifier", "password")
    assert await provider.services.sessions.of_person(await account_of(provider, siti.email), provider.clock()) == []


async def test_a_stolen_form_or_a_form_of_another_browser_is_refused(provider: Provider) -> None:
    siti = provider.person()
    page = await (await provider.visitor()).get("/login")
    thief = await provider.visitor()
    fields = {**page.form("identifier").fields, "identifier": siti.email, "password": siti.password}
    assert (await thief.post("/login", fields)).status == 400  # no cookie at all
    await thief.get("/login")
    refused = await thief.post("/login", fields)
    assert refused.status == 403
    assert "kedaluwarsa" in refused.text


@pytest.mark.parametrize(
    "target", ["https://jahat.example/", "//jahat.example", "/\\jahat.example", "/authorize?x", "/me/../token", "javascript:1"]
)
async def test_sign_in_leads_to_no_stranger(provider: Provider, target: str) -> None:
    visitor, siti = await provider.visitor(), provider.person()
    page = await visitor.get(f"/login?next={target}")
    page = await visitor.sign_in(page, siti)
    assert (page.left, page.path) == (None, "/")


async def test_sign_in_leads_back_to_the_page_that_asked(provider: Provider) -> None:
    visitor, siti = await provider.visitor(), provider.person()
    page = await visitor.get("/me/history?client=aduan")
    assert page.path == "/login"
    assert (await visitor.sign_in(page, siti)).url.endswith("/me/history?client=aduan")


async def test_nobody_can_lock_a_victim_out(provider: Provider) -> None:
    siti = provider.person()
    own = await provider.visitor("198.51.100.1")
    await own.sign_in(await own.get("/login"), siti)
    provider.clock.move(seconds=60)
    answers = []
    for n in range(15):
        stranger = await provider.visitor(f"203.0.113.{n}")
        answers.append((await fill_in(stranger, siti.email, "salah salah salah")).status)
    assert answers == [422] * 10 + [429] * 5
    page = await own.get("/login?again=1")  # the device she signed in from before
    page = await own.sign_in(page, siti)
    assert page.path == "/"
    provider.clock.move(seconds=60)
    delayed = await fill_in(await provider.visitor("198.51.100.9"), siti.email, siti.password)
    assert delayed.status == 429
    assert int(delayed.response.headers["retry-after"]) > 0
    assert "Lupa sandi" in delayed.text  # another way on


async def test_delays_are_alike_for_people_who_do_not_exist(provider: Provider) -> None:
    pages = {}
    for typed in (provider.person().email, "tidak.ada@contoh.id"):
        statuses = []
        for n in range(12):
            page = await fill_in(await provider.visitor(f"203.0.113.{n}"), typed, "salah salah salah")
            statuses.append(page.status)
        pages[typed] = (statuses, CHANGING.sub("", page.text))
    assert len(set(map(str, pages.values()))) == 1


async def test_what_was_mistyped_rests_nowhere(provider: Provider) -> None:
    await fill_in(await provider.visitor(), "salahketik.unik@contoh.id", "SandiUnikSalahKetik")
    async with provider.services.database.read() as connection:
        for table in metadata.sorted_tables:
            text = str((await connection.execute(sa.select(table))).all()).lower()
            assert "salahketik" not in text, table.name


async def test_a_refusal_is_committed_although_the_answer_is_an_error(provider: Provider) -> None:
    siti = provider.person()
    person = await account_of(provider, siti.email)
    await fill_in(await provider.visitor(), siti.email, "salah salah salah")
    assert next(event.kind.value for event in await provider.services.events.of_person(person)) == "sign-in-failed"


async def test_a_hundred_wrong_codes_lead_to_recovery_and_not_around_the_factor(provider: Provider) -> None:
    budi, found = provider.person("budi"), provider.services
    person = await account_of(provider, budi.email)
    for _ in range(100):
        assert await found.accounts.factors.use_totp(person, "", provider.clock()) is Outcome.WRONG
    page = await fill_in(await provider.visitor(), budi.email, budi.password)
    assert page.status == 403
    assert "/recover/factor" in page.text
    assert await found.sessions.of_person(person, provider.clock()) == []


async def test_pages_of_sign_in_are_answered_in_both_languages(provider: Provider) -> None:
    visitor = await provider.visitor()
    assert "Masuk" in (await visitor.get("/login?lang=id")).text
    assert "Sign in" in (await visitor.get("/login?lang=en")).text


async def test_timing_of_known_and_unknown_people_is_alike(provider: Provider) -> None:
    """A coarse check on top of the exact one above: the quickest of turns, which a busy machine disturbs least, within a factor of two."""

    async def once(typed: str, n: int) -> float:
        visitor = await provider.visitor(f"203.0.113.{n}")
        page = await visitor.get("/login")
        start = time.perf_counter()
        await visitor.submit(page, page.form("identifier"), identifier=typed, password="salah salah salah")
        return time.perf_counter() - start

    turns = [(await once(provider.person().email, n), await once("tidak.ada@contoh.id", n)) for n in range(9)]
    known, unknown = (min(taken) for taken in zip(*turns, strict=True))
    assert 0.5 < known / unknown < 2
