"""RFC 7662: token introspection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idp.clients.records import Agency
from idp.spec import client_metadata
from tests.support.application import AUTH, SECRET, part

if TYPE_CHECKING:
    from tests.support.application import Application


async def test_2_2_an_active_token_tells_its_members_and_no_personal_value(app: Application) -> None:
    tokens = await app.tokens()
    told = await app.introspect(tokens["access_token"])
    claims = part(tokens["access_token"], 1)
    assert told["active"] is True
    assert told["token_type"] == "Bearer"
    assert {name: told[name] for name in ("iss", "aud", "exp", "iat", "jti", "client_id", "scope", "sub")} == {
        name: claims[name] for name in ("iss", "aud", "exp", "iat", "jti", "client_id", "scope", "sub")
    }
    assert not {"authorization_id", "username", "name", "email"} & set(told)


async def test_2_2_the_subject_is_told_in_the_askers_own_sector(app: Application) -> None:
    found = app.provider.services
    other = Agency("kesehatan", {"id": "Dinas Kesehatan", "en": "Health"})
    await found.clients.put_agency(other, found.clock())
    metadata = client_metadata.read(
        {"client_name": "Lain", "client_id": "lain", "redirect_uris": ["https://lain.test/"], "purposes": ["x"]}
    )
    assert isinstance(metadata, client_metadata.ClientMetadata)
    await found.clients.add(metadata, other, found.clock(), secret=SECRET)
    token = (await app.tokens())["access_token"]
    here, there = await app.introspect(token), await app.introspect(token, ("lain", SECRET))
    assert here["active"]
    assert there["active"]
    assert here["sub"] != there["sub"]


async def test_2_2_whatever_is_not_active_is_told_alike(app: Application) -> None:
    for token in ("never-issued", "a.b.c", "x" * 9000):
        assert await app.introspect(token) == {"active": False}


async def test_2_2_an_expired_token_is_inactive(app: Application) -> None:
    token = (await app.tokens())["access_token"]
    app.provider.clock.move(seconds=301)
    assert await app.introspect(token) == {"active": False}


async def test_2_2_a_refresh_token_is_told_to_its_own_client_only(app: Application) -> None:
    await app.register("other")
    tokens = await app.tokens()
    assert (await app.introspect(tokens["refresh_token"]))["client_id"] == "app"
    assert await app.introspect(tokens["refresh_token"], ("other", SECRET)) == {"active": False}
    await app.refresh(tokens["refresh_token"])
    assert await app.introspect(tokens["refresh_token"]) == {"active": False}


async def test_2_2_a_token_ends_with_the_session_the_permission_and_the_account(app: Application) -> None:
    from idp.protocol import ending

    found = app.provider.services
    token = (await app.tokens())["access_token"]
    authorization = await found.authorizations.live(part(token, 1)["authorization_id"], "other", found.clock())
    assert authorization is not None
    await ending.withdraw(found, authorization.grant)
    assert await app.introspect(token) == {"active": False}
    token = (await app.tokens())["access_token"]
    await ending.lock(found, authorization.person)
    assert await app.introspect(token) == {"active": False}
    assert (await app.userinfo(token)).status_code == 401


async def test_2_1_only_clients_that_authenticate_may_ask(app: Application) -> None:
    await app.register("public", token_endpoint_auth_method="none")
    assert (await app.http.post("/introspect", data={"token": "x"})).status_code == 401
    assert (await app.http.post("/introspect", data={"token": "x", "client_id": "public"})).status_code == 401
    assert (await app.http.post("/introspect", data={"token": "x"}, auth=("app", "salah"))).status_code == 401


async def test_2_1_the_request_is_a_form_with_a_token(app: Application) -> None:
    assert (await app.http.post("/introspect", data={"x": "1"}, auth=AUTH)).json()["error"] == "invalid_request"
    assert (await app.http.post("/introspect", json={"token": "x"}, auth=AUTH)).status_code == 415
    assert (await app.http.get("/introspect", auth=AUTH)).status_code == 405


async def test_a_clients_own_token_is_active_until_it_is_revoked(app: Application) -> None:
    await app.register("machine", grant_types=["client_credentials"], redirect_uris=None, purposes=None, scope="laporan")
    token = (await app.token({"grant_type": "client_credentials"}, ("machine", SECRET))).json()["access_token"]
    assert (await app.introspect(token))["sub"] == "machine"
    await app.http.post("/revoke", data={"token": token}, auth=("machine", SECRET))
    assert await app.introspect(token) == {"active": False}
