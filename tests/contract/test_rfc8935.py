"""RFC 8935: security events pushed over HTTP, with its errors; many receivers, none of which waits for another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.application import Application, application, part
from tests.support.listening import Listener, deliver, opened
from tests.support.running import running, settings_for
from tests.support.signals import CAEP, sign_in, sign_out, subscribe

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from keys.database import StoreName

CLIENT, HOST, URI = "penerima", "rp.test", "https://rp.test/events"


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
async def app(filled_urls: dict[StoreName, str], tmp_path: Path, listener: Listener) -> AsyncIterator[Application]:
    settings = settings_for(filled_urls, tmp_path / "data")
    settings.data_dir.mkdir(exist_ok=True)
    async with running(settings, network=listener.transport) as provider:
        made = await application(provider)
        await made.register(CLIENT)
        await subscribe(made, CLIENT, push=URI, authorization="Bearer rahasia-penerima")
        yield made


async def happen(app: Application) -> dict[str, Any]:
    tokens = await sign_in(app, CLIENT)
    await sign_out(app, tokens)
    return tokens


async def told(app: Application) -> list[tuple[str, str, int, str | None]]:
    return [(one.event, one.status, one.attempts, one.answer) for one in await app.provider.services.notices.of_client(CLIENT)]


async def test_2_1_one_event_in_one_post(app: Application, listener: Listener) -> None:
    listener.status(HOST, 202)
    tokens = await happen(app)
    await deliver(app.provider)
    (request,) = listener.at(HOST)
    assert (request.method, str(request.url)) == ("POST", URI)
    assert request.headers["content-type"] == "application/secevent+jwt"
    assert request.headers["accept"] == "application/json"
    assert request.headers["authorization"] == "Bearer rahasia-penerima"
    header, claims = opened(app.provider, request.content.decode())
    assert header["typ"] == "secevent+jwt"
    assert claims["sub_id"]["user"]["sub"] == part(tokens["id_token"], 1)["sub"]
    assert list(claims["events"]) == [f"{CAEP}/session-revoked"]
    assert await told(app) == [("session-revoked", "delivered", 1, "status 202")]


async def test_2_the_same_event_is_sent_again_under_the_same_jti(app: Application, listener: Listener) -> None:
    listener.status(HOST, 503)
    await happen(app)
    await deliver(app.provider)
    listener.status(HOST, 202)
    app.provider.clock.move(seconds=11)
    await deliver(app.provider)
    first, second = [opened(app.provider, request.content.decode())[1] for request in listener.at(HOST)]
    assert first == second
    assert await told(app) == [("session-revoked", "delivered", 2, "status 202")]


@pytest.mark.parametrize("error", ["invalid_request", "invalid_issuer", "invalid_audience"])
async def test_2_4_an_error_that_would_come_again_ends_the_sending(app: Application, listener: Listener, error: str) -> None:
    listener.status(HOST, 400, json={"err": error, "description": "kata-kata penerima"})
    await happen(app)
    await deliver(app.provider)
    assert await told(app) == [("session-revoked", "refused", 1, f"status 400 {error}")]  # none of the receiver's words


@pytest.mark.parametrize(
    ("status", "more"),
    [
        (400, {"json": {"err": "invalid_key"}}),
        (400, {"json": {"err": "authentication_failed"}}),
        (400, {"json": ["invalid_request"]}),
        (400, {"json": {"err": {"a": 1}}}),
        (400, {"content": b'{"err": "invalid_request"', "headers": {"content-type": "application/json"}}),
        (400, {"content": b"[" * 4000, "headers": {"content-type": "application/json"}}),
        (400, {"text": "invalid_request"}),
        (401, {"json": {"err": "invalid_request"}}),
        (404, {}),
        (302, {"headers": {"location": "https://evil.test/"}}),
    ],
)
async def test_2_4_what_can_be_mended_at_the_other_end_is_sent_again(
    app: Application, listener: Listener, status: int, more: dict[str, Any]
) -> None:
    listener.status(HOST, status, **more)
    await happen(app)
    await deliver(app.provider)
    assert await told(app) == [("session-revoked", "waiting", 1, f"status {status}")]
    assert len(listener.heard) == 1


async def test_what_nobody_takes_is_given_up_after_thirty_days(app: Application, listener: Listener) -> None:
    listener.status(HOST, 500)
    await happen(app)
    app.provider.clock.move(days=29, hours=23)
    await deliver(app.provider)
    assert (await told(app))[0][1] == "waiting"
    app.provider.clock.move(hours=2)
    await app.provider.services.notices.sweep(app.provider.clock())
    assert (await told(app))[0][1] == "given-up"


async def test_a_stream_that_was_ended_ends_what_waits_for_it(app: Application, listener: Listener) -> None:
    await happen(app)
    await app.provider.services.notices.streams.remove(CLIENT)
    await deliver(app.provider)
    assert listener.heard == []
    assert (await told(app))[0][1] == "refused"


async def test_the_header_value_and_the_events_are_sealed_at_rest(app: Application) -> None:
    import sqlalchemy as sa

    tokens = await happen(app)
    async with app.provider.services.database.read() as connection:
        rows = [
            *await connection.execute(sa.text("SELECT * FROM signal_streams")),
            *await connection.execute(sa.text("SELECT * FROM notices")),
        ]
    text = repr(rows)
    assert "rahasia-penerima" not in text
    assert part(tokens["id_token"], 1)["sub"] not in text
