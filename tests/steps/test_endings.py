"""Endings by hand of the citizen and by what somebody else does at the same device: who is told of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyotp
import pytest

from idp.accounts.records import Identifier, IdentifierKind
from idp.notices.streams.records import Stream
from idp.protocol import ending, registrations, streams
from tests.support.application import SECRET, Application, application

if TYPE_CHECKING:
    from tests.support.running import Provider
    from tests.support.visitor import Page

pytestmark = pytest.mark.parametrize("kind", ["sqlite"])
CLIENT = "loket"


@pytest.fixture
async def app(provider: Provider) -> Application:
    made = await application(provider)
    await made.register(CLIENT, backchannel_logout_uri="https://loket.test/out")
    await streams.put(provider.services, Stream(CLIENT, frozenset(streams.EVENTS)))
    return made


async def sign_in(app: Application) -> None:
    await app.redeem((await app.through(client_id=CLIENT))["code"], (CLIENT, SECRET))


async def told(app: Application) -> list[tuple[str, str]]:
    return sorted((one.kind.value, one.event) for one in await app.provider.services.notices.of_client(CLIENT))


BOTH = [("logout", "session-revoked"), ("signal", "session-revoked")]


async def test_another_person_who_signs_in_at_the_same_browser_ends_the_first_one_s_session_for_services_too(app: Application) -> None:
    await sign_in(app)
    page = await app.visitor.get("/login?again=1")
    await app.visitor.sign_in(page, app.provider.person("budi"))
    assert await told(app) == BOTH


async def test_the_same_person_who_signs_in_again_ends_nothing(app: Application) -> None:
    await sign_in(app)
    await app.visitor.sign_in(await app.visitor.get("/login?again=1"), app.provider.person())
    assert await told(app) == []


async def test_bukan_saya_tells_the_services_of_whoever_was_there(app: Application) -> None:
    await sign_in(app)
    app.provider.clock.move(minutes=7)
    page = await app.ask(client_id=CLIENT)
    await app.visitor.submit(page, page.form("other"), press="other")
    assert await told(app) == BOTH


async def test_signing_out_of_a_browser_that_no_service_saw_tells_nobody(app: Application) -> None:
    await sign_in(app)
    elsewhere = await app.provider.visitor()
    await elsewhere.sign_in(await elsewhere.get("/login"), app.provider.person())
    page = await elsewhere.get("/logout")
    await elsewhere.submit(page, page.forms[-1])
    assert await told(app) == []


async def test_a_second_factor_that_is_added_or_taken_away_is_told(app: Application) -> None:
    await sign_in(app)
    page: Page = await app.visitor.get("/security/totp")
    secret = next(part.partition("=")[2] for part in page.text.replace("&amp;", "?").split("?") if part.startswith("secret="))
    code = pyotp.TOTP(secret[:32]).at(app.provider.clock())
    await app.visitor.submit(page, page.form("code"), code=code)
    page = await app.visitor.get("/security")
    await app.visitor.submit(page, next(form for form in page.forms if form.action.endswith("/totp/remove")))
    assert await told(app) == [("signal", "credential-change")] * 2


async def test_a_purpose_that_is_taken_away_is_told_to_the_application(app: Application) -> None:
    from dataclasses import replace

    from idp.spec.client_metadata import ClientMetadata

    await sign_in(app)
    found = app.provider.services
    client = await found.clients.get(CLIENT)
    assert client is not None
    metadata = ClientMetadata(
        "Loket", CLIENT, redirect_uris=client.redirect_uris, uris={"backchannel_logout_uri": "https://loket.test/out"}
    )
    assert await registrations.change(found, client, replace(metadata, purposes=()), registrations.COMMAND_LINE)
    assert ("signal", "consent-revoked") in await told(app)


async def test_a_lock_that_is_lifted_is_told_and_told_again_the_next_time(app: Application) -> None:
    await sign_in(app)
    found = app.provider.services
    (siti,) = await found.accounts.find(Identifier(IdentifierKind.EMAIL, app.provider.person().email))
    for _ in range(2):
        await ending.lock(found, siti.person)
        await ending.unlock(found, siti.person)
    events = [event for kind, event in await told(app) if kind == "signal"]
    assert events.count("account-disabled") == events.count("account-enabled") == 2
    assert not await ending.lock(found, "nobody")


async def test_the_withdrawal_page_ends_the_service_s_session_and_says_so_to_it_alone(app: Application) -> None:
    await app.tokens()
    await sign_in(app)
    page = await app.visitor.get("/me/permissions")
    grants = await app.provider.services.consent.ledger.of_person(
        (await app.provider.services.accounts.find(Identifier(IdentifierKind.EMAIL, app.provider.person().email)))[0].person
    )
    (grant,) = [grant for grant in grants if grant.client == CLIENT]
    page = await app.visitor.get(f"/me/permissions/{grant.id}")
    await app.visitor.submit(page, page.forms[-1])
    assert await told(app) == [("logout", "consent-revoked"), ("signal", "consent-revoked")]
    assert await app.provider.services.notices.of_client("app") == []
