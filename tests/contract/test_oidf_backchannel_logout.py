"""OpenID Connect Back-Channel Logout 1.0, and the rows of the Foundation's plan oidcc-backchannel-rp-initiated-logout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from idp.notices.records import NoticeStatus
from idp.spec import client_assertion
from tests.support.application import AFTER_LOGOUT, Application, application, part
from tests.support.listening import Listener, deliver, logout_token, opened
from tests.support.running import Provider, running, settings_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from keys.database import StoreName

HOST = "rp.test"
URI = f"https://{HOST}/logout"
EVENT = "http://schemas.openid.net/event/backchannel-logout"


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
async def app(filled_urls: dict[StoreName, str], tmp_path: Path, listener: Listener) -> AsyncIterator[Application]:
    """Client "app", and "loket" that wants to be told."""
    settings = settings_for(filled_urls, tmp_path / "data")
    settings.data_dir.mkdir(exist_ok=True)
    async with running(settings, network=listener.transport) as provider:
        made = await application(provider)
        await made.register("loket", backchannel_logout_uri=URI, backchannel_logout_session_required=True)
        yield made


async def signed_in(app: Application, client: str = "loket", **changes: object) -> dict[str, Any]:
    """Sign Siti in at a client; its tokens."""
    answer = await app.through(client_id=client, **changes)
    found: dict[str, Any] = (await app.redeem(answer["code"], (client, "rahasia"))).json()
    return found


async def logout(app: Application, **parameters: str) -> str | None:
    return (await app.visitor.get(f"/logout?{urlencode(parameters)}")).left


async def told(app: Application, listener: Listener, host: str = HOST) -> list[dict[str, Any]]:
    """Deliver, and give the claims of every logout token that a host got."""
    await deliver(app.provider)
    return [opened(app.provider, logout_token(request))[1] for request in listener.at(host)]


async def statuses(provider: Provider, client: str = "loket") -> list[tuple[str, int]]:
    return [(one.status, one.attempts) for one in await provider.services.notices.of_client(client)]


async def test_oidcc_backchannel_logout_discovery_endpoint_verification(app: Application) -> None:
    document = (await app.http.get("/.well-known/openid-configuration")).json()
    assert document["backchannel_logout_supported"] is True
    assert document["backchannel_logout_session_supported"] is True
    assert document["end_session_endpoint"] == f"{app.provider.issuer}/logout"


async def test_oidcc_backchannel_rp_initiated_logout(app: Application, listener: Listener) -> None:
    tokens = await signed_in(app)
    left = await logout(app, id_token_hint=tokens["id_token"], post_logout_redirect_uri=AFTER_LOGOUT, state="s")
    assert left == f"{AFTER_LOGOUT}?state=s"
    assert listener.heard == []  # nobody waited for the application
    await deliver(app.provider)
    (request,) = listener.at(HOST)
    header, claims = opened(app.provider, logout_token(request))
    hint = part(tokens["id_token"], 1)
    assert (header["typ"], header["alg"]) == ("logout+jwt", "RS256")
    assert claims["iss"] == app.provider.issuer
    assert claims["aud"] == "loket"
    assert (claims["sub"], claims["sid"]) == (hint["sub"], hint["sid"])
    assert 0 < claims["exp"] - claims["iat"] <= 120
    assert claims["events"] == {EVENT: {}}
    assert set(claims) == {"iss", "aud", "iat", "exp", "jti", "events", "sub", "sid"}  # no nonce
    assert (await app.ask(client_id="loket", prompt="none")).answer["error"] == "login_required"
    assert await statuses(app.provider) == [("delivered", 1)]


async def test_2_4_the_token_is_signed_as_the_id_token_is(app: Application, listener: Listener) -> None:
    await app.register("es256", backchannel_logout_uri=URI, id_token_signed_response_alg="ES256")
    await signed_in(app, "es256")
    await logout(app, id_token_hint=(await signed_in(app, "es256"))["id_token"])
    await deliver(app.provider)
    header, claims = opened(app.provider, logout_token(listener.at(HOST)[0]))
    assert (header["alg"], claims["aud"]) == ("ES256", "es256")


async def test_every_service_of_the_session_is_told_by_its_own_sid_and_no_other(app: Application, listener: Listener) -> None:
    await app.register("second", backchannel_logout_uri="https://second.test/out")
    await app.register("stranger", backchannel_logout_uri="https://stranger.test/out")
    first, second = await signed_in(app), await signed_in(app, "second", scope="openid offline_access", prompt="consent")
    await logout(app, id_token_hint=first["id_token"])
    await deliver(app.provider)
    for host, tokens in ((HOST, first), ("second.test", second)):
        (request,) = listener.at(host)
        assert opened(app.provider, logout_token(request))[1]["sid"] == part(tokens["id_token"], 1)["sid"]
    assert listener.at("stranger.test") == []


async def test_keluar_on_our_pages_tells(app: Application, listener: Listener) -> None:
    await signed_in(app)
    page = await app.visitor.get("/logout")
    await app.visitor.submit(page, page.forms[-1])
    assert len(await told(app, listener)) == 1


async def test_a_session_ended_from_the_security_page_tells(app: Application, listener: Listener) -> None:
    await signed_in(app)
    elsewhere = await app.provider.visitor()
    await elsewhere.sign_in(await elsewhere.get("/login"), app.provider.person())
    page = await elsewhere.get("/security")
    form = next(form for form in page.forms if form.action.endswith("/sessions/end"))
    await elsewhere.submit(page, form)
    assert len(await told(app, listener)) == 1


async def test_an_expired_session_tells_once(app: Application, listener: Listener) -> None:
    from idp.protocol import ending

    tokens = await signed_in(app)
    assert await ending.end_expired(app.provider.services) == 0
    app.provider.clock.move(minutes=16)
    assert await ending.end_expired(app.provider.services) == 1
    assert await ending.end_expired(app.provider.services) == 0
    (claims,) = await told(app, listener)
    assert claims["sid"] == part(tokens["id_token"], 1)["sid"]


async def test_a_changed_password_tells_the_services_of_other_sessions(app: Application, listener: Listener) -> None:
    from idp.events.records import EventKind
    from idp.protocol import new_password

    tokens = await signed_in(app)
    person = await person_of(app)
    await new_password.change(app.provider.services, person, "sebuah sandi baru", EventKind.PASSWORD_CHANGED)
    assert [claims["sid"] for claims in await told(app, listener)] == [part(tokens["id_token"], 1)["sid"]]


async def person_of(app: Application) -> str:
    from idp.accounts.records import Identifier, IdentifierKind

    (account,) = await app.provider.services.accounts.find(Identifier(IdentifierKind.EMAIL, app.provider.person().email))
    return account.person


async def test_a_locked_account_tells_every_service_also_those_with_offline_access(app: Application, listener: Listener) -> None:
    from idp.protocol import ending

    await app.register("offline", backchannel_logout_uri="https://offline.test/out")
    tokens = await signed_in(app, "offline", scope="openid offline_access", prompt="consent")
    await logout(app, id_token_hint=tokens["id_token"])
    assert len(await told(app, listener, "offline.test")) == 1
    assert await ending.lock(app.provider.services, await person_of(app))
    (_, last) = await told(app, listener, "offline.test")
    assert "sid" not in last  # §2.4: all sessions of this person
    assert last["sub"] == part(tokens["id_token"], 1)["sub"]


async def test_an_erased_account_tells_under_the_name_that_the_service_knew(app: Application, listener: Listener) -> None:
    from idp.protocol import erasure

    await app.register("plain", backchannel_logout_uri="https://plain.test/out")
    tokens = await signed_in(app, "plain")
    await erasure.erase(app.provider.services, await person_of(app))
    (claims,) = await told(app, listener, "plain.test")
    assert claims["sub"] == part(tokens["id_token"], 1)["sub"]


async def test_a_withdrawn_permission_tells_that_service_alone(app: Application, listener: Listener) -> None:
    from idp.protocol import ending

    await app.register("other", backchannel_logout_uri="https://other.test/out")
    await signed_in(app, "other")
    tokens = await signed_in(app)
    grants = await app.provider.services.consent.ledger.of_person(await person_of(app))
    (grant,) = [grant for grant in grants if grant.client == "loket"]
    await ending.withdraw(app.provider.services, grant.id)
    await ending.withdraw(app.provider.services, grant.id)
    (claims,) = await told(app, listener)
    assert claims["sid"] == part(tokens["id_token"], 1)["sid"]
    assert listener.at("other.test") == []
    answer = await app.visitor.get(f"{app.provider.issuer}/me/permissions")
    assert answer.status == 200  # the citizen's own session goes on


async def test_a_removed_client_is_told_though_it_is_unknown_by_then(app: Application, listener: Listener) -> None:
    from idp.protocol import registrations

    tokens = await signed_in(app)
    client = await app.provider.services.clients.get("loket")
    assert client is not None
    assert await registrations.remove(app.provider.services, client, registrations.COMMAND_LINE)
    (claims,) = await told(app, listener)
    assert (claims["aud"], claims["sid"]) == ("loket", part(tokens["id_token"], 1)["sid"])


async def test_2_8_a_client_that_fails_is_told_again_with_growing_delays_and_given_up_in_days(app: Application, listener: Listener) -> None:
    provider = app.provider
    provider.clock.hold()
    listener.status(HOST, 500)
    await logout(app, id_token_hint=(await signed_in(app))["id_token"])
    pauses, jtis = [], set()
    while (await statuses(provider))[0][0] == NoticeStatus.WAITING:
        assert await deliver(provider) == 1
        assert await deliver(provider) == 0
        (delivery,) = await provider.services.notices.of_client("loket")
        jtis.add(opened(provider, logout_token(listener.heard[-1]))[1]["jti"])
        if delivery.next_attempt_at is not None:
            pauses.append(delivery.next_attempt_at - provider.clock())
            provider.clock.move(seconds=pauses[-1].total_seconds())
    assert pauses == sorted(pauses)
    assert pauses[0].total_seconds() == 10
    assert 2 < sum(pause.total_seconds() for pause in pauses) / 86400 <= 3
    assert len(jtis) == len(listener.heard) == len(pauses) + 1  # §2.6: a client may refuse a jti that it saw
    (delivery,) = await provider.services.notices.of_client("loket")
    assert (delivery.status, delivery.answer) == ("given-up", "status 500")


async def test_a_client_that_comes_back_is_told(app: Application, listener: Listener) -> None:
    listener.status(HOST, 503)
    await logout(app, id_token_hint=(await signed_in(app))["id_token"])
    await deliver(app.provider)
    listener.status(HOST, 204)
    app.provider.clock.move(seconds=11)
    await deliver(app.provider)
    assert await statuses(app.provider) == [("delivered", 2)]


@pytest.mark.parametrize("place", ["hint", "assertion", "access_token"])
async def test_a_logout_token_passes_for_nothing_else(app: Application, listener: Listener, place: str) -> None:
    """RFC 8725 §3.11, Back-Channel Logout §4: explicit typing keeps it from being an ID Token, and the reverse."""
    tokens = await signed_in(app)
    await logout(app, id_token_hint=tokens["id_token"])
    await deliver(app.provider)
    token = logout_token(listener.at(HOST)[0])
    if place == "hint":
        await signed_in(app)
        page = await app.visitor.get(f"/logout?{urlencode({'id_token_hint': token, 'post_logout_redirect_uri': AFTER_LOGOUT})}")
        assert (page.left, page.status) == (None, 200)
        assert (await app.ask(client_id="loket", prompt="none", id_token_hint=token)).answer["error"] == "invalid_request"
    elif place == "assertion":
        form = {"grant_type": "client_credentials", "client_assertion": token, "client_assertion_type": client_assertion.TYPE}
        assert (await app.http.post("/token", data=form)).status_code in {400, 401}
    else:
        assert (await app.userinfo(token)).status_code == 401
        assert (await app.introspect(token)) == {"active": False}
