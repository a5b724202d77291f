"""RFC 8417 Security Event Tokens, with the events of CAEP 1.0 and RISC 1.0: what they say, and what they never say."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from idp.events.records import EventKind
from idp.protocol import ending, erasure, new_password
from tests.support.application import AFTER_LOGOUT, part
from tests.support.listening import opened
from tests.support.signals import CAEP, RISC, fetch, sign_in, sign_out, siti, subscribe

if TYPE_CHECKING:
    from tests.support.application import Application

CLIENT = "penerima"


@pytest.fixture
async def tokens(app: Application) -> dict[str, Any]:
    """Siti is signed in at a client that fetches events."""
    await app.register(CLIENT)
    await subscribe(app, CLIENT)
    return await sign_in(app, CLIENT)


async def events(app: Application, client: str = CLIENT) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """Fetch: event URI to (claims, what the event says)."""
    found = {}
    for jti, token in (await fetch(app, client))["sets"].items():
        header, claims = opened(app.provider, token)
        assert header["typ"] == "secevent+jwt"
        assert claims["jti"] == jti
        ((uri, said),) = claims["events"].items()
        found[uri] = (claims, said)
    return found


async def test_2_2_a_set_has_its_claims_and_no_others(app: Application, tokens: dict[str, Any]) -> None:
    await sign_out(app, tokens)
    ((claims, said),) = (await events(app)).values()
    assert set(claims) == {"iss", "aud", "iat", "jti", "sub_id", "events"}  # SSF 1.0: no sub, no exp
    assert (claims["iss"], claims["aud"]) == (app.provider.issuer, CLIENT)
    hint = part(tokens["id_token"], 1)
    assert claims["sub_id"] == {
        "format": "complex",
        "user": {"format": "iss_sub", "iss": app.provider.issuer, "sub": hint["sub"]},
        "session": {"format": "opaque", "id": hint["sid"]},
    }
    assert said == {"initiating_entity": "user", "event_timestamp": claims["iat"]}


async def test_session_revoked_says_who_ended_it(app: Application, tokens: dict[str, Any]) -> None:
    del tokens
    app.provider.clock.move(minutes=20)
    await ending.end_expired(app.provider.services)
    assert (await events(app))[f"{CAEP}/session-revoked"][1]["initiating_entity"] == "policy"


async def test_credential_change(app: Application, tokens: dict[str, Any]) -> None:
    person = await siti(app)
    await new_password.change(app.provider.services, person, "sebuah sandi baru", EventKind.PASSWORD_CHANGED)
    found = await events(app)
    claims, said = found[f"{CAEP}/credential-change"]
    assert claims["sub_id"] == {"format": "iss_sub", "iss": app.provider.issuer, "sub": part(tokens["id_token"], 1)["sub"]}
    assert (said["credential_type"], said["change_type"]) == ("password", "update")
    assert set(found) == {f"{CAEP}/credential-change", f"{CAEP}/session-revoked"}


async def test_account_disabled_and_enabled(app: Application, tokens: dict[str, Any]) -> None:
    del tokens
    person = await siti(app)
    await ending.lock(app.provider.services, person)
    await ending.unlock(app.provider.services, person)
    found = await events(app)
    assert {f"{RISC}/account-disabled", f"{RISC}/account-enabled"} <= set(found)


async def test_account_purged_reaches_also_who_could_read_once(app: Application, tokens: dict[str, Any]) -> None:
    person = await siti(app)
    (grant,) = await app.provider.services.consent.ledger.of_person(person)
    await ending.withdraw(app.provider.services, grant.id)
    await erasure.erase(app.provider.services, person)
    found = await events(app)
    claims, _ = found[f"{RISC}/account-purged"]
    assert claims["sub_id"]["sub"] == part(tokens["id_token"], 1)["sub"]


async def test_consent_revoked_names_the_purpose(app: Application, tokens: dict[str, Any]) -> None:
    del tokens
    person = await siti(app)
    (grant,) = await app.provider.services.consent.ledger.of_person(person)
    await ending.withdraw(app.provider.services, grant.id)
    _, said = (await events(app))[f"{app.provider.issuer}/signals/consent-revoked"]
    assert (said["purpose"], said["initiating_entity"]) == ("semua", "user")


async def test_a_permission_taken_back_twice_is_told_twice(app: Application, tokens: dict[str, Any]) -> None:
    del tokens
    for _ in range(2):
        grants = await app.provider.services.consent.ledger.of_person(await siti(app))
        (active,) = [grant for grant in grants if grant.state == "active"]
        await ending.withdraw(app.provider.services, active.id)
        await sign_in(app, CLIENT)
    delivered = await app.provider.services.notices.of_client(CLIENT)
    assert [one.event for one in delivered] == ["consent-revoked"] * 2


async def test_nothing_personal_leaves_and_no_internal_id(app: Application, tokens: dict[str, Any]) -> None:
    del tokens
    person = await siti(app)
    await ending.lock(app.provider.services, person)
    text = json.dumps([claims for claims, _ in (await events(app)).values()])
    sample = app.provider.person()
    for secret in (person, sample.email, sample.name, sample.nik, sample.phone):
        assert secret not in text


async def test_who_did_not_ask_for_an_event_does_not_hear_of_it(app: Application) -> None:
    await app.register(CLIENT)
    await subscribe(app, CLIENT, "account-purged")
    await sign_out(app, await sign_in(app, CLIENT))
    assert await events(app) == {}


@pytest.mark.parametrize("place", ["hint", "logout_hint", "access_token", "assertion"])
async def test_4_5_a_set_passes_for_nothing_else(app: Application, tokens: dict[str, Any], place: str) -> None:
    """§4.5, §4.6, §4.7: it must not be taken for an ID Token, an access token or another JWT."""
    from idp.spec import client_assertion

    await sign_out(app, tokens)
    (token,) = (await fetch(app, CLIENT))["sets"].values()
    await sign_in(app, CLIENT)
    if place == "hint":
        assert (await app.ask(client_id=CLIENT, prompt="none", id_token_hint=token)).answer["error"] == "invalid_request"
    elif place == "logout_hint":
        page = await app.visitor.get(f"/logout?{urlencode({'id_token_hint': token, 'post_logout_redirect_uri': AFTER_LOGOUT})}")
        assert page.left is None
    elif place == "access_token":
        assert (await app.userinfo(token)).status_code == 401
        assert (await app.http.post("/signals/poll", json={}, headers={"authorization": f"Bearer {token}"})).status_code == 401
    else:
        form = {"grant_type": "client_credentials", "client_assertion": token, "client_assertion_type": client_assertion.TYPE}
        assert (await app.http.post("/token", data=form)).status_code in {400, 401}
