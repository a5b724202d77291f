"""RFC 9126: pushed authorization requests."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from idp.interactions.pushed.store import PREFIX
from tests.support.application import AUTH, CALLBACK, SECRET, Application, parameters

if TYPE_CHECKING:
    import httpx2

    from tests.support.visitor import Page


async def push(app: Application, auth: tuple[str, str] | None = AUTH, **changes: object) -> httpx2.Response:
    more: dict[str, Any] = {"auth": auth} if auth else {}
    return await app.http.post("/par", data=parameters(**changes), **more)


async def pushed(app: Application, auth: tuple[str, str] = AUTH, **changes: object) -> str:
    response = await push(app, auth, **changes)
    assert response.status_code == 201, response.text
    uri: str = response.json()["request_uri"]
    return uri


async def send(app: Application, uri: str, client_id: str = "app", **more: str) -> Page:
    return await app.visitor.get(f"/authorize?{urlencode({'client_id': client_id, 'request_uri': uri, **more})}")


async def walked(app: Application, page: Page) -> dict[str, str]:
    if page.path == "/login":
        page = await app.visitor.sign_in(page, app.provider.person())
    return (await app.visitor.allow(page) if page.path == "/approve" else page).answer


async def test_2_2_the_answer_is_201_with_a_uri_of_ours_and_its_lifetime(app: Application) -> None:
    response = await push(app)
    assert (response.status_code, response.headers["cache-control"]) == (201, "no-store")
    body = response.json()
    assert body.keys() == {"request_uri", "expires_in"}
    assert body["request_uri"].startswith(PREFIX)
    assert len(body["request_uri"]) >= len(PREFIX) + 43
    assert 0 < body["expires_in"] <= 90
    assert (await push(app)).json()["request_uri"] != body["request_uri"]


async def test_4_the_whole_way_with_client_id_and_request_uri_alone(app: Application) -> None:
    answer = await walked(app, await send(app, await pushed(app)))
    assert (answer["state"], answer["iss"]) == ("st-1", app.provider.issuer)
    assert (await app.redeem(answer["code"])).status_code == 200


async def test_4_other_parameters_on_the_address_are_ignored(app: Application) -> None:
    page = await send(app, await pushed(app), state="other", nonce="other", scope="openid address", redirect_uri="https://evil.test/cb")
    answer = await walked(app, page)
    assert answer["state"] == "st-1"
    assert (await app.redeem(answer["code"])).json()["scope"] == "openid profile email"


async def test_4_it_may_be_opened_again_until_the_answer_is_given_and_then_never(app: Application) -> None:
    uri = await pushed(app)
    first, second = await send(app, uri), await send(app, uri)
    assert (first.path, second.path) == ("/login", "/login")
    assert "code" in await walked(app, second)
    assert "/authorize" in (await send(app, uri)).url
    assert (await send(app, uri)).status == 400
    late = await app.visitor.get(first.url.replace("/login", "/authorize"))  # the other tab: its request was answered
    assert (late.status, late.left) == (409, None)


async def test_4_one_of_many_that_race_gets_the_code(app: Application) -> None:
    await app.through()
    uri = await pushed(app)
    pages = await asyncio.gather(*(send(app, uri) for _ in range(6)))
    assert sorted(page.left is not None and "code" in page.answer for page in pages) == [False] * 5 + [True]


async def test_4_expired_unknown_and_foreign_ones_are_an_error_page_in_both_languages(app: Application) -> None:
    await app.register("other")
    uri = await pushed(app)
    foreign = await send(app, uri, "other")
    unknown = await send(app, f"{PREFIX}nothing")
    app.provider.clock.move(seconds=61)
    expired = await send(app, uri)
    for page in (foreign, unknown, expired):
        assert (page.status, page.left) == (400, None)
        assert "request_uri is unknown" in page.text
    english = await send(app, uri, ui_locales="en")
    assert "The time to begin has run out" in english.text


async def test_who_takes_longer_to_sign_in_than_it_lasts_still_arrives(app: Application) -> None:
    page = await send(app, await pushed(app))
    app.provider.clock.move(minutes=10)
    assert "code" in await walked(app, page)


async def test_2_1_request_uri_as_a_form_parameter_is_refused(app: Application) -> None:
    response = await push(app, request_uri=await pushed(app))
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


async def test_2_the_application_authenticates(app: Application) -> None:
    await app.register("public", token_endpoint_auth_method="none")
    for auth, named in ((("app", "wrong"), "app"), (("nobody", SECRET), "nobody"), (None, "app")):
        response = await push(app, auth, client_id=named)
        assert (response.status_code, response.json()["error"]) == (401, "invalid_client")
    assert (await push(app, None, client_id="public")).status_code == 201
    assert (await push(app, AUTH, client_id="public")).json()["error"] == "invalid_request"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"redirect_uri": "https://evil.test/cb"}, "invalid_request"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": 'openid "'}, "invalid_scope"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"registration": "{}"}, "registration_not_supported"),
        ({"resource": "no uri"}, "invalid_target"),
        ({"authorization_details": "[]"}, "invalid_authorization_details"),
    ],
)
async def test_2_3_what_authorize_would_refuse_is_refused_at_once(app: Application, changes: dict[str, Any], error: str) -> None:
    response = await push(app, **changes)
    assert (response.status_code, response.json()["error"]) == (400, error)


async def test_2_3_other_methods_and_bodies(app: Application) -> None:
    assert (await app.http.get("/par")).status_code == 405
    assert (await app.http.put("/par", auth=AUTH)).status_code == 405
    assert (await app.http.post("/par", json=parameters(), auth=AUTH)).status_code == 415
    assert (await app.http.post("/par", content=b"scope=a&scope=b", auth=AUTH)).status_code in {400, 415}


async def test_6_a_client_that_registered_so_must_push(app: Application) -> None:
    await app.register("pushes", require_pushed_authorization_requests=True)
    assert (await app.ask(client_id="pushes")).answer["error"] == "invalid_request"
    uri = await pushed(app, ("pushes", SECRET), client_id="pushes")
    assert "code" in await walked(app, await send(app, uri, "pushes"))


async def test_5_discovery_names_the_endpoint(app: Application) -> None:
    for path in ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"):
        document = (await app.http.get(path)).json()
        assert document["pushed_authorization_request_endpoint"] == f"{app.provider.issuer}/par"


async def test_nothing_that_was_pushed_rests_in_clear(app: Application) -> None:
    uri = await pushed(app, login_hint="siti.rahmawati@planted.test", state="planted-state")
    rows = await everything(app)
    assert b"planted" not in rows
    assert uri.removeprefix(PREFIX).encode() not in rows


async def everything(app: Application) -> bytes:
    import sqlalchemy as sa

    async with app.provider.services.database.read() as connection:
        rows = (await connection.execute(sa.text("SELECT * FROM pushed_requests"))).all()
    assert rows
    return b" ".join(value if isinstance(value, bytes) else str(value).encode() for row in rows for value in row)


async def test_the_sweep_removes_what_nobody_can_finish(app: Application) -> None:
    await pushed(app)
    found = app.provider.services
    assert await found.pushed.sweep(found.clock()) == 0
    app.provider.clock.move(hours=2)
    assert await found.pushed.sweep(found.clock()) == 1


async def test_a_redirect_uri_that_was_taken_away_meanwhile_is_not_used(app: Application) -> None:
    uri = await pushed(app)
    assert CALLBACK in parameters()["redirect_uri"]
    found = app.provider.services
    await found.clients.remove("app")
    await app.register("app", redirect_uris=["https://app.test/new"])
    assert (await send(app, uri)).status == 400
