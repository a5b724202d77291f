"""The citizen's own page of safety."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pyotp
import pytest

from idp.accounts.records import Account, Identifier, IdentifierKind
from tests.support.mailbox import letters

if TYPE_CHECKING:
    from tests.support.running import Provider
    from tests.support.visitor import Visitor

pytestmark = pytest.mark.parametrize("kind", ["sqlite"])

PASSWORD = "kucing oranye tidur"


async def signed_in(provider: Provider, key: str = "siti", address: str = "127.0.0.1") -> Visitor:
    visitor = await provider.visitor(address)
    page = await visitor.sign_in(await visitor.get("/login"), provider.person(key))
    assert page.path == "/"
    return visitor


async def account_of(provider: Provider, key: str = "siti") -> Account:
    (account,) = await provider.services.accounts.find(Identifier(IdentifierKind.EMAIL, provider.person(key).email))
    return account


async def test_the_page_wants_a_sign_in(provider: Provider) -> None:
    assert (await (await provider.visitor()).get("/security")).path == "/login"


async def test_an_application_is_added_by_picture_link_or_text_and_asked_for_from_then_on(provider: Provider) -> None:
    provider.clock.hold()
    visitor = await signed_in(provider)
    page = await visitor.get("/security/totp")
    key = "".join(re.search(r'<span class="mono strong">([A-Z2-7 ]+)</span>', page.text)[1].split())  # type: ignore[index]
    assert f"secret={key}" in page.text
    assert "siti" not in re.search(r'otpauth://[^"]*', page.text)[0].lower()  # type: ignore[index]
    picture = await visitor.get("/security/totp.svg")
    assert picture.response.headers["content-type"] == "image/svg+xml"
    assert "no-store" in picture.response.headers["cache-control"]
    assert (await visitor.get("/security/totp")).text.count(key) == page.text.count(key)  # a reload voids no picture
    wrong = await visitor.submit(page, page.form("code"), code="000000")
    assert wrong.status == 422
    old = visitor.client.cookies["gerbang_session"]
    done = await visitor.submit(wrong, wrong.form("code"), code=pyotp.TOTP(key).at(provider.clock()))
    assert done.url.endswith("/security?done=totp")
    assert visitor.client.cookies["gerbang_session"] != old
    assert (await account_of(provider)).has_totp
    other = await provider.visitor()
    page = await other.get("/login")
    page = await other.submit(page, page.form("identifier"), identifier=provider.person().email, password=provider.person().password)
    assert page.path == "/login/second-factor"
    assert any("Kode kedua" in letter.text for letter in await letters(provider, provider.person().email))


async def test_changing_a_factor_needs_a_fresh_sign_in(provider: Provider) -> None:
    visitor = await signed_in(provider)
    for _ in range(5):
        provider.clock.move(minutes=4)
        assert (await visitor.get("/security")).path == "/security"
    page = await visitor.get("/security/totp")
    assert page.path == "/login"
    page = await visitor.sign_in(page, provider.person())
    assert page.path == "/security/totp"


async def test_a_card_shows_its_codes_once(provider: Provider) -> None:
    visitor = await signed_in(provider)
    page = await visitor.get("/security/card")
    shown = await visitor.submit(page, next(form for form in page.forms if form.action.endswith("/card")))
    codes = re.findall(r"<li>(\d{4} \d{4})</li>", shown.text)
    assert len(codes) == 16
    assert not re.findall(r"\d{4} \d{4}", (await visitor.get("/security/card")).text)
    assert (await account_of(provider)).has_code_card


async def test_a_factor_is_removed_only_by_a_session_that_proved_it(provider: Provider) -> None:
    visitor = await signed_in(provider, "budi")
    page = await visitor.get("/security")
    form = next(form for form in page.forms if form.action.endswith("/totp/remove"))
    assert (await visitor.submit(page, form)).url.endswith("done=totp_removed")
    assert not (await account_of(provider, "budi")).has_totp


async def test_changing_the_password_asks_for_the_old_one_and_ends_other_sessions(provider: Provider) -> None:
    here, there = await signed_in(provider), await signed_in(provider, address="198.51.100.4")
    page = await here.get("/security/password")
    form = page.form("password", "new_password")
    assert (await here.submit(page, form, password="salah salah salah", new_password=PASSWORD)).status == 422
    assert (await here.submit(page, form, password=provider.person().password, new_password="pendek")).status == 422
    done = await here.submit(page, form, password=provider.person().password, new_password=PASSWORD)
    assert done.url.endswith("/security?done=password")
    assert (await there.get("/security")).path == "/login"
    assert any("diganti" in letter.text for letter in await letters(provider, provider.person().email))


async def test_sessions_are_listed_and_ended(provider: Provider) -> None:
    here, there = await signed_in(provider), await signed_in(provider, address="198.51.100.4")
    page = await here.get("/security")
    ends = [form for form in page.forms if re.search(r"/sessions/[^/]+/end$", form.action)]
    assert len(ends) == 2
    account = await account_of(provider)
    sessions = await provider.services.sessions.of_person(account.person, provider.clock())
    current = await _current(provider, here)
    other = next(one for one in sessions if one.id != current)
    await here.submit(page, next(form for form in ends if other.id in form.action))
    assert (await there.get("/security")).path == "/login"
    assert (await here.get("/security")).path == "/security"


async def _current(provider: Provider, visitor: Visitor) -> str:
    session = await provider.services.sessions.by_token(visitor.client.cookies["gerbang_session"], provider.clock())
    assert session is not None
    return session.id


async def test_nobody_ends_another_person_s_session(provider: Provider) -> None:
    siti, budi = await signed_in(provider), await signed_in(provider, "budi")
    page = await siti.get("/security")
    form = next(form for form in page.forms if re.search(r"/sessions/[^/]+/end$", form.action))
    stolen = form.action.replace(await _current(provider, siti), await _current(provider, budi))
    assert (await siti.post(stolen, form.fields)).status == 404
    assert (await budi.get("/security")).path == "/security"


async def test_all_other_sessions_are_ended_at_once_and_their_tokens_with_them(provider: Provider) -> None:
    there = await provider.visitor("198.51.100.4")
    tokens = await provider.tokens(visitor=there)
    assert (await provider.userinfo(tokens["access_token"])).status_code == 200
    here = await signed_in(provider)
    page = await here.get("/security")
    await here.submit(page, next(form for form in page.forms if form.action.endswith("/sessions/end")))
    assert (await provider.userinfo(tokens["access_token"])).status_code == 401
    assert (await here.get("/security")).path == "/security"


async def test_a_stated_nik_is_asserted_and_an_odd_one_is_asked_about_once(provider: Provider) -> None:
    visitor = await signed_in(provider, "dewi")
    page = await visitor.get("/security/nik")
    assert (await visitor.submit(page, page.form("nik"), nik="6471046008010000")).status == 422
    odd = await visitor.submit(page, page.form("nik"), nik="6471041708900004")
    assert "bukan tanggal lahir" in odd.text
    done = await visitor.submit(odd, odd.form("nik"))
    assert done.url.endswith("done=nik")
    account = await account_of(provider, "dewi")
    assert not account.nik_verified
    assert await provider.services.accounts.same(account.person, Identifier(IdentifierKind.NIK, "6471041708900004"))
