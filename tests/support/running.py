"""A whole provider for a test: made from a template that is already filled with the demonstration's agencies and people."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import hashlib
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import httpx2
import pyotp
from jinja2 import BytecodeCache

from idp.app import create_app
from idp.composition import compose
from idp.demo.applications import APPLICATIONS, Application
from idp.demo.derived import DemoKey
from idp.demo.people import EVERYBODY, SITI, SamplePerson
from idp.demo.seed import seed
from idp.protocol.destinations import resolve
from idp.settings import Settings
from tests.support.visitor import Visitor

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path
    from types import CodeType

    from fastapi import FastAPI
    from jinja2.bccache import Bucket

    from idp.protocol.services import Services
    from keys.database import StoreName

ISSUER = "http://localhost:8000"
ROOT_KEY = "A" * 43
KEY = DemoKey(b"tests".ljust(32, b"."))
PORT = 8000


class Clock:
    """The time of the machine, until it is moved or held."""

    def __init__(self) -> None:
        self.ahead = dt.timedelta()
        self.held: dt.datetime | None = None

    def __call__(self) -> dt.datetime:
        return (self.held or dt.datetime.now(dt.UTC)) + self.ahead

    def move(self, **by: float) -> None:
        """Go ahead by seconds=, minutes=, hours=, days=."""
        self.ahead += dt.timedelta(**by)

    def hold(self) -> None:
        """Stand still from now on."""
        self.held = self.held or dt.datetime.now(dt.UTC)


@dataclass(frozen=True)
class Person:
    """A sample person with what signs him in."""

    sample: SamplePerson
    clock: Clock = field(default_factory=Clock)

    @property
    def name(self) -> str:
        return self.sample.name

    @property
    def email(self) -> str:
        return self.sample.email

    @property
    def nik(self) -> str:
        return self.sample.nik

    @property
    def phone(self) -> str:
        return self.sample.phone

    @property
    def password(self) -> str:
        return KEY.password(self.sample.key)

    @property
    def totp_secret(self) -> str | None:
        return KEY.totp_secret(self.sample.key) if self.sample.totp else None

    def code(self) -> str:
        """The code that the authenticator application shows."""
        assert self.totp_secret is not None
        return pyotp.TOTP(self.totp_secret).at(self.clock())


@dataclass(frozen=True)
class App:
    """A registered application as its programmer knows it."""

    application: Application

    @property
    def client_id(self) -> str:
        return self.application.client_id

    @property
    def secret(self) -> str:
        return KEY.token(f"client/{self.application.client_id}")

    @property
    def redirect_uri(self) -> str:
        return f"{self.application.base_url(PORT)}/callback"

    @property
    def post_logout_redirect_uri(self) -> str:
        return f"{self.application.base_url(PORT)}/selesai"

    @property
    def auth(self) -> tuple[str, str]:
        return self.client_id, self.secret


@dataclass(frozen=True)
class Asked:
    """An authorization request on its way: its address, and what its sender must remember."""

    url: str
    state: str
    nonce: str
    verifier: str


@dataclass
class Provider:
    """A running provider within the test's own event loop."""

    app: FastAPI
    settings: Settings
    clock: Clock
    clients: contextlib.AsyncExitStack

    @property
    def services(self) -> Services:
        services: Services = self.app.state.services
        return services

    @property
    def issuer(self) -> str:
        return self.settings.issuer

    def application(self, client_id: str = "aduan") -> App:
        return App(next(one for one in APPLICATIONS if one.client_id == client_id))

    def person(self, key: str = SITI.key) -> Person:
        return Person(next(one for one in EVERYBODY if one.key == key), self.clock)

    async def client(self, address: str = "127.0.0.1") -> httpx2.AsyncClient:
        """An HTTP client that speaks to this provider: one browser, or one application's server."""
        transport = httpx2.ASGITransport(app=self.app, client=(address, 50000), raise_app_exceptions=False)
        return await self.clients.enter_async_context(httpx2.AsyncClient(transport=transport, base_url=self.issuer))

    async def visitor(self, address: str = "127.0.0.1") -> Visitor:
        """A fresh browser."""
        return Visitor(await self.client(address), self.issuer)

    def ask(self, app: App | None = None, **parameters: str | None) -> Asked:
        """Make an authorization request of this provider."""
        return ask(self.issuer, app or self.application(), **parameters)

    async def redeem(self, answer: Mapping[str, str], asked: Asked, app: App | None = None) -> httpx2.Response:
        """Trade a code at the token endpoint."""
        app = app or self.application()
        fields = {
            "grant_type": "authorization_code",
            "code": answer["code"],
            "redirect_uri": app.redirect_uri,
            "code_verifier": asked.verifier,
        }
        return await (await self.client()).post("/token", data=fields, auth=app.auth)

    async def refresh(self, refresh_token: str, app: App | None = None, **more: str) -> httpx2.Response:
        """Trade a refresh token."""
        app = app or self.application()
        fields = {"grant_type": "refresh_token", "refresh_token": refresh_token, **more}
        return await (await self.client()).post("/token", data=fields, auth=app.auth)

    async def userinfo(self, access_token: str) -> httpx2.Response:
        """Read the citizen's data."""
        return await (await self.client()).get("/userinfo", headers={"authorization": f"Bearer {access_token}"})

    async def tokens(
        self, person: Person | None = None, app: App | None = None, visitor: Visitor | None = None, **parameters: str | None
    ) -> dict[str, Any]:
        """Go the whole way: sign in, say yes, redeem; give the token answer."""
        app, person, visitor = app or self.application(), person or self.person(), visitor or await self.visitor()
        asked = self.ask(app, **parameters)
        answer = (await visitor.walk(asked.url, person)).answer
        response = await self.redeem(answer, asked, app)
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        return found


