"""Applications' servers as the provider's requests meet them: a network that takes down what is sent, and answers as a test says."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import httpx2
from joserfc import jws
from joserfc.jwk import KeySet

from idp.protocol.deliveries import Deliveries

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.support.running import Provider

    Answer = Callable[[httpx2.Request], Awaitable[httpx2.Response]]


@dataclass
class Listener:
    """What applications heard, by host. `answers`: how a host answers; otherwise 200 and nothing."""

    heard: list[httpx2.Request] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)

    async def __call__(self, request: httpx2.Request) -> httpx2.Response:
        host = request.headers["host"].partition(":")[0]
        self.heard.append(request)
        answer = self.answers.get(host)
        return httpx2.Response(200) if answer is None else await answer(request)

    @property
    def transport(self) -> httpx2.AsyncBaseTransport:
        return httpx2.MockTransport(self)

    def at(self, host: str) -> list[httpx2.Request]:
        """Give what one host heard."""
        return [request for request in self.heard if request.headers["host"].partition(":")[0] == host]

    def status(self, host: str, status: int, **more: Any) -> None:
        """Let a host answer with a status from now on."""

        async def answer(_: httpx2.Request) -> httpx2.Response:
            return httpx2.Response(status, **more)

        self.answers[host] = answer

    def hang(self, host: str) -> None:
        """Let a host take requests and never answer."""

        async def answer(_: httpx2.Request) -> httpx2.Response:
            await asyncio.Event().wait()
            raise AssertionError

        self.answers[host] = answer


def logout_token(request: httpx2.Request) -> str:
    """Give the logout token of a request (Back-Channel Logout §2.5)."""
    assert request.method == "POST"
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    (token,) = parse_qs(request.content.decode())["logout_token"]
    return token


def opened(provider: Provider, token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Verify a token as its receiver does, with our published keys; give header and claims."""
    keys = KeySet.import_key_set(provider.services.keyring.signing.jwks())
    algorithms = ["RS256", "PS256", "ES256", "EdDSA"]
    verified = jws.deserialize_compact(token, keys, algorithms=algorithms)
    return dict(verified.headers()), json.loads(verified.payload)


async def deliver(provider: Provider, rounds: int = 1) -> int:
    """Send what is due, and wait until all of it was answered."""
    sender = Deliveries(provider.services, patience=30)
    return sum([await sender.run_once() for _ in range(rounds)])
