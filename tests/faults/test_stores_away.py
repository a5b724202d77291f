"""The database gone, frozen, or its disk full: 503 with Retry-After, nothing disclosed, and recovery without a hand."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import time
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from starlette.routing import Route

from idp.app import _routes
from tests.support.crowd import Crowd, account_of, crowd, inside
from tests.support.server import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import httpx2

    from tests.faults.conftest import Cluster

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
READS_WITHOUT_STORE = {"/healthz", "/metrics", "/static/{digest}/{name}"}


@pytest.fixture(scope="module")
def on_cluster(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Two processes over the PostgreSQL server that this module stops again and again; nobody starts them a second time."""
    server = Server(cluster.urls, tmp_path_factory.mktemp("on-cluster"), 2)
    try:
        yield server.start()
        assert server.process is not None
        assert server.process.poll() is None
    finally:
        server.kill()


async def every_answer(applications: Crowd) -> Sequence[tuple[str, httpx2.Response]]:
    """Ask every route by each of its methods, as a signed-in browser would not (no cookie), with a form."""
    asked = [
        (route.path, method)
        for route in _routes()
        if isinstance(route, Route)
        for method in sorted(route.methods or ())
        if method in {"GET", "POST"}
    ]
    found = []
    for path, method in asked:
        target = (
            path.replace("{digest}", "0").replace("{name}", "x").replace("{grant}", "x").replace("{purpose}", "x").replace("{session}", "x")
        )
        auth = applications.app.auth if path in {"/token", "/introspect", "/revoke"} else None
        body = {
            "grant_type": "refresh_token",
            "refresh_token": "x",
            "token": "x",
            "identifier": "x@contoh.id",
            "password": "x",
            "client_id": "aduan",
        }
        sent = {"data": body} if method == "POST" else {"params": {"client_id": "aduan"}}
        found.append(
            (f"{method} {path}", await applications.http.request(method, target, auth=auth, headers={"accept": "text/html"}, **sent))
        )
    return found


async def test_postgresql_gone_refuses_everything_with_503_and_its_return_needs_no_hand(on_cluster: Server, cluster: Cluster) -> None:
    async with crowd(on_cluster) as applications:
        tokens = await applications.tokens()
        assert (await applications.userinfo(tokens["access_token"])).status_code == 200
        before = await size(on_cluster)
        await asyncio.to_thread(cluster.stop)
        for _ in range(3):
            refused(await applications.userinfo(tokens["access_token"]))
            refused(await applications.refresh(tokens["refresh_token"]))
        ready = await applications.http.get("/readyz")
        refused(ready)
        assert "store cannot be reached" in ready.text
        for name, answer in await every_answer(applications):
            assert answer.status_code < 500 or answer.status_code == 503, f"{name}: {answer.status_code} {answer.text[:200]}"
            assert answer.status_code != 503 or answer.headers["retry-after"], name
        assert (await applications.http.get("/healthz")).status_code == 200
        await asyncio.to_thread(cluster.start)
        await answered(applications, tokens["access_token"])
        assert (await applications.refresh(tokens["refresh_token"])).status_code == 200  # the refused ones used nothing up
        await until_ready(applications)
    assert await size(on_cluster) > before
    on_cluster.run("audit", "verify", "--live")
    assert '"event": "unexpected"' not in on_cluster.log.read_text()


async def test_a_command_says_that_the_store_is_gone(on_cluster: Server, cluster: Cluster) -> None:
    await asyncio.to_thread(cluster.stop)
    for command in (["database", "status"], ["clients", "list"], ["audit", "status"], ["keys", "list"], ["purposes", "list"]):
        done = await asyncio.to_thread(on_cluster.run, *command, check=False)
        assert (done.returncode, "Traceback" in done.stderr) == (3, False), done.stderr
        assert "cannot be reached" in done.stderr
    await asyncio.to_thread(cluster.start)


async def test_postgresql_that_stands_still_for_seconds_discloses_nothing_unrecorded(on_cluster: Server, cluster: Cluster) -> None:
    async with crowd(on_cluster) as applications:
        token = (await applications.tokens())["access_token"]
        reads = [asyncio.create_task(applications.userinfo(token)) for _ in range(4)]
        await asyncio.sleep(0.01)
        cluster.freeze()
        reads += [asyncio.create_task(applications.userinfo(token)) for _ in range(20)]
        await asyncio.sleep(3)
        cluster.thaw()
        answers = await asyncio.gather(*reads)
        assert {answer.status_code for answer in answers} <= {200, 503}
        await answered(applications, token)
    received = {answer.headers["x-access-log-id"] for answer in answers if answer.status_code == 200}
    assert received <= await recorded(on_cluster)
    on_cluster.run("audit", "verify", "--live")


@pytest.mark.parametrize("kind", ["sqlite"])
async def test_a_full_disk_refuses_everything_with_503_and_space_needs_no_hand(server: Callable[..., Server], kind: str) -> None:
    del kind
    started = server()
    async with crowd(started) as applications:
        tokens = await applications.tokens()
        assert (await applications.userinfo(tokens["access_token"])).status_code == 200
        before = await size(started)
        with full_disk(started):
            for _ in range(3):
                refused(await applications.userinfo(tokens["access_token"]))
                refused(await applications.refresh(tokens["refresh_token"]))
            for name, answer in await every_answer(applications):
                assert answer.status_code < 500 or answer.status_code == 503, f"{name}: {answer.status_code} {answer.text[:200]}"
            assert (await applications.http.get("/healthz")).status_code == 200
            await asyncio.sleep(2)  # background tasks meet the full disk too
        assert (await size(started)) == before
        assert (await applications.userinfo(tokens["access_token"])).status_code == 200
        assert (await applications.refresh(tokens["refresh_token"])).status_code == 200
        await until_ready(applications)
    started.run("audit", "verify", "--live")
    assert '"event": "unexpected"' not in started.log.read_text()


@contextlib.contextmanager
def full_disk(server: Server) -> Iterator[None]:
    """Let the server write no file beyond its first block: what a full disk does, for stores and for its own log alike."""
    assert server.process is not None
    before = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
    yield
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, before)


def refused(answer: httpx2.Response) -> None:
    """Demand a refusal that says when to come again, and tells nothing."""
    assert answer.status_code == 503, answer.text
    assert int(answer.headers["retry-after"]) > 0
    assert "x-access-log-id" not in answer.headers
    assert running_values(answer)


def running_values(answer: httpx2.Response) -> bool:
    return not any(value in answer.text for value in Crowd.person().sample.claims().values() if len(value) > 5)


async def answered(applications: Crowd, token: str) -> None:
    """Demand that reading works again by itself, soon."""
    deadline = time.monotonic() + 30
    while (answer := await applications.userinfo(token)).status_code != 200:
        assert answer.status_code == 503, answer.text
        assert time.monotonic() < deadline
        await asyncio.sleep(0.2)


async def until_ready(applications: Crowd) -> None:
    deadline = time.monotonic() + 30
    while (answer := await applications.http.get("/readyz")).status_code != 200:
        assert time.monotonic() < deadline, answer.text
        await asyncio.sleep(0.2)


async def size(server: Server) -> int:
    async with inside(server) as services, services.consent.database.read() as connection:
        return int((await connection.execute(sa.text("SELECT count(*) FROM log_entries"))).scalar_one())


async def recorded(server: Server) -> set[str]:
    async with inside(server) as services:
        siti = await account_of(services, Crowd.person())
        return {entry.entry_id for entry in await services.consent.access_log.history(siti.person, limit=100_000)}
