"""Passkeys: added on the page of safety, used as a second factor or alone, lost and recovered; and what nobody gets in by."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from idp.accounts.records import Account, Identifier, IdentifierKind
from idp.events.records import EventKind
from tests.support.authenticator import Device, options_of, raw, text
from tests.support.mailbox import letters

if TYPE_CHECKING:
    from tests.support.running import Provider
    from tests.support.visitor import Page, Visitor

pytestmark = pytest.mark.parametrize("kind", ["sqlite"])


async def account_of(provider: Provider, key: str = "siti") -> Account:
    (account,) = await provider.services.accounts.find(Identifier(IdentifierKind.EMAIL, provider.person(key).email))
    return account


async def signed_in(provider: Provider, key: str = "siti") -> Visitor:
    visitor = await provider.visitor()
    await visitor.sign_in(await visitor.get("/login"), provider.person(key))
    return visitor


async def add(visitor: Visitor, device: Device, label: str = "HP Siti", address: str = "/security/passkey", **lies: Any) -> Page:
    page = await visitor.get(address)
    return await visitor.submit(page, page.form("answer"), label=label, answer=device.create(options_of(page), **lies))


async def owned(provider: Provider, key: str = "siti", **kind: Any) -> Device:
    """Give somebody a passkey."""
    device = Device(provider.settings.origin, **kind)
    page = await add(await signed_in(provider, key), device)
    assert page.url.endswith("done=passkey"), page.text
    return device


async def asked(provider: Provider, key: str = "siti") -> tuple[Visitor, Page]:
    """Type the password; the page that asks for the passkey is next."""
    visitor, person = await provider.visitor(), provider.person(key)
    page = await visitor.get("/login")
    page = await visitor.submit(page, page.form("identifier"), identifier=person.email, password=person.password)
    assert page.path == "/login/passkey", page.text
    return visitor, page


async def session_of(provider: Provider, visitor: Visitor) -> Any:
    return await provider.services.sessions.by_token(visitor.client.cookies.get("gerbang_session", ""), provider.clock())


async def test_a_passkey_is_added_under_a_name_listed_told_of_and_removed(provider: Provider) -> None:
    visitor, device = await signed_in(provider), Device(provider.settings.origin)
    page = await add(visitor, device)
    assert page.url.endswith("done=passkey")
    assert "HP Siti" in page.text
    assert "Hanya di satu perangkat." in page.text
    account = await account_of(provider)
    (passkey,) = await provider.services.accounts.passkeys.of_person(account.person)
    assert (passkey.synced, passkey.transports) == (False, ("internal",))
    assert "HP Siti" not in (await visitor.get("/me/data")).text
    told = [letter.subject for letter in await letters(provider, provider.person().email)]
    assert "Kunci perangkat dipasang" in told
    events = [event.kind for event in await provider.services.events.of_person(account.person)]
    assert EventKind.PASSKEY_ADDED in events

    gone = next(form for form in page.forms if form.action.endswith("/remove"))
    asked_first = await visitor.submit(page, gone)  # a key there is, and this session has not used it
    assert asked_first.path == "/login/passkey"
    answer = device.get(options_of(asked_first))
    page = await visitor.submit(asked_first, asked_first.form("answer"), answer=answer)
    assert page.path == "/security"  # the page where the button stands, for nothing repeats what a form sent
    assert (await visitor.submit(page, next(form for form in page.forms if form.action.endswith("/remove")))).url.endswith(
        "passkey_removed"
    )
    assert not (await account_of(provider)).has_passkey
    assert not await provider.services.accounts.sealed(account.person, [passkey.label_claim])


async def test_nobody_removes_another_person_s(provider: Provider) -> None:
    await owned(provider)
    (passkey,) = await provider.services.accounts.passkeys.of_person((await account_of(provider)).person)
    dewi = await signed_in(provider, "dewi")
    page = await dewi.get("/security/passkey")
    token = page.form("answer").fields | {"form_token": (await _token(dewi))}
    assert (await dewi.post(f"/security/passkey/{passkey.id}/remove", token)).status == 404
    assert (await account_of(provider)).has_passkey


async def _token(visitor: Visitor) -> str:
    """Give the token of a removing form: it is the browser's, whoever's key the address names. The session has proven its own key."""
    device = Device(visitor.issuer)
    await add(visitor, device)
    page = await visitor.get("/login/passkey")
    await visitor.submit(page, page.form("answer"), answer=device.get(options_of(page)))
    page = await visitor.get("/security")
    return next(form for form in page.forms if form.action.endswith("/remove")).fields["form_token"]


@pytest.mark.parametrize(
    ("synced", "acr", "amr"), [(False, "aal3", ("pwd", "hwk", "pop", "user", "mfa")), (True, "aal2", ("pwd", "swk", "pop", "user", "mfa"))]
)
async def test_after_the_password_a_key_of_one_device_makes_aal3_a_copied_one_aal2(
    provider: Provider, *, synced: bool, acr: str, amr: tuple[str, ...]
) -> None:
    device = await owned(provider, synced=synced)
    visitor, page = await asked(provider)
    assert [raw(one["id"]) for one in options_of(page)["allowCredentials"]] == [device.credential]
    page = await visitor.submit(page, page.form("answer"), answer=device.get(options_of(page)))
    assert page.path == "/"
    session = await session_of(provider, visitor)
    assert (session.acr, session.amr) == (acr, amr)


async def test_a_passkey_alone_signs_in(provider: Provider) -> None:
    device = await owned(provider, synced=True, count=None)
    visitor = await provider.visitor()
    page = await visitor.get("/login")
    page = await visitor.get(re.search(r'href="(/login/by-passkey[^"]*)"', page.text)[1])  # type: ignore[index]
    options = options_of(page)
    assert options["allowCredentials"] == []
    page = await visitor.submit(page, page.form("answer"), answer=device.get(options))
    assert page.path == "/"
    session = await session_of(provider, visitor)
    assert (session.acr, session.amr, session.remembered) == ("aal2", ("swk", "pop", "user", "mfa"), False)
    nameless = await provider.visitor()
    page = await nameless.get("/login/by-passkey")
    page = await nameless.submit(page, page.form("answer"), answer=device.get(options_of(page), handle=b""))
    assert (page.status, await session_of(provider, nameless)) == (422, None)


LIES: dict[str, dict[str, Any]] = {
    "a page of somebody else asked": {"client": {"origin": "https://gerbang.example"}},
    "a page in a frame of somebody else asked": {"client": {"crossOrigin": True}},
    "for another relying party": {"rp_id": "gerbang.example"},
    "the answer of another ceremony": {"client": {"type": "webauthn.create"}},
    "nobody was verified": {"verified": 0},
    "the counter stands still": {"count": 0},
    "a key of one device is copied now": {"synced": True},
    "somebody else's handle": {"handle": b"x" * 32},
}


async def test_what_no_second_factor_is(provider: Provider) -> None:
    device = await owned(provider)
    visitor, page = await asked(provider)
    page = await visitor.submit(page, page.form("answer"), answer=device.get(options_of(page)))
    assert page.path == "/"  # the counter stands at one now
    visitor, page = await asked(provider)
    for what, lies in LIES.items():
        page = await visitor.submit(page, page.form("answer"), answer=device.get(options_of(page), **lies))
        assert page.status == 422, what
    for answer in ("", "{}", "[]", '{"id": 1}', "x" * 9000, json.dumps({"id": "AA", "response": {"clientDataJSON": "e30"}})):
        page = await visitor.submit(page, page.form("answer"), answer=answer)
        assert page.status in {422, 429}
    assert await session_of(provider, visitor) is None
    events = [event.detail for event in await provider.services.events.of_person((await account_of(provider)).person)]
    assert "passkey counter went back" in events


async def test_an_answer_counts_once(provider: Provider) -> None:
    device = await owned(provider, count=None)
    visitor, page = await asked(provider)
    answer = device.get(options_of(page))
    assert (await visitor.submit(page, page.form("answer"), answer=answer)).path == "/"
    again, page = await asked(provider)
    page = await again.submit(page, page.form("answer"), answer=answer)
    assert page.status == 422
    assert await session_of(provider, again) is None


async def test_a_challenge_is_worth_nothing_elsewhere(provider: Provider) -> None:
    """In another browser, for another step, and after ten minutes."""
    device = await owned(provider, count=None)
    visitor, page = await asked(provider)
    other, theirs = await asked(provider)
    assert (await other.submit(theirs, theirs.form("answer"), answer=device.get(options_of(page)))).status == 422
    alone = await visitor.get("/login/by-passkey")
    assert (await visitor.submit(alone, alone.form("answer"), answer=device.get(options_of(page)))).status == 422
    service = await visitor.get(provider.ask().url)
    service = await visitor.get(re.search(r'href="(/login/by-passkey[^"]*)"', service.text)[1].replace("&amp;", "&"))  # type: ignore[index]
    assert (await visitor.submit(service, service.form("answer"), answer=device.get(options_of(alone)))).status == 422
    provider.clock.move(minutes=9, seconds=59)
    assert await session_of(provider, visitor) is None
    provider.clock.move(seconds=2)
    late = await visitor.submit(alone, alone.form("answer"), answer=device.get(options_of(alone)))
    assert "terlalu lama" in late.text


async def test_another_account_s_key_is_no_second_factor(provider: Provider) -> None:
    await owned(provider)
    dewi = await owned(provider, "dewi")
    visitor, page = await asked(provider)
    assert (await visitor.submit(page, page.form("answer"), answer=dewi.get(options_of(page)))).status == 422
    assert await session_of(provider, visitor) is None


async def test_a_credential_is_nobody_else_s_too(provider: Provider) -> None:
    device = await owned(provider)
    page = await add(await signed_in(provider, "dewi"), device)
    assert page.status == 422
    assert "sudah terpasang" in page.text
    assert not (await account_of(provider, "dewi")).has_passkey


NEW_LIES: list[dict[str, Any]] = [
    {"verified": 0}, {"client": {"origin": "https://x.example"}}, {"rp_id": "x.example"}, {"client": {"type": "webauthn.get"}},
    {"client": {"challenge": text(b"0" * 32)}}, {"attestation": {"fmt": "fido-u2f", "attStmt": {}}},
    {"attestation": {"fmt": "none", "attStmt": {"x5c": [b"0"]}}},
]  # fmt: skip


async def test_what_is_not_added(provider: Provider) -> None:
    visitor = await signed_in(provider)
    for lies in NEW_LIES:
        assert (await add(visitor, Device(provider.settings.origin), **lies)).status == 422, lies
    assert not (await account_of(provider)).has_passkey


async def test_adding_needs_a_fresh_sign_in_and_the_second_factor_that_is_there(provider: Provider) -> None:
    device = await owned(provider)
    visitor, page = await asked(provider)
    page = await visitor.submit(page, page.form("answer"), answer=device.get(options_of(page)))
    assert (await visitor.get("/security/passkey")).path == "/security/passkey"
    for _ in range(5):
        provider.clock.move(minutes=4)
        await visitor.get("/security")
    assert (await visitor.get("/security/passkey")).path == "/login"


async def test_ten_keys_are_enough(provider: Provider) -> None:
    device = await owned(provider)
    visitor, page = await asked(provider)
    await visitor.submit(page, page.form("answer"), answer=device.get(options_of(page)))
    kept = provider.services.accounts.passkeys
    (first,) = await kept.of_person((await account_of(provider)).person)
    for n in range(8):
        await kept.add(replace(first, id=str(n) * 22, credential=bytes([n]) * 32))
    assert (await add(visitor, Device(provider.settings.origin), "x" * 200)).url.endswith("done=passkey")
    page = await add(visitor, Device(provider.settings.origin))
    assert "sudah punya 10 kunci" in page.text


async def test_who_lost_the_device_recovers_and_its_keys_are_gone(provider: Provider) -> None:
    await owned(provider)
    visitor, page = await asked(provider)
    person = provider.person()
    page = await visitor.get(re.search(r'href="(/recover/factor[^"]*)"', page.text)[1])  # type: ignore[index]
    page = await visitor.submit(page, page.form("identifier"), identifier=person.email, password=person.password)
    code = re.search(r"\b\d{8}\b", (await letters(provider, person.email))[-1].text)[0]  # type: ignore[index]
    page = await visitor.submit(page, page.form("code"), code=code)
    assert page.path == "/"
    assert not (await account_of(provider)).has_passkey


async def test_after_a_password_was_recovered_a_key_alone_does_not_do(provider: Provider) -> None:
    """Else who once added a key of their own to another's account would stay in it whatever the owner does."""
    device = await owned(provider)
    account = await account_of(provider)
    provider.clock.move(seconds=1)
    await provider.services.events.record(EventKind.RECOVERED, at=provider.clock(), person=account.person)
    visitor = await provider.visitor()
    page = await visitor.get("/login/by-passkey")
    page = await visitor.submit(page, page.form("answer"), answer=device.get(options_of(page)))
    assert (page.status, "sandi baru" in page.text) == (422, True)
    provider.clock.move(seconds=1)
    visitor, page = await asked(provider)
    await visitor.submit(page, page.form("answer"), answer=device.get(options_of(page)))
    provider.clock.move(seconds=1)
    visitor = await provider.visitor()
    page = await visitor.get("/login/by-passkey")
    assert (await visitor.submit(page, page.form("answer"), answer=device.get(options_of(page)))).path == "/"


