"""A crowd at a real server: an application and browsers with many connections at once, spread over its processes."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import functools
import json
import re
import ssl
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx2
import psutil

from idp.composition import compose
from tests.support import running
from tests.support.visitor import Visitor

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from idp.accounts.records import Account
    from idp.protocol.services import Services
    from tests.support.running import App, Asked, Person
    from tests.support.server import Server
    from tests.support.visitor import Page

MANY = 200


@dataclass(frozen=True)
class Crowd:
    """One application's server and any number of browsers, all speaking to one provider."""

    server: Server
    http: httpx2.AsyncClient
    stack: contextlib.AsyncExitStack
    app: App

    @staticmethod
    def person(key: str = "siti") -> Person:
        return running.Person(next(one for one in running.EVERYBODY if one.key == key))

    async def visitor(self) -> Visitor:
        """A fresh browser."""
        return Visitor(await self.stack.enter_async_context(client(self.server)), self.server.issuer)

    async def spread(self) -> None:
        """Open all connections, and see that every server process holds some."""
        await asyncio.gather(*(self.http.get("/healthz") for _ in range(MANY)))
        assert self.server.process is not None
        if self.server.workers > 1:
            assert all(connections(self.server).values()), connections(self.server)

    async def signed_in(self, person: Person | None = None) -> Visitor:
        """A browser whose owner signed in at the front door."""
        visitor = await self.visitor()
        page = await visitor.sign_in(await visitor.get("/login"), person or self.person())
        assert page.status == 200, page.text
        return visitor

    async def code(self, visitor: Visitor | None = None, person: Person | None = None, **parameters: str | None) -> tuple[str, Asked]:
        """Go from a request to a code."""
        asked = running.ask(self.server.issuer, self.app, **parameters)
        page = await (visitor or await self.visitor()).walk(asked.url, person or self.person())
        return page.answer["code"], asked

    async def redeem(self, code: str, asked: Asked) -> httpx2.Response:
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.app.redirect_uri,
            "code_verifier": asked.verifier,
        }
        return await self.http.post("/token", data=fields, auth=self.app.auth)

    async def refresh(self, token: str) -> httpx2.Response:
        return await self.http.post("/token", data={"grant_type": "refresh_token", "refresh_token": token}, auth=self.app.auth)

    async def userinfo(self, token: str) -> httpx2.Response:
        return await self.http.get("/userinfo", headers={"authorization": f"Bearer {token}"})

    async def tokens(self) -> dict[str, Any]:
        """Go the whole way."""
        response = await self.redeem(*await self.code())
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        return found

    async def mailed_code(self, since: float) -> str:
        """Wait for the newest message with a code in the outbox folder."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            for file in sorted((self.server.folder / "outbox").glob("*.json"), reverse=True):
                found = re.search(r"\b(\d{6}|\d{8})\b", json.loads(file.read_text("utf-8"))["text"])
                if file.stat().st_mtime >= since and found:
                    return found[1]
            await asyncio.sleep(0.1)
        raise AssertionError("no code came")


def connections(server: Server) -> dict[int, int]:
    """Count the connections that each server process holds."""
    assert server.process is not None
    parent = psutil.Process(server.process.pid)
    found = {child.pid: 0 for child in workers(server)} or {parent.pid: 0}
    for pid in found:
        held = [one for one in psutil.Process(pid).net_connections("tcp") if one.status == psutil.CONN_ESTABLISHED]
        found[pid] = sum(one.laddr.port == server.port for one in held)
    return found


def workers(server: Server) -> list[psutil.Process]:
    """Give the living server processes under a supervisor; none when there is a single process."""
    assert server.process is not None
    children = psutil.Process(server.process.pid).children()
    return [child for child in children if "spawn_main" in _command(child)]


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:  # it ended a moment ago
        return ""


@contextlib.asynccontextmanager
async def crowd(server: Server) -> AsyncIterator[Crowd]:
    """Open it."""
    async with contextlib.AsyncExitStack() as stack:
        http = await stack.enter_async_context(client(server))
        yield Crowd(server, http, stack, running.App(running.APPLICATIONS[0]))


def client(server: Server) -> httpx2.AsyncClient:
    """An HTTP client without a proxy, with as many connections as a race needs."""
    limits = httpx2.Limits(max_connections=MANY, max_keepalive_connections=MANY)
    return httpx2.AsyncClient(base_url=server.issuer, trust_env=False, timeout=60, limits=limits, verify=_authorities())


@functools.cache
def _authorities() -> ssl.SSLContext:
    """The machine's list of authorities, read once for all browsers: to read it costs as much as a dozen requests."""
    return ssl.create_default_context()


async def at_once(ask: Callable[[], Awaitable[httpx2.Response]], times: int = MANY) -> Sequence[httpx2.Response]:
    """Ask the same many times at once."""
    return await asyncio.gather(*(ask() for _ in range(times)))


@contextlib.asynccontextmanager
async def inside(server: Server) -> AsyncIterator[Services]:
    """Look into the stores of a server, beside it."""
    more = {name.removeprefix("IDP_").lower(): value for name, value in server.more.items()}
    settings = running.settings_for(server.urls, server.folder, issuer=server.issuer, **more)
    async with compose(settings, background=False) as services:
        yield services


async def account_of(services: Services, person: Person) -> Account:
    """Find somebody's account."""
    from idp.accounts.records import Identifier, IdentifierKind

    (account,) = await services.accounts.find(Identifier(IdentifierKind.EMAIL, person.email))
    return account


def fields_of(page: Page, *names: str, **typed: str) -> dict[str, str]:
    """Fill a page's form in without sending it."""
    return {**page.form(*names).fields, **typed}


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
