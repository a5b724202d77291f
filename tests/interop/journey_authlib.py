"""Authlib's asynchronous client: discover, sign in with PKCE, verify the ID token, read, refresh, sign out."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import httpx2
from authlib.integrations.httpx_client import AsyncOAuth2Client
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.interop.support import CALLBACK, SIGNED_OUT, register, siti, visiting

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.server import Server


async def test_authlib_signs_in_reads_refreshes_and_signs_out(server: Callable[..., Server]) -> None:
    running = server(workers=1)
    registered = register(running, "authlib-app")
    async with httpx2.AsyncClient() as plain:
        metadata = (await plain.get(f"{running.issuer}/.well-known/openid-configuration")).json()
        jwks = (await plain.get(metadata["jwks_uri"])).json()
    client = AsyncOAuth2Client(
        registered["client_id"],
        registered["client_secret"],
        scope="openid profile email offline_access",
        redirect_uri=CALLBACK,
        code_challenge_method="S256",
        token_endpoint=metadata["token_endpoint"],
    )
    verifier, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
    url, state = client.create_authorization_url(metadata["authorization_endpoint"], code_verifier=verifier, nonce=nonce)
    async with client, visiting(running) as visitor:
        page = await visitor.walk(url, siti())
        tokens = await client.fetch_token(authorization_response=page.left, code_verifier=verifier, state=state)
        claims = jwt.decode(tokens["id_token"], KeySet.import_key_set(jwks), algorithms=["RS256"]).claims
        assert (claims["nonce"], claims["aud"], claims["iss"]) == (nonce, "authlib-app", running.issuer)
        answer = await client.get(metadata["userinfo_endpoint"])
        assert answer.json()["email"] == siti().email
        assert answer.json()["sub"] == claims["sub"]
        assert answer.headers["x-access-log-id"]
        before = tokens["refresh_token"]
        refreshed = await client.refresh_token(metadata["token_endpoint"])
        assert refreshed["refresh_token"] != before
        assert (await client.get(metadata["userinfo_endpoint"])).json()["sub"] == claims["sub"]
        query = urlencode({"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": SIGNED_OUT, "state": "bye"})
        ended = await visitor.get(f"{metadata['end_session_endpoint']}?{query}")
        assert ended.answer == {"state": "bye"}