async def test_a_locked_account_stays_locked(provider: Provider) -> None:
    from idp.accounts.records import AccountState

    device = await owned(provider)
    await provider.services.accounts.set_state((await account_of(provider)).person, AccountState.LOCKED)
    visitor = await provider.visitor()
    page = await visitor.get("/login/by-passkey")
    page = await visitor.submit(page, page.form("answer"), answer=device.get(options_of(page)))
    assert (page.status, await session_of(provider, visitor)) == (403, None)


AAL3 = {"acr_values": "aal3", "claims": json.dumps({"id_token": {"acr": {"essential": True, "value": "aal3"}}})}


async def test_who_has_no_passkey_is_told_so_and_the_service_learns_it(provider: Provider) -> None:
    visitor, siti = await provider.visitor(), provider.person()
    page = await visitor.sign_in(await visitor.get(provider.ask(**AAL3).url), siti)
    assert page.path == "/login/passkey"
    assert "perlu kunci perangkat" in page.text
    page = await visitor.submit(page, page.form("leave"), press="leave")
    assert page.answer["error"] == "unmet_authentication_requirements"


async def test_who_has_none_makes_one_and_comes_back_and_a_copied_one_is_not_enough(provider: Provider) -> None:
    visitor, siti = await provider.visitor(), provider.person()
    page = await visitor.sign_in(await visitor.get(provider.ask(**AAL3).url), siti)
    way = re.search(r'href="(/security/passkey[^"]*)"', page.text)[1].replace("&amp;", "&")  # type: ignore[index]
    copied = Device(provider.settings.origin, synced=True)
    page = await add(visitor, copied, address=way)
    assert "disalin" in page.text
    page = await visitor.get(way)
    assert page.path == "/login/passkey"  # there is a second factor now: changing them needs it
    page = await visitor.submit(page, page.form("answer"), answer=copied.get(options_of(page)))
    device = Device(provider.settings.origin)
    page = await visitor.submit(page, page.form("answer"), label="", answer=device.create(options_of(page)))
    assert page.path == "/login/passkey"
    assert [raw(one["id"]) for one in options_of(page)["allowCredentials"]] == [device.credential]
    assert (await visitor.submit(page, page.form("answer"), answer=copied.get(options_of(page)))).status == 422
    page = await visitor.get(page.url)
    page = await visitor.submit(page, page.form("answer"), answer=device.get(options_of(page)))
    assert page.path == "/approve"
    assert "code" in (await visitor.allow(page)).answer
    assert (await session_of(provider, visitor)).acr == "aal3"
    # who is that strong already is asked nothing; and a code, which is weaker, changes nothing
    assert "code" in (await visitor.get(provider.ask(**AAL3).url)).answer


async def test_a_code_takes_nothing_from_a_session_that_a_passkey_made(provider: Provider) -> None:
    provider.clock.hold()
    visitor, budi = await signed_in(provider, "budi"), provider.person("budi")
    device = Device(provider.settings.origin)
    await add(visitor, device)
    page = await visitor.get("/login/passkey?next=" + quote("/security"))
    await visitor.submit(page, page.form("answer"), answer=device.get(options_of(page)))
    before = await session_of(provider, visitor)
    assert before.amr == ("pwd", "hwk", "pop", "user", "mfa")
    provider.clock.move(minutes=2)
    page = await visitor.get("/login/second-factor?next=" + quote("/security"))
    page = await visitor.submit(page, page.form("code"), code=budi.code())
    assert page.path == "/security"
    after = await session_of(provider, visitor)
    assert (after.acr, after.amr, after.auth_time) == ("aal3", before.amr, before.auth_time)


async def test_erasing_the_account_erases_its_keys(provider: Provider) -> None:
    from idp.protocol import erasure

    device = await owned(provider)
    await erasure.erase(provider.services, (await account_of(provider)).person)
    assert await provider.services.accounts.passkeys.find(device.credential) is None
