"""RFC 7009: token revocation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.application import AUTH, SECRET

if TYPE_CHECKING:
    import httpx2

    from tests.support.application import Application


async def revoke(app: Application, token: str | None, auth: tuple[str, str] | None = AUTH, **more: str) -> httpx2.Response:
    form = ({} if token is None else {"token": token}) | more
    return await app.http.post("/revoke", data=form or {"x": "1"}, **({"auth": auth} if auth else {}))


async def test_2_2_a_revoked_access_token_is_dead_and_its_refresh_token_lives(app: Application) -> None:
    tokens = await app.tokens()
    assert (await revoke(app, tokens["access_token"])).status_code == 200
    assert (await app.userinfo(tokens["access_token"])).status_code == 401
    assert await app.introspect(tokens["access_token"]) == {"active": False}
    assert (await app.refresh(tokens["refresh_token"])).status_code == 200


async def test_2_1_a_revoked_refresh_token_ends_its_access_tokens_and_never_the_consent(app: Application) -> None:
    tokens = await app.tokens()
    assert (await revoke(app, tokens["refresh_token"], token_type_hint="refresh_token")).status_code == 200
    assert (await app.userinfo(tokens["access_token"])).status_code == 401
    assert (await app.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"
    assert "code" in (await app.ask()).answer


async def test_2_2_an_unknown_token_is_answered_like_a_revoked_one(app: Application) -> None:
    for token in ("never-issued", "a.b.c", "x" * 5000):
        response = await revoke(app, token)
        assert (response.status_code, response.text) == (200, "")
    tokens = await app.tokens()
    for _ in range(2):
        assert (await revoke(app, tokens["access_token"], token_type_hint="nonsense")).status_code == 200


async def test_2_1_another_clients_token_is_refused_and_lives_on(app: Application) -> None:
    await app.register("other")
    tokens = await app.tokens()
    for token in (tokens["access_token"], tokens["refresh_token"]):
        response = await revoke(app, token, ("other", SECRET))
        assert (response.status_code, response.json()["error"]) == (400, "invalid_grant")
    assert (await app.userinfo(tokens["access_token"])).status_code == 200


async def test_2_1_clients_authenticate_and_public_ones_name_themselves(app: Application) -> None:
    await app.register("public", token_endpoint_auth_method="none", origins=["https://spa.test"])
    assert (await revoke(app, "x", None)).status_code == 401
    assert (await revoke(app, "x", ("app", "salah"))).status_code == 401
    response = await app.http.post("/revoke", data={"token": "x", "client_id": "public"}, headers={"origin": "https://spa.test"})
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == "https://spa.test"


async def test_2_1_token_is_required_and_only_forms_are_read(app: Application) -> None:
    assert (await revoke(app, None)).json()["error"] == "invalid_request"
    assert (await app.http.post("/revoke", json={"token": "x"}, auth=AUTH)).status_code == 415
    assert (await app.http.get("/revoke", auth=AUTH)).status_code == 405
