"""What the journeys share: an application registered by the command line, and a browser of the sample citizen's."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

import httpx2

from idp.demo.people import SITI
from tests.support.running import Person
from tests.support.visitor import Visitor

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.server import Server

CALLBACK = "http://localhost:9/callback"
SIGNED_OUT = "http://localhost:9/signed-out"


def register(server: Server, client_id: str, *, redirect_uri: str = CALLBACK, signed_out: str = SIGNED_OUT) -> dict[str, str]:
    """Register an application of the purpose "aduan" as an operator does; its id and secret."""
    done = server.run(
        "clients", "add", "--client-id", client_id, "--name", f"Uji {client_id}", "--agency", "diskominfo",
        "--redirect-uri", redirect_uri, "--post-logout-redirect-uri", signed_out, "--purpose", "aduan", "--json",
    )  # fmt: skip
    answer: dict[str, str] = json.loads(done.stdout)
    return answer


def siti() -> Person:
    """The sample citizen without a second factor."""
    return Person(SITI)


@contextlib.asynccontextmanager
async def visiting(server: Server, *also: str) -> AsyncIterator[Visitor]:
    """A browser at this server, which also follows redirects to the origins in `also`."""
    async with httpx2.AsyncClient(base_url=server.issuer, timeout=30) as client:
        yield Visitor(client, server.issuer, *also)
