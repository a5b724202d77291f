"""The OpenID Foundation's dynamic certification plan (code): a test per module that applies, named after it.

Each registers an application of its own and deletes it at the end, as the suite does. Left out, since discovery lists no unsigned ID Token:
`oidcc-idtoken-unsigned`.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from keys.opaque import new_id
from tests.support.application import CHALLENGE, VERIFIER, part
from tests.support.registering import CALLBACK, OTHER_HOST, Places, own, png, post

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.application import Application

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
RSA = RSAKey.generate_key(2048, {"kid": "r1"}, private=True)
EC = ECKey.generate_key("P-256", {"kid": "e1"}, private=True)


@pytest.fixture
def places() -> Places:
    return Places()


@pytest.fixture
def provider_network(places: Places) -> httpx2.AsyncBaseTransport:
    return httpx2.MockTransport(places.answer)


@pytest.fixture
def provider_settings() -> dict[str, Any]:
    return {"certification": True}


@contextlib.asynccontextmanager
async def registration(app: Application, **document: Any) -> AsyncIterator[dict[str, Any]]:
    """Register, and delete by registration_client_uri when done."""
    response = await post(app, **document)
    assert response.status_code == 201, response.text
    mine: dict[str, Any] = response.json()
    yield mine
    path = mine["registration_client_uri"].removeprefix(app.provider.settings.issuer)
    assert (await app.http.delete(path, headers=own(mine))).status_code == 204


def asked(mine: dict[str, Any], **changes: object) -> dict[str, Any]:
    return {"client_id": mine["client_id"], "redirect_uri": mine["redirect_uris"][0]} | changes


def secret(mine: dict[str, Any]) -> tuple[str, str]:
    return mine["client_id"], mine["client_secret"]


async def flow(app: Application, mine: dict[str, Any], **changes: object) -> dict[str, Any]:
    request = asked(mine, **changes)
    code = (await app.through(**request))["code"]
    response = await app.redeem(code, secret(mine), redirect_uri=request["redirect_uri"])
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def verified(app: Application, token: str) -> dict[str, Any]:
    keys = KeySet.import_key_set((await app.http.get("/jwks.json")).json())
    return dict(jwt.decode(token, keys, algorithms=[part(token, 0)["alg"]]).claims)


def assertion(app: Application, mine: dict[str, Any], key: RSAKey | ECKey, algorithm: str, audience: str = "/token") -> dict[str, str]:
    """The form fields of private_key_jwt."""
    issuer, now = app.provider.settings.issuer, int(time.time())
    claims = {"iss": mine["client_id"], "sub": mine["client_id"], "aud": issuer + audience, "jti": new_id(), "iat": now, "exp": now + 60}
    signed = jwt.encode({"alg": algorithm, "kid": key.kid}, claims, key)
    return {"client_assertion_type": ASSERTION, "client_assertion": signed, "client_id": mine["client_id"]}


async def test_oidcc_idtoken_rs256(app: Application) -> None:
    async with registration(app, id_token_signed_response_alg="RS256") as mine:
        token = (await flow(app, mine))["id_token"]
        assert part(token, 0)["alg"] == "RS256"
        assert (await verified(app, token))["aud"] == mine["client_id"]


async def test_oidcc_userinfo_rs256(app: Application) -> None:
    async with registration(app, userinfo_signed_response_alg="RS256") as mine:
        response = await app.userinfo((await flow(app, mine))["access_token"])
        assert response.headers["content-type"].startswith("application/jwt")
        assert part(response.text, 0)["alg"] == "RS256"
        claims = await verified(app, response.text)
        assert (claims["iss"], claims["aud"]) == (app.provider.settings.issuer, mine["client_id"])


async def test_oidcc_ensure_redirect_uri_in_authorization_request(app: Application) -> None:
    """The suite registers another host besides, and no list of both (OIDC Core §8.1 asks for one)."""
    async with registration(app, redirect_uris=[CALLBACK, OTHER_HOST]) as mine:
        page = await app.ask(**asked(mine, redirect_uri=None))
        assert (page.left, page.status) == (None, 400)


async def test_oidcc_redirect_uri_query_ok(app: Application) -> None:
    async with registration(app, redirect_uris=[f"{CALLBACK}?foo=bar"]) as mine:
        assert (await app.through(**asked(mine)))["foo"] == "bar"


async def refused_there(app: Application, known: str, sent: str) -> None:
    """An error page, and never a redirect."""
    async with registration(app, redirect_uris=[known]) as mine:
        page = await app.ask(**asked(mine, redirect_uri=sent))
        assert (page.left, page.status) == (None, 400)


async def test_oidcc_redirect_uri_query_mismatch(app: Application) -> None:
    await refused_there(app, f"{CALLBACK}?foo=bar", f"{CALLBACK}?foo=baz")


async def test_oidcc_redirect_uri_query_added(app: Application) -> None:
    await refused_there(app, CALLBACK, f"{CALLBACK}?foo=bar")


async def test_oidcc_redirect_uri_regfrag(app: Application) -> None:
    response = await post(app, redirect_uris=[f"{CALLBACK}#fragment"])
    assert (response.status_code, response.json()["error"]) == (400, "invalid_redirect_uri")


async def test_oidcc_discovery_endpoint_verification(app: Application) -> None:
    document = (await app.http.get("/.well-known/openid-configuration")).json()
    assert document["registration_endpoint"] == f"{app.provider.settings.issuer}/register"
    types = {" ".join(sorted(kind.split())) for kind in document["response_types_supported"]}
    assert {"code", "id_token", "id_token token"} <= types
    assert {"authorization_code", "implicit"} <= set(document["grant_types_supported"])


async def test_oidcc_server(app: Application) -> None:
    async with registration(app) as mine:
        tokens = await flow(app, mine, scope="openid profile email address phone")
        claims = await verified(app, tokens["id_token"])
        assert (claims["iss"], claims["aud"], claims["nonce"]) == (app.provider.settings.issuer, mine["client_id"], "n-1")
        told = (await app.userinfo(tokens["access_token"])).json()
        assert {"name", "email", "phone_number", "address"} <= set(told)


async def pages_of(app: Application, mine: dict[str, Any]) -> list[str]:
    """Give the sign-in page and the card that show an application."""
    page = await app.ask(**asked(mine))
    return [page.text, (await app.visitor.sign_in(page, app.provider.person("siti"))).text]


async def test_oidcc_registration_logo_uri(app: Application, places: Places) -> None:
    """From our own address: nobody's browser tells the application's host that somebody is about to sign in. The suite's has 38 KB."""
    logo = places.put("https://app.test/logo.png", png(900, 360, padding=38_000), "image/png")
    async with registration(app, logo_uri=logo) as mine:
        for shown in await pages_of(app, mine):
            assert f'src="/logos/{mine["client_id"]}"' in shown
            assert logo not in shown


