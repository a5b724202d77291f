"""RFC 8725 §2.8, §3.11, §3.12: every JWT that we issue, presented wherever a JWT of ours is taken: each is good for its own place alone."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from idp.introspect.answers import MEDIA_TYPE
from idp.spec import logout_token, security_event, token_exchange
from idp.spec.security_event import Signal
from tests.support.application import AFTER_LOGOUT, SECRET, Application, application, part

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.support.running import Provider

    Accepts = Callable[[Application, str], Awaitable[bool]]

NAME = "semua-jwt"
AUTH = (NAME, SECRET)


@pytest.fixture
async def app(provider: Provider) -> Application:
    made = await application(provider)
    grants = ["authorization_code", "refresh_token", token_exchange.GRANT_TYPE]
    await made.register(NAME, userinfo_signed_response_alg="RS256", grant_types=grants, exchange_audiences=["app"])
    return made


async def issued(app: Application) -> dict[str, str]:
    """One of each kind, all of the same citizen, client and session; the last ones are as their makers write them."""
    answered = await app.through(client_id=NAME, response_mode="jwt")
    code = part(answered["response"], 1)["code"]
    tokens = (await app.redeem(code, AUTH)).json()
    userinfo = (await app.userinfo(tokens["access_token"])).text
    asked = {"data": {"token": tokens["access_token"]}, "auth": AUTH, "headers": {"accept": MEDIA_TYPE}}
    introspection = (await app.http.post("/introspect", **asked)).text  # type: ignore[arg-type]  # as httpx takes it
    found, told = app.provider.services, part(tokens["id_token"], 1)
    grants = await found.consent.ledger.of_person((await found.accounts.find(_siti(app)))[0].person)
    receipt = (await app.visitor.client.get(f"/me/permissions/{grants[0].id}/receipt")).text
    now, issuer = int(time.time()), told["iss"]
    out = logout_token.claims(issuer=issuer, client_id=NAME, subject=told["sub"], sid=told["sid"], now=now, jti="j-1")
    event = security_event.claims(
        issuer=issuer, audience=NAME, now=now, jti="j-2", signal=Signal.SESSION_REVOKED, details={},
        subject=security_event.about(issuer, told["sub"], told["sid"]),
    )  # fmt: skip
    return {
        "access token": tokens["access_token"],
        "ID Token": tokens["id_token"],
        "authorization response": answered["response"],
        "UserInfo answer": userinfo,
        "introspection answer": introspection,
        "consent receipt": receipt,
        "logout token": await found.keyring.signing.sign(out, algorithm="RS256", type=logout_token.TYPE),
        "security event": await found.keyring.signing.sign(event, algorithm="RS256", type=security_event.TYPE),
    }


def _siti(app: Application) -> Any:
    from idp.accounts import identifiers

    return identifiers.parse(app.provider.person("siti").email)


async def userinfo(app: Application, token: str) -> bool:
    return (await app.userinfo(token)).status_code == 200


async def introspected(app: Application, token: str) -> bool:
    return bool((await app.introspect(token, AUTH))["active"])


async def exchanged(app: Application, token: str) -> bool:
    kinds = ("access_token", "id_token", "jwt")
    forms: list[dict[str, object]] = [
        {
            "grant_type": token_exchange.GRANT_TYPE, "subject_token": token, "audience": "app",
            "subject_token_type": f"urn:ietf:params:oauth:token-type:{kind}",
        } for kind in kinds
    ]  # fmt: skip
    return any([(await app.token(form, AUTH)).status_code == 200 for form in forms])


async def hinted(app: Application, token: str) -> bool:
    return "code" in (await app.ask(client_id=NAME, prompt="none", id_token_hint=token)).answer


async def signs_out(app: Application, token: str) -> bool:
    query = urlencode({"id_token_hint": token, "post_logout_redirect_uri": AFTER_LOGOUT})
    return (await app.visitor.get(f"/logout?{query}")).left is not None


async def polls(app: Application, token: str) -> bool:
    return (await app.http.post("/signals/poll", json={}, headers={"authorization": f"Bearer {token}"})).status_code != 401


async def manages(app: Application, token: str) -> bool:
    return (await app.http.get(f"/register/{NAME}", headers={"authorization": f"Bearer {token}"})).status_code != 401


async def authenticates(app: Application, token: str) -> bool:
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    form: dict[str, object] = {"grant_type": "client_credentials", "client_assertion": token, "client_assertion_type": kind}
    return (await app.token(form, None)).status_code == 200


async def asks(app: Application, token: str) -> bool:
    return (await app.visitor.get(f"/authorize?{urlencode({'client_id': NAME, 'request': token})}")).status == 200


PLACES: dict[Accepts, str | None] = {
    userinfo: "access token", introspected: "access token", exchanged: "access token", hinted: "ID Token", signs_out: "ID Token",
    polls: None, manages: None, authenticates: None, asks: None,
}  # fmt: skip


async def test_each_of_our_jwts_is_taken_at_its_own_place_alone(app: Application) -> None:
    tokens = await issued(app)
    assert all(token.count(".") == 2 for token in tokens.values()), {name: token[:40] for name, token in tokens.items()}
    wrong: list[tuple[str, str]] = []
    for accepts, own in PLACES.items():
        others = [name for name in tokens if name != own]
        order = (*others, *([own] if own else []))  # its own last: it may end the session
        wrong += [(accepts.__name__, name) for name in order if await accepts(app, tokens[name]) != (name == own)]
    assert wrong == []