def ask(issuer: str, app: App, **parameters: str | None) -> Asked:
    """Make an authorization request with PKCE; parameters given as None are left out, others replace the usual ones."""
    state, nonce, verifier = secrets.token_urlsafe(16), secrets.token_urlsafe(16), secrets.token_urlsafe(48)
    usual: dict[str, str | None] = {
        "response_type": "code",
        "client_id": app.client_id,
        "redirect_uri": app.redirect_uri,
        "scope": app.application.scope,
        "state": state,
        "nonce": nonce,
        "code_challenge": challenge_of(verifier),
        "code_challenge_method": "S256",
    }
    sent = {name: value for name, value in {**usual, **parameters}.items() if value is not None}
    return Asked(f"{issuer}/authorize?{urlencode(sent)}", state, nonce, verifier)


def challenge_of(verifier: str) -> str:
    """RFC 7636 §4.2: BASE64URL-ENCODE(SHA256(ASCII(code_verifier)))."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def settings_for(urls: Mapping[StoreName, str], folder: Path, **more: Any) -> Settings:
    """Settings of a provider over given stores, with cheap password hashes."""
    usual: dict[str, Any] = {
        "issuer": ISSUER,
        "data_dir": folder,
        "database_url": urls["idp"],
        "consent_database_url": urls["consent"],
        "keys_database_url": urls["keys"],
        "root_key": ROOT_KEY,
        "argon2_memory": 64,
        "argon2_time": 1,
        "log_level": "warning",
    }
    return Settings(**{**usual, **more})


async def fill(urls: Mapping[StoreName, str], folder: Path) -> None:
    """Fill migrated, empty stores."""
    async with compose(settings_for(urls, folder), background=False) as services:
        await seed(services, KEY, PORT)


async def resolved(host: str, port: int) -> list[str]:
    """Give every name the same public address: what a test's network answers with is the transport's matter."""
    del host, port
    return ["93.184.216.34"]


class _Compiled(BytecodeCache):
    """Templates that this process has compiled: each provider has an environment of its own, and compiling costs more than the test."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        assert bucket.code is not None
        self._codes[bucket.key, bucket.checksum] = bucket.code


def _unreachable(request: httpx2.Request) -> httpx2.Response:
    raise httpx2.ConnectError("a test reaches nobody outside; hand a transport in", request=request)


COMPILED = _Compiled()
NOBODY = httpx2.MockTransport(_unreachable)


@contextlib.asynccontextmanager
async def running(
    settings: Settings, *, background: bool = False, clock: Clock | None = None, network: httpx2.AsyncBaseTransport | None = None
) -> AsyncIterator[Provider]:
    """Run a provider in this event loop. `network` answers what the provider fetches and posts, as httpx2.MockTransport does."""
    clock = clock or Clock()
    app = create_app(settings, clock=clock, background=background, transport=network or NOBODY, resolver=resolved if network else resolve)
    async with app.router.lifespan_context(app), contextlib.AsyncExitStack() as clients:
        app.state.renderer._templates.bytecode_cache = COMPILED
        yield Provider(app, settings, clock, clients)
