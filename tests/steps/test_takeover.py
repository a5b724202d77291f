"""What a thief of one thing does not get: of a mailbox, an old password, a telephone left open, a look at a page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pyotp
import pytest

from idp.accounts.proofs.records import Purpose
from idp.accounts.records import Account, AccountState, Identifier, IdentifierKind, Source, Value
from idp.events.records import EventKind
from idp.protocol import ending, new_password
from tests.support.mailbox import letters

if TYPE_CHECKING:
    from tests.support.running import Provider
    from tests.support.visitor import Page, Visitor

pytestmark = pytest.mark.parametrize("kind", ["sqlite"])

PASSWORD = "kucing oranye tidur"


async def account_of(provider: Provider, key: str = "siti") -> Account:
    (account,) = await provider.services.accounts.find(Identifier(IdentifierKind.EMAIL, provider.person(key).email))
    return account


async def try_password(visitor: Visitor, identifier: str, password: str) -> Page:
    page = await visitor.get("/login")
    return await visitor.submit(page, page.form("identifier"), identifier=identifier, password=password)


async def reset_by_mail(provider: Provider, visitor: Visitor, email: str) -> None:
    page = await visitor.get("/recover")
    page = await visitor.submit(page, page.form("identifier"), identifier=email)
    code = (await letters(provider, email))[-1].code
    assert (await visitor.submit(page, page.form("code"), code=code, password=PASSWORD)).status == 200


async def ask_to_remove_the_factor(visitor: Visitor, email: str) -> Page:
    page = await visitor.get("/recover/factor")
    return await visitor.submit(page, page.form("identifier"), identifier=email, password=PASSWORD)


async def test_a_mailbox_alone_takes_the_password_or_the_second_factor_but_not_both(provider: Provider) -> None:
    """ui.md: who lost both comes to the counter."""
    budi, thief = provider.person("budi"), await provider.visitor()
    await reset_by_mail(provider, thief, budi.email)
    page = await ask_to_remove_the_factor(thief, budi.email)
    assert (page.status, page.path) == (403, "/recover/factor")
    assert (await account_of(provider, "budi")).number in page.text  # what to name at the counter
    assert (await account_of(provider, "budi")).has_totp


async def test_who_proved_the_second_factor_since_may_lose_it_again(provider: Provider) -> None:
    budi, visitor = provider.person("budi"), await provider.visitor()
    await reset_by_mail(provider, visitor, budi.email)
    page = await try_password(visitor, budi.email, PASSWORD)
    await visitor.submit(page, page.form("code"), code=budi.code())
    assert (await ask_to_remove_the_factor(visitor, budi.email)).path == "/recover/factor/code"


async def test_a_changed_password_ends_sign_ins_that_wait_for_their_second_factor(provider: Provider) -> None:
    budi, thief = provider.person("budi"), await provider.visitor("198.51.100.4")
    page = await try_password(thief, budi.email, budi.password)
    assert page.path == "/login/second-factor"
    account = await account_of(provider, "budi")
    await new_password.change(provider.services, account.person, PASSWORD, EventKind.PASSWORD_CHANGED)
    assert (await thief.submit(page, page.form("code"), code=budi.code())).status == 410
    assert await provider.services.sessions.of_person(account.person, provider.clock()) == []


async def test_a_lock_ends_sign_ins_that_wait_and_nothing_signs_in_before_it_is_lifted(provider: Provider) -> None:
    budi, visitor, found = provider.person("budi"), await provider.visitor(), provider.services
    page = await try_password(visitor, budi.email, budi.password)
    account = await account_of(provider, "budi")
    await found.accounts.set_state(account.person, AccountState.LOCKED)  # the moment before its sign-ins end
    assert (await visitor.submit(page, page.form("code"), code=budi.code())).status == 410
    await ending.lock(found, account.person)
    await ending.unlock(found, account.person)
    assert (await visitor.get("/security")).path == "/login"
    assert (await visitor.submit(page, page.form("code"), code=budi.code())).status == 410


async def test_services_that_refresh_do_not_keep_a_shared_device_open_for_whoever_comes_next(provider: Provider) -> None:
    """Design §6: "without it the session ends with the browser or 15 idle minutes"."""
    visitor = await provider.visitor()
    tokens = await provider.tokens(visitor=visitor)
    for _ in range(6):
        provider.clock.move(minutes=4)
        tokens = (await provider.refresh(tokens["refresh_token"])).json()
    assert (await provider.userinfo(tokens["access_token"])).status_code == 200  # the service itself goes on
    assert (await visitor.get("/me/data")).path == "/login"
    page = await visitor.get("/login")
    assert "identifier" in page.form("identifier", "password").fields  # and nobody is offered to go on as the person who left
    assert "continue" not in {name for form in page.forms for name in form.buttons}


async def test_a_key_that_was_looked_at_in_another_session_never_becomes_the_second_factor(provider: Provider) -> None:
    siti = provider.person()
    thief, own = await provider.visitor("198.51.100.4"), await provider.visitor()
    seen = await _key(await _opened(thief, siti, "/security/totp"))
    page = await _opened(own, siti, "/security/totp")
    assert await _key(page) != seen
    wrong = await own.submit(page, page.form("code"), code=pyotp.TOTP(seen).at(provider.clock()))
    assert wrong.status == 422


async def _opened(visitor: Visitor, person: object, path: str) -> Page:
    await visitor.sign_in(await visitor.get("/login"), person)  # type: ignore[arg-type]
    return await visitor.get(path)


async def _key(page: Page) -> str:
    found = re.search(r'<span class="mono strong">([A-Z2-7 ]+)</span>', page.text)
    assert found is not None
    return found[1].replace(" ", "")


async def test_who_recovered_is_not_held_up_by_what_strangers_did(provider: Provider) -> None:
    siti, found = provider.person(), provider.services
    stranger = await provider.visitor("198.51.100.4")
    for _ in range(11):
        page = await try_password(stranger, siti.email, "salah salah salah")
    assert page.status == 429
    own = await provider.visitor("203.0.113.9")
    await reset_by_mail(provider, own, siti.email)
    assert (await try_password(own, siti.email, PASSWORD)).path == "/"
    assert len(await found.sessions.of_person((await account_of(provider)).person, provider.clock())) == 1


async def test_a_household_s_shared_telephone_opens_no_way_around_strangers_limits(provider: Provider) -> None:
    """A browser that one of a household signed in from is a stranger to the others: it may not guess their passwords at leisure."""
    siti, found = provider.person(), provider.services
    values = [Value("name", "Ani"), Value("phone_number", siti.phone, Source.VERIFIED), Value("email", "ani@contoh.id", Source.VERIFIED)]
    own = "payung biru basah"
    await found.accounts.create(values=values, now=found.clock(), password_hash=await found.keyring.passwords.hash(own))
    for _ in range(3):  # each new browser would bring ten more tries
        ani = await provider.visitor("198.51.100.4")
        assert (await try_password(ani, "ani@contoh.id", own)).path == "/"
        await ani.submit(await ani.get("/"), (await ani.get("/")).form("form_token"))
        for n in range(4):
            assert (await try_password(ani, siti.phone, f"tebakan ke {n} saja")).status == 422
    assert (await try_password(ani, siti.phone, siti.password)).status == 422  # right at last, and not looked at any more
    assert (await try_password(ani, siti.phone, own)).path == "/"  # who is known is not held up by it
    assert (await try_password(await provider.visitor("198.51.100.4"), siti.phone, siti.password)).status == 429


async def test_who_knows_an_account_number_cannot_spoil_its_slip(provider: Provider) -> None:
    account, found = await account_of(provider), provider.services
    slip = await found.accounts.proofs.issue(Purpose.SLIP, account.person, found.clock(), lifetime=900)
    for n in range(8):
        stranger = await provider.visitor(f"198.51.100.{n}")
        page = await stranger.get("/recover/slip")
        assert (await use_slip(stranger, page, account, "0000000000")).status == 422
    own = await provider.visitor()
    assert (await use_slip(own, await own.get("/recover/slip"), account, slip.code)).status == 200


async def use_slip(visitor: Visitor, page: Page, account: Account, code: str) -> Page:
    return await visitor.submit(page, page.form("identifier", "code"), identifier=account.number, code=code, password=PASSWORD)
