"""Every place at which a JWT is accepted, for the attacks of tests/contract/test_jwt_attacks.py.

A further place is a function that gives a `Place`, listed in `PLACES`: what a good token looks like there, who signs it, and whether the
provider took one. Everything else follows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from uuid import uuid4

from joserfc.jwk import ECKey

from idp.spec import client_assertion
from tests.support import objects
from tests.support.application import AFTER_LOGOUT, AUTH, SECRET, part
from tests.support.proofs import Holder

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from tests.support.application import Application
    from tests.support.proofs import Key

Claims = dict[str, Any]


@dataclass(frozen=True)
class Place:
    """One place. `claims` makes fresh good claims each time; `times`: the claims that must not be past, and not ahead."""

    app: Application
    header: Mapping[str, Any]
    key: Key
    claims: Callable[[], Claims]
    accepts: Callable[[str], Awaitable[bool]]
    audience: bool = True
    expires: bool = True
    """Whether a token is refused once `exp` is past (an id_token_hint is not)."""
    carries_key: bool = False
    """Whether the key belongs into the header (RFC 9449)."""
    types: frozenset[str] = frozenset()
    """Values of `typ` that are right here; "" when none is needed."""


def _own_key(app: Application, algorithm: str) -> tuple[Key, str]:
    """The provider's own private key: an attacker has none, but tokens of other kinds are signed by it."""
    signing = app.provider.services.keyring.signing
    active = signing._ring.active(algorithm, signing._now())
    assert active is not None
    return signing._private[active.kid], active.kid


async def assertion(app: Application) -> Place:
    key = ECKey.generate_key("P-256", {"kid": "k-1"}, private=True)
    more: dict[str, Any] = {"grant_types": ["client_credentials"], "redirect_uris": None, "purposes": None, "scope": "laporan"}
    jwks = {"keys": [key.as_dict(private=False)]}
    await app.register("machine", secret=None, token_endpoint_auth_method="private_key_jwt", jwks=jwks, **more)

    def claims() -> Claims:
        now = int(app.provider.clock().timestamp())
        return {"iss": "machine", "sub": "machine", "aud": app.provider.issuer, "exp": now + 60, "iat": now, "nbf": now, "jti": uuid4().hex}

    async def accepts(token: str) -> bool:
        form: dict[str, object] = {"grant_type": "client_credentials", "client_assertion_type": client_assertion.TYPE}
        return (await app.token({**form, "client_assertion": token}, None)).status_code == 200

    types = frozenset({"", "jwt", "client-authentication+jwt"})
    return Place(app, {"alg": "ES256", "kid": "k-1"}, key, claims, accepts, types=types)


async def dpop_proof(app: Application) -> Place:
    holder = Holder(app.provider)
    more: dict[str, Any] = {"grant_types": ["client_credentials"], "redirect_uris": None, "purposes": None, "scope": "laporan"}
    await app.register("holder", **more)

    async def accepts(token: str) -> bool:
        response = await app.token({"grant_type": "client_credentials"}, ("holder", SECRET), headers=[("dpop", token.encode())])
        return response.status_code == 200 and response.json()["token_type"] == "DPoP"

    header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": holder.key.as_dict(private=False)}
    return Place(
        app, header, holder.key, lambda: holder.claims("POST", "/token"), accepts,
        audience=False, expires=False, carries_key=True, types=frozenset({"dpop+jwt"}),
    )  # fmt: skip


async def access_token_at_userinfo(app: Application) -> Place:
    async def accepts(token: str) -> bool:
        headers = [("authorization", b"Bearer " + token.encode())]
        return (await app.http.get("/userinfo", headers=headers)).status_code == 200

    return await _access_token(app, accepts)


async def access_token_at_introspection(app: Application) -> Place:
    async def accepts(token: str) -> bool:
        response = await app.http.post("/introspect", data={"token": token}, auth=AUTH)
        return response.status_code == 200 and bool(response.json()["active"])

    return replace(await _access_token(app, accepts), audience=False)  # it tells of tokens for every resource (RFC 8707)


async def _access_token(app: Application, accepts: Callable[[str], Awaitable[bool]]) -> Place:
    good = part((await app.tokens())["access_token"], 1)
    key, kid = _own_key(app, "ES256")
    header = {"typ": "at+jwt", "alg": "ES256", "kid": kid}
    return Place(app, header, key, lambda: {**good, "jti": uuid4().hex}, accepts, types=frozenset({"at+jwt"}))


async def hint_at_authorize(app: Application) -> Place:
    good = part((await app.tokens())["id_token"], 1)

    async def accepts(token: str) -> bool:
        page = await app.ask(prompt="none", id_token_hint=token)
        return page.left is not None and "code" in page.answer

    key, kid = _own_key(app, "RS256")
    header = {"typ": "JWT", "alg": "RS256", "kid": kid}
    return Place(app, header, key, lambda: dict(good), accepts, expires=False, types=frozenset({"jwt"}))


async def hint_at_logout(app: Application) -> Place:
    good = part((await app.tokens())["id_token"], 1)

    async def accepts(token: str) -> bool:
        await app.through()  # signed in, whoever was signed out before
        query = urlencode({"id_token_hint": token, "post_logout_redirect_uri": AFTER_LOGOUT})
        return (await app.visitor.get(f"/logout?{query}")).left == AFTER_LOGOUT

    key, kid = _own_key(app, "RS256")
    header = {"typ": "JWT", "alg": "RS256", "kid": kid}
    return Place(app, header, key, lambda: dict(good), accepts, expires=False, types=frozenset({"jwt"}))


async def request_object(app: Application) -> Place:
    await app.through()
    await app.register("signer", jwks=objects.JWKS)
    await app.through(client_id="signer")

    async def accepts(token: str) -> bool:
        page = await app.ask(client_id="signer", request=token, response_type="code", scope="openid")
        return page.left is not None and "code" in page.answer

    header = {"typ": "oauth-authz-req+jwt", "alg": "ES256", "kid": "ec-1"}
    types = frozenset({"", "jwt", "oauth-authz-req+jwt"})
    return Place(app, header, objects.EC, lambda: objects.claims(app, "signer"), accepts, types=types)


PLACES: tuple[Callable[[Application], Awaitable[Place]], ...] = (
    assertion, dpop_proof, access_token_at_userinfo, access_token_at_introspection, hint_at_authorize, hint_at_logout, request_object,
)  # fmt: skip