async def linked(app: Application, name: str, address: str) -> None:
    async with registration(app, **{name: address}) as mine:
        for shown in await pages_of(app, mine):
            assert f'href="{address}" target="_blank" rel="noopener noreferrer nofollow"' in shown


async def test_oidcc_registration_policy_uri(app: Application) -> None:
    await linked(app, "policy_uri", "https://app.test/privasi")


async def test_oidcc_registration_tos_uri(app: Application) -> None:
    await linked(app, "tos_uri", "https://app.test/syarat")


async def test_oidcc_registration_jwks_uri(app: Application, places: Places) -> None:
    jwks_uri = places.put("https://app.test/jwks", {"keys": [RSA.as_dict(private=False)]})
    async with registration(app, jwks_uri=jwks_uri, token_endpoint_auth_method="private_key_jwt") as mine:
        code = (await app.through(**asked(mine)))["code"]
        response = await app.redeem(code, None, **assertion(app, mine, RSA, "RS256"))
        assert response.status_code == 200, response.text


async def test_oidcc_ensure_client_assertion_with_iss_aud_succeeds(app: Application) -> None:
    async with registration(app, jwks={"keys": [RSA.as_dict(private=False)]}, token_endpoint_auth_method="private_key_jwt") as mine:
        code = (await app.through(**asked(mine)))["code"]
        response = await app.redeem(code, None, **assertion(app, mine, RSA, "RS256", audience=""))
        assert response.status_code == 200, response.text


