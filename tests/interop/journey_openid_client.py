"""openid-client (Node): sign in and out, refresh; as FAPI 2.0 has it; with encrypted answers; registering itself."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest
from joserfc.jwk import ECKey

from idp.clients.store import CACHE_SECONDS
from tests.interop.support import CALLBACK, SIGNED_OUT, Program, register, siti, visiting

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.server import Server

DEVICE, COUNTER = "urn:ietf:params:oauth:grant-type:device_code", "urn:openid:params:grant-type:ciba"


async def test_openid_client_signs_in_reads_refreshes_and_signs_out(server: Callable[..., Server], node: Callable[..., Program]) -> None:
    running = server(workers=1)
    client = register(running, "node-app")
    openid_client = node("openid_client.mjs")
    asked = openid_client.tell(
        issuer=running.issuer,
        client_id=client["client_id"],
        client_secret=client["client_secret"],
        redirect_uri=CALLBACK,
        post_logout_redirect_uri=SIGNED_OUT,
        scope="openid profile email offline_access",
    )
    async with visiting(running) as visitor:
        page = await visitor.walk(asked["authorize"], siti())
        assert page.left is not None
        result = openid_client.tell(callback=page.left)
        assert result["claims"]["iss"] == running.issuer
        assert result["userinfo"] == result["again"]
        assert result["userinfo"]["email"] == siti().email
        assert result["refreshed"]["rotated"] is True
        assert result["refreshed"]["sub"] in {None, result["claims"]["sub"]}
        ended = await visitor.get(result["end_session"])
        assert ended.left is not None
        assert ended.left.startswith(SIGNED_OUT)
        assert ended.answer["state"] == "signed-out"
        assert (await visitor.get(asked["authorize"])).path == "/login"


@pytest.mark.parametrize("nonces", ["false", "true"], ids=["any proof", "proofs with our nonce"])
async def test_openid_client_as_fapi2_pushes_its_request_and_binds_its_tokens(
    server: Callable[..., Server], node: Callable[..., Program], nonces: str
) -> None:
    """Profile fapi2: private_key_jwt, PAR, DPoP, refresh without rotation, introspection, revocation."""
    running, redirect = server(workers=1, IDP_DPOP_NONCE_REQUIRED=nonces), "https://fapi.test/callback"
    key = ECKey.generate_key("P-256", {"kid": "k-1"}, private=True)
    register(
        running, "node-fapi", redirect_uri=redirect, signed_out="https://fapi.test/",
        profile="fapi2", token_endpoint_auth_method="private_key_jwt", jwks={"keys": [key.as_dict(private=False)]},
    )  # fmt: skip
    fapi, scope = node("openid_client_fapi.mjs"), "openid profile email"
    asked = fapi.tell(issuer=running.issuer, client_id="node-fapi", redirect_uri=redirect, scope=scope, key=key.as_dict(private=True))
    async with visiting(running) as visitor:
        page = await visitor.walk(asked["authorize"], siti())
        result = fapi.tell(callback=page.left)
    assert result["token_type"].lower() == "dpop"
    assert result["userinfo"] == result["again"]
    assert result["userinfo"]["email"] == siti().email
    assert result["kept"] is True
    assert result["introspection"]["cnf"] == {"jkt": result["thumbprint"]}
    assert result["after"]["active"] is False


async def test_openid_client_reads_signed_and_encrypted_answers_and_serves_devices_and_counters(
    server: Callable[..., Server], node: Callable[..., Program]
) -> None:
    """JARM; ID token and userinfo by ECDH-ES and A256GCM; RFC 9701; RFC 8628."""
    running = server(workers=1)
    key = ECKey.generate_key("P-256", {"kid": "enc-1", "use": "enc", "alg": "ECDH-ES"}, private=True)
    answers = {
        "id_token_signed_response_alg": "ES256",
        "id_token_encrypted_response_alg": "ECDH-ES",
        "id_token_encrypted_response_enc": "A256GCM",
        "userinfo_signed_response_alg": "PS256",
        "userinfo_encrypted_response_alg": "ECDH-ES",
        "userinfo_encrypted_response_enc": "A256GCM",
        "authorization_signed_response_alg": "EdDSA",
        "introspection_signed_response_alg": "ES256",
    }
    client = register(
        running, "node-wide", **answers, jwks={"keys": [key.as_dict(private=False)]}, token_endpoint_auth_method="client_secret_post",
        grant_types=["authorization_code", "refresh_token", DEVICE, COUNTER],
        backchannel_token_delivery_mode="poll",
    )  # fmt: skip
    wide = node("openid_client_wide.mjs")
    asked = wide.tell(
        issuer=running.issuer, client_id=client["client_id"], client_secret=client["client_secret"], metadata=answers,
        redirect_uri=CALLBACK, scope="openid profile email", key=key.as_dict(private=True),
    )  # fmt: skip
    async with visiting(running) as visitor:
        page = await visitor.walk(asked["authorize"], siti())
        assert set(page.answer) == {"response"}
        result = wide.tell(callback=page.left)
        assert result["encrypted"] == 5
        assert result["userinfo"]["email"] == siti().email
        assert (result["introspection"]["active"], result["after"]["active"]) == (True, False)
        begun = wide.tell(scope="openid email")
        page = await visitor.get(begun["verification_uri_complete"])
        page = await visitor.submit(page, page.form("user_code"))
        page = await visitor.submit(page, page.form("continue"), press="continue")
        if page.path == "/approve":
            page = await visitor.allow(page)
        assert page.path == "/device/done", page.text
        device = wide.hear()
        assert device["claims"]["sub"] == result["claims"]["sub"]
        assert device["userinfo"]["email"] == siti().email
        named = wide.tell(scope="openid email", login_hint=siti().email, binding_message="A-17")
        assert named["auth_req_id"]
        page = await visitor.get("/me/requests")
        assert "A-17" in page.text
        page = await visitor.submit(page, page.form("open"), press="open")
        if page.path == "/approve":
            page = await visitor.allow(page)
        counter = wide.hear()
        assert counter["claims"]["sub"] == result["claims"]["sub"]
        assert counter["userinfo"]["email"] == siti().email


async def test_openid_client_registers_itself_and_pushes_a_signed_request(
    server: Callable[..., Server], node: Callable[..., Program]
) -> None:
    """RFC 7591 with an initial access token, RFC 7592; private_key_jwt; a request object, pushed; nothing is read before the approval."""
    running = server(workers=1, IDP_REGISTRATION="token")
    token = json.loads(running.run("clients", "token", "add", "--note", "make interop", "--json").stdout)["initial_access_token"]
    app = node("openid_client_registered.mjs")
    registered = app.tell(issuer=running.issuer, redirect_uri="https://app.test/callback", token=token)
    assert registered["token_endpoint_auth_method"] == "private_key_jwt"
    async with visiting(running) as visitor:
        page = await visitor.walk(app.tell(scope="openid email")["authorize"], siti())
        before = app.tell(callback=page.left)
        assert set(before["userinfo"]) == {"sub"}, "nobody approved a purpose yet"
        running.run("clients", "approve", registered["client_id"], "--purpose", "aduan", "--by", "make interop")
        await asyncio.sleep(CACHE_SECONDS + 1)  # until the server has looked at the registration again
        page = await visitor.walk(app.tell(scope="openid email")["authorize"], siti())
        after = app.tell(callback=page.left)
    assert after["userinfo"] == {**before["userinfo"], "email": siti().email, "email_verified": True}
