"""RFC 8936: security events fetched over HTTP, and SSF 1.0: the transmitter's metadata and the verification event."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.application import SECRET
from tests.support.listening import opened
from tests.support.signals import fetch, sign_in, sign_out, subscribe

if TYPE_CHECKING:
    import httpx2

    from tests.support.application import Application

CLIENT = "penerima"


@pytest.fixture
async def waiting(app: Application) -> list[str]:
    """Three events wait for the client; their jti in order."""
    await app.register(CLIENT, grant_types=["authorization_code", "client_credentials"])
    await subscribe(app, CLIENT)
    for _ in range(3):
        await sign_out(app, await sign_in(app, CLIENT))
        app.provider.clock.move(seconds=1)
    return [one.id for one in reversed(await app.provider.services.notices.of_client(CLIENT))]


async def raw(app: Application, **more: Any) -> httpx2.Response:
    return await app.http.post("/signals/poll", **({"auth": (CLIENT, SECRET), "json": {"returnImmediately": True}} | more))


async def test_2_3_events_come_oldest_first_by_jti_and_more_available_says_so(app: Application, waiting: list[str]) -> None:
    first = await fetch(app, CLIENT, maxEvents=2)
    assert list(first["sets"]) == waiting[:2]
    assert first["moreAvailable"] is True
    every = await fetch(app, CLIENT)
    assert list(every["sets"]) == waiting  # nothing was acknowledged, so all of it comes again
    assert every["moreAvailable"] is False


async def test_2_4_what_is_acknowledged_comes_no_more(app: Application, waiting: list[str]) -> None:
    assert list((await fetch(app, CLIENT, ack=waiting[:1]))["sets"]) == waiting[1:]
    assert (await fetch(app, CLIENT, ack=waiting[1:], maxEvents=0)) == {"sets": {}, "moreAvailable": False}
    statuses = {(one.status, one.answer) for one in await app.provider.services.notices.of_client(CLIENT)}
    assert statuses == {("delivered", "acknowledged")}


async def test_2_2_zero_events_acknowledges_only(app: Application, waiting: list[str]) -> None:
    assert await fetch(app, CLIENT, ack=waiting[:1], maxEvents=0) == {"sets": {}, "moreAvailable": True}


async def test_2_4_errors_are_kept_by_their_code_and_the_event_comes_no_more(app: Application, waiting: list[str]) -> None:
    errors = {waiting[0]: {"err": "authentication_failed", "description": "Siti"}, waiting[1]: {"err": "<script>"}}
    assert list((await fetch(app, CLIENT, setErrs=errors))["sets"]) == waiting[2:]
    answers = {one.id: (one.status, one.answer) for one in await app.provider.services.notices.of_client(CLIENT)}
    assert answers[waiting[0]] == ("refused", "refused: authentication_failed")
    assert answers[waiting[1]] == ("refused", "refused: unknown")


async def test_nobody_acknowledges_or_fetches_another_s_events(app: Application, waiting: list[str]) -> None:
    await app.register("lain")
    await subscribe(app, "lain")
    assert (await fetch(app, "lain", ack=waiting))["sets"] == {}
    assert list((await fetch(app, CLIENT))["sets"]) == waiting


async def test_2_2_without_return_immediately_the_answer_waits_for_an_event(app: Application) -> None:
    await app.register(CLIENT)
    await subscribe(app, CLIENT)
    tokens = await sign_in(app, CLIENT)
    asking = asyncio.create_task(raw(app, json={}))
    await asyncio.sleep(0.1)
    assert not asking.done()
    await sign_out(app, tokens)
    answer = await asking
    assert len(answer.json()["sets"]) == 1


async def test_3_an_access_token_of_the_client_itself_will_do(app: Application, waiting: list[str]) -> None:
    token = (await app.token({"grant_type": "client_credentials"}, (CLIENT, SECRET))).json()["access_token"]
    answer = await raw(app, auth=None, headers={"authorization": f"Bearer {token}"})
    assert list(answer.json()["sets"]) == waiting
    await app.http.post("/revoke", data={"token": token}, auth=(CLIENT, SECRET))
    assert (await raw(app, auth=None, headers={"authorization": f"Bearer {token}"})).status_code == 401


async def test_3_nobody_else_is_let_in(app: Application, waiting: list[str]) -> None:
    del waiting
    of_a_citizen = (await sign_in(app, CLIENT))["access_token"]
    for more in (
        {"auth": None},
        {"auth": (CLIENT, "wrong")},
        {"auth": ("nobody", SECRET)},
        {"auth": None, "headers": {"authorization": f"Bearer {of_a_citizen}"}},
        {"auth": None, "headers": {"authorization": "Bearer x"}},
        {"auth": None, "json": {"client_id": CLIENT, "client_secret": SECRET}},
    ):
        answer = await raw(app, **more)
        assert answer.status_code == 401, more
        assert "www-authenticate" in answer.headers


async def test_a_public_client_s_name_alone_opens_nothing(app: Application) -> None:
    await app.register("publik", secret=None, token_endpoint_auth_method="none")
    await subscribe(app, "publik")
    assert (await raw(app, auth=("publik", ""))).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b"[" * 60000,
        b'{"maxEvents": -1}',
        b'{"maxEvents": true}',
        b'{"maxEvents": 1e400}',
        b'{"returnImmediately": "yes"}',
        b'{"ack": "x"}',
        b'{"ack": [1]}',
        b'{"setErrs": []}',
        b'{"setErrs": {"a": "b"}}',
    ],
)
async def test_a_malformed_poll_is_refused_and_takes_nothing(app: Application, waiting: list[str], body: bytes) -> None:
    answer = await raw(app, json=None, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"
    assert list((await fetch(app, CLIENT))["sets"]) == waiting


async def test_other_content_types_and_methods_are_refused(app: Application, waiting: list[str]) -> None:
    del waiting
    assert (await raw(app, json=None, data={"maxEvents": "1"})).status_code == 415
    assert (await app.http.get("/signals/poll")).status_code == 405


async def test_a_client_that_is_pushed_to_has_nothing_to_fetch(app: Application) -> None:
    await app.register(CLIENT)
    assert (await raw(app)).status_code == 403
    await subscribe(app, CLIENT, push="https://rp.test/events")
    assert (await raw(app)).status_code == 403


async def test_ssf_7_1_the_transmitter_says_what_it_is(app: Application) -> None:
    response = await app.http.get("/.well-known/ssf-configuration")
    document = response.json()
    assert response.headers["content-type"] == "application/json"
    assert document["issuer"] == app.provider.issuer
    assert document["jwks_uri"] == f"{app.provider.issuer}/jwks.json"
    assert document["delivery_methods_supported"] == ["urn:ietf:rfc:8935", "urn:ietf:rfc:8936"]
    assert document["verification_endpoint"] == f"{app.provider.issuer}/signals/verification"


async def test_ssf_8_1_4_a_verification_event_carries_the_state(app: Application) -> None:
    await app.register(CLIENT)
    await subscribe(app, CLIENT)
    asked = {"stream_id": CLIENT, "state": "keadaan-1"}
    assert (await app.http.post("/signals/verification", json=asked, auth=(CLIENT, SECRET))).status_code == 204
    (token,) = (await fetch(app, CLIENT))["sets"].values()
    _, claims = opened(app.provider, token)
    assert claims["events"] == {"https://schemas.openid.net/secevent/ssf/event-type/verification": {"state": "keadaan-1"}}
    assert claims["sub_id"] == {"format": "opaque", "id": CLIENT}
    for wrong, status in (
        ({"stream_id": "lain"}, 404),
        ({}, 400),
        ({"stream_id": CLIENT, "state": 1}, 400),
        ({"stream_id": CLIENT, "state": "x" * 600}, 400),
    ):
        assert (await app.http.post("/signals/verification", json=wrong, auth=(CLIENT, SECRET))).status_code == status
    statuses = [(await app.http.post("/signals/verification", json=asked, auth=(CLIENT, SECRET))).status_code for _ in range(6)]
    assert statuses[-1] == 429  # nobody fills the table
