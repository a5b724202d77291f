"""Applications that hang, fail, redirect or flood us when they are told of an ending; a server that dies before it tells."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import httpx2
import pytest

from idp.housekeeping import tasks
from idp.notices.store import NoticeStore
from idp.protocol import ending, telling
from idp.protocol.deliveries import Deliveries
from idp.protocol.outbox import outbox
from tests.support.application import Application, application
from tests.support.listening import Listener, deliver, logout_token, opened
from tests.support.running import running, settings_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from keys.database import StoreName


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
async def app(filled_urls: dict[StoreName, str], tmp_path: Path, listener: Listener) -> AsyncIterator[Application]:
    settings = settings_for(filled_urls, tmp_path / "data")
    settings.data_dir.mkdir(exist_ok=True)
    async with running(settings, network=listener.transport) as provider:
        made = await application(provider)
        for client in ("bad", "good"):
            await made.register(client, backchannel_logout_uri=f"https://{client}.test/out")
        yield made


async def sign_in(app: Application) -> str:
    """Sign Siti in at both; an ID Token."""
    tokens = {}
    for client in ("bad", "good"):
        tokens = (await app.redeem((await app.through(client_id=client))["code"], (client, "rahasia"))).json()
    return str(tokens["id_token"])


async def logout(app: Application, hint: str) -> None:
    page = await app.visitor.get(f"/logout?{urlencode({'id_token_hint': hint})}")
    assert "Anda sudah keluar" in page.text


async def status(app: Application, client: str) -> tuple[str, str | None]:
    (one,) = await app.provider.services.notices.of_client(client)
    return one.status, one.answer


async def test_one_that_hangs_delays_neither_the_citizen_nor_the_others(app: Application, listener: Listener) -> None:
    listener.hang("bad.test")
    sender = Deliveries(app.provider.services, patience=0.1)
    for _ in range(3):
        hint = await sign_in(app)
        began = time.monotonic()
        await logout(app, hint)
        await sender.run_once()
        assert time.monotonic() - began < 2  # the fetcher's own patience is five seconds
    assert len(listener.at("good.test")) == 3
    assert len(listener.at("bad.test")) == 1  # its lane is busy
    await sender.close()
    assert [one.status for one in await app.provider.services.notices.of_client("bad")] == ["waiting"] * 3


async def test_one_that_hangs_is_left_after_seconds_and_told_again(app: Application, listener: Listener) -> None:
    listener.hang("bad.test")
    app.provider.services.fetcher._seconds = 0.2
    await logout(app, await sign_in(app))
    await deliver(app.provider)
    assert await status(app, "bad") == ("waiting", "The address did not answer in time.")


def flood(request: httpx2.Request) -> httpx2.Response:
    del request
    return httpx2.Response(500, content=_endless(), headers={"content-type": "application/json"})


async def _endless() -> AsyncIterator[bytes]:
    for _ in range(160):
        yield b"x" * 65536


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (lambda _: httpx2.Response(500), "status 500"),
        (lambda _: httpx2.Response(302, headers={"location": "https://good.test/out"}), "status 302"),
        (lambda _: httpx2.Response(307, headers={"location": "http://169.254.169.254/"}), "status 307"),
        (flood, "status 500"),
    ],
    ids=["error", "redirect", "redirect-inside", "ten-megabytes"],
)
async def test_one_that_fails_redirects_or_floods_is_told_again_and_nobody_follows_it(
    app: Application, listener: Listener, answer: Callable[[httpx2.Request], httpx2.Response], told: str
) -> None:
    async def answers(request: httpx2.Request) -> httpx2.Response:
        return answer(request)

    listener.answers["bad.test"] = answers
    await logout(app, await sign_in(app))
    await deliver(app.provider)
    assert await status(app, "bad") == ("waiting", told)
    assert await status(app, "good") == ("delivered", "status 200")
    assert len(listener.heard) == 2


async def test_an_address_inside_our_network_is_never_asked(app: Application, listener: Listener) -> None:
    async def inside(host: str, port: int) -> list[str]:
        del port
        return ["10.0.0.7"] if host == "bad.test" else ["93.184.216.34"]

    app.provider.services.fetcher._resolver = inside
    await logout(app, await sign_in(app))
    await deliver(app.provider)
    assert listener.at("bad.test") == []
    assert (await status(app, "bad"))[0] == "waiting"


class Killed(Exception):
    """The process ends here."""


Death = tuple[Any, str]
DEATHS: dict[str, Death] = {"before-anything-is-told": (telling, "sessions_ended"), "before-notices-are-kept": (NoticeStore, "add")}


@pytest.mark.parametrize("death", DEATHS.values(), ids=DEATHS)
async def test_a_server_that_dies_between_the_end_of_a_session_and_the_notice_tells_after_all(
    app: Application, listener: Listener, monkeypatch: pytest.MonkeyPatch, death: Death
) -> None:
    async def die(*_: object, **__: object) -> None:
        raise Killed

    await sign_in(app)
    session = await own_session(app)
    with monkeypatch.context() as patched:
        patched.setattr(*death, die)
        with pytest.raises(Killed):
            await ending.end_session(app.provider.services, session)
    await told_once(app, listener)


async def test_a_server_that_dies_before_the_session_ends_tells_nobody(app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    async def die(*_: object, **__: object) -> None:
        raise Killed

    await sign_in(app)
    session = await own_session(app)
    with monkeypatch.context() as patched:
        patched.setattr(type(app.provider.services.sessions), "end", die)
        with pytest.raises(Killed):
            await ending.end_session(app.provider.services, session)
    for _ in range(5):
        app.provider.clock.move(seconds=35)
        await outbox(app.provider.services).run_once()
    assert await app.provider.services.notices.of_client("good") == []
    assert await app.provider.services.events.outbox.waiting(ending.SESSIONS_TOPIC) == 0


async def test_a_lock_that_dies_half_way_is_finished_and_told(
    app: Application, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def die(*_: object, **__: object) -> None:
        raise Killed

    await sign_in(app)
    found = app.provider.services
    session = await found.sessions.get(await own_session(app), app.provider.clock())
    assert session is not None
    with monkeypatch.context() as patched:
        patched.setattr(type(found.sessions), "end_all", die)
        with pytest.raises(Killed):
            await ending.lock(found, session.person)
    app.provider.clock.move(seconds=35)
    await outbox(found).run_once()
    assert await found.sessions.of_person(session.person, app.provider.clock()) == []
    await deliver(app.provider)
    subjects = {opened(app.provider, logout_token(request))[1]["sub"] for request in listener.at("good.test")}
    assert len(subjects) == 1


async def told_once(app: Application, listener: Listener) -> None:
    """The errand survives; done again and again, it tells once."""
    found = app.provider.services
    assert await found.events.outbox.waiting(ending.SESSIONS_TOPIC) == 1
    app.provider.clock.move(seconds=35)
    await asyncio.gather(*(outbox(found).run_once() for _ in range(3)))
    assert await found.events.outbox.waiting(ending.SESSIONS_TOPIC) == 0
    await deliver(app.provider)
    await deliver(app.provider)
    assert len(listener.at("good.test")) == 1


async def own_session(app: Application) -> str:
    from idp.accounts.records import Identifier, IdentifierKind

    found = app.provider.services
    (siti,) = await found.accounts.find(Identifier(IdentifierKind.EMAIL, app.provider.person().email))
    (session,) = await found.sessions.of_person(siti.person, app.provider.clock())
    return session.id


async def test_the_server_s_own_tasks_notice_expiry_and_tell(app: Application, listener: Listener) -> None:
    await sign_in(app)
    app.provider.clock.move(minutes=20)
    actions: dict[str, Callable[[], Awaitable[object]]] = {task.name: task.action for task in tasks(app.provider.services)}
    await actions["expired-sessions"]()
    await actions["notices"]()
    assert len(listener.at("good.test")) == 1
