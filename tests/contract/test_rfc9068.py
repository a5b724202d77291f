"""RFC 9068: JWT access tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from joserfc import jwt
from joserfc.jwk import KeySet

from tests.support.application import SECRET, part

if TYPE_CHECKING:
    from tests.support.application import Application


async def test_2_1_the_header_says_at_jwt_and_an_asymmetric_algorithm_of_a_published_key(app: Application) -> None:
    token = (await app.tokens())["access_token"]
    header = part(token, 0)
    assert (header["typ"], header["alg"]) == ("at+jwt", "ES256")
    keys = KeySet.import_key_set((await app.http.get("/jwks.json")).json())
    assert jwt.decode(token, keys, algorithms=["ES256"]).claims == part(token, 1)


async def test_2_2_the_required_claims_are_there(app: Application) -> None:
    tokens = await app.tokens()
    claims = part(tokens["access_token"], 1)
    assert {"iss", "exp", "aud", "sub", "client_id", "iat", "jti"} <= set(claims)
    assert (claims["iss"], claims["aud"], claims["client_id"]) == (app.provider.issuer, app.provider.issuer, "app")
    assert claims["exp"] - claims["iat"] == tokens["expires_in"] == 300
    assert claims["scope"] == "openid profile email"


async def test_2_2_1_authentication_is_told_and_unchanged_by_a_refresh(app: Application) -> None:
    tokens = await app.tokens()
    first = part(tokens["access_token"], 1)
    app.provider.clock.move(seconds=120)
    second = part((await app.refresh(tokens["refresh_token"])).json()["access_token"], 1)
    for name in ("auth_time", "acr", "amr", "sub"):
        assert first[name] == second[name]
    assert second["iat"] > first["iat"]
    assert first["jti"] != second["jti"]


async def test_5_no_personal_value_is_in_the_token(app: Application) -> None:
    claims = part((await app.tokens(scope="openid profile email address phone"))["access_token"], 1)
    allowed = {"iss", "exp", "aud", "sub", "client_id", "iat", "jti", "scope", "authorization_id", "auth_time", "acr", "amr"}
    assert set(claims) <= allowed


async def test_a_clients_own_token_names_the_client_and_no_authentication(app: Application) -> None:
    await app.register("machine", grant_types=["client_credentials"], redirect_uris=None, purposes=None, scope="laporan")
    token = (await app.token({"grant_type": "client_credentials"}, ("machine", SECRET))).json()["access_token"]
    claims = part(token, 1)
    assert claims["sub"] == claims["client_id"] == "machine"
    assert not {"auth_time", "acr", "amr", "authorization_id"} & set(claims)


async def test_an_access_token_does_not_outlive_its_authorization(app: Application) -> None:
    tokens = await app.tokens(scope="openid offline_access", prompt="consent")
    app.provider.clock.move(days=29, hours=23, minutes=59)
    refreshed = (await app.refresh(tokens["refresh_token"])).json()
    assert refreshed["expires_in"] <= 60
    app.provider.clock.move(minutes=2)
    assert (await app.refresh(refreshed["refresh_token"])).json()["error"] == "invalid_grant"