async def test_oidcc_registration_sector_uri(app: Application, places: Places) -> None:
    sector = places.put("https://sektor.test/daftar.json", [CALLBACK])
    async with registration(app, sector_identifier_uri=sector, subject_type="pairwise") as mine:
        assert mine["sector_identifier_uri"] == sector


async def test_oidcc_registration_sector_bad(app: Application, places: Places) -> None:
    """The list counts as it is now: what stood there a moment ago, when another registered by it, says nothing."""
    sector = places.put("https://sektor.test/daftar.json", [CALLBACK])
    async with registration(app, sector_identifier_uri=sector):
        places.put(sector, [OTHER_HOST])
    response = await post(app, sector_identifier_uri=sector)
    assert (response.status_code, response.json()["error"]) == (400, "invalid_client_metadata")


async def test_oidcc_refresh_token(app: Application) -> None:
    async with registration(app, grant_types=["authorization_code", "refresh_token"]) as mine, registration(app) as other:
        tokens = await flow(app, mine, scope="openid offline_access", prompt="consent")
        assert (await app.refresh(tokens["refresh_token"], secret(other))).status_code == 400
        again = (await app.refresh(tokens["refresh_token"], secret(mine))).json()
        first, second = part(tokens["id_token"], 1), part(again["id_token"], 1)
        assert [first[name] for name in ("iss", "sub", "aud", "auth_time")] == [second[name] for name in ("iss", "sub", "aud", "auth_time")]


async def test_oidcc_refresh_token_rp_key_rotation(app: Application, places: Places) -> None:
    jwks_uri = places.put("https://app.test/jwks", {"keys": [RSA.as_dict(private=False)]})
    grants = ["authorization_code", "refresh_token"]
    async with registration(app, jwks_uri=jwks_uri, token_endpoint_auth_method="private_key_jwt", grant_types=grants) as mine:
        code = (await app.through(**asked(mine, scope="openid offline_access", prompt="consent")))["code"]
        tokens = (await app.redeem(code, None, **assertion(app, mine, RSA, "RS256"))).json()
        places.put(jwks_uri, {"keys": [EC.as_dict(private=False)]})
        app.provider.clock.move(seconds=60)
        fields = assertion(app, mine, EC, "ES256")
        response = await app.refresh(tokens["refresh_token"], None, **fields)
        assert response.status_code == 200, response.text


async def test_oidcc_request_uri_signed_rs256(app: Application, places: Places) -> None:
    """And oidcc-ensure-request-object-with-redirect-uri: what stands inside wins."""
    jwks, uri = {"keys": [RSA.as_dict(private=False)]}, "https://app.test/permintaan.jwt"
    async with registration(app, jwks=jwks, request_uris=[uri], request_object_signing_alg="RS256") as mine:
        inside = asked(mine, response_type="code", scope="openid", state="dalam", nonce="n", code_challenge=CHALLENGE) | {
            "code_challenge_method": "S256", "iss": mine["client_id"], "aud": app.provider.settings.issuer, "exp": int(time.time()) + 60,
        }  # fmt: skip
        signed = jwt.encode({"alg": "RS256", "kid": RSA.kid}, inside, RSA)
        places.put(uri, signed.encode(), "application/oauth-authz-req+jwt")
        outside = asked(mine, redirect_uri="https://lain.test/cb", request_uri=uri, scope="openid", state=None, nonce=None)
        answer = await app.through(**outside)
        assert answer["state"] == "dalam"
        response = await app.redeem(answer["code"], secret(mine), redirect_uri=CALLBACK, code_verifier=VERIFIER)
        assert response.status_code == 200, response.text


async def test_oidcc_server_rotate_keys(app: Application) -> None:
    async def kids() -> set[str]:
        return {key["kid"] for key in (await app.http.get("/jwks.json")).json()["keys"]}

    before = await kids()
    await app.provider.services.keyring.signing.rotate("RS256")
    assert before < await kids()
