"""An application that registers itself, and the places on the network that it names."""

from __future__ import annotations

import json
import struct
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx2

if TYPE_CHECKING:
    from tests.support.application import Application

CALLBACK = "https://app.test/cb"
OTHER_HOST = "https://lain.test/cb"
NAME = "Aplikasi Mandiri"


@dataclass
class Places:
    """What stands at addresses of applications, and which of them were asked for."""

    known: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def put(self, url: str, body: object, content_type: str = "application/json") -> str:
        self.known[url] = (body if isinstance(body, bytes) else json.dumps(body).encode(), content_type)
        return url

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        url = str(request.url)
        self.asked.append(url)
        body, kind = self.known.get(url, (b"", ""))
        return httpx2.Response(200 if kind else 404, content=body, headers={"content-type": kind or "text/plain"})


def png(width: int = 40, height: int = 40, padding: int = 0) -> bytes:
    """Draw a picture of one colour."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = zlib.compress(b"".join(b"\x00" + b"\x0b\x5f\x5a" * width for _ in range(height)))
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"tEXt", b"x\x00" + b"x" * padding) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


async def post(app: Application, *, token: str | None = None, **document: Any) -> httpx2.Response:
    """Send a registration; None leaves a field out."""
    whole = {"client_name": NAME, "redirect_uris": [CALLBACK]} | document
    sent = {name: value for name, value in whole.items() if value is not None}
    return await app.http.post("/register", json=sent, headers=bearer(token) if token else {})


async def registered(app: Application, **document: Any) -> dict[str, Any]:
    """Register; give the answer."""
    response = await post(app, **document)
    assert response.status_code == 201, response.text
    found: dict[str, Any] = response.json()
    return found


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def own(registration: dict[str, Any]) -> dict[str, str]:
    """The header with which an application manages its registration."""
    return bearer(registration["registration_access_token"])
