"""What somebody meets first: how long an empty provider takes to answer, and how many bytes the sign-in page is."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.load import place
from tests.support.server import ROOT, free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

_LINKED = re.compile(rb'(?:href|src)="(/static/[^"]+)"')
_TYPICAL = "accept-encoding: gzip, deflate, br\r\naccept-language: id-ID,id;q=0.9\r\n"


@dataclass(frozen=True)
class FirstLook:
    """Seconds to the first answer (empty folder, filled folder), MB of the idle process, bytes of the sign-in page by part."""

    first_start: float
    later_start: float
    idle: float
    page: dict[str, int]


async def embedded(folder: Path) -> FirstLook:
    """Start the embedded default twice in an empty folder."""
    port = free_port()
    async with _started(folder, port) as (_, first):
        pass
    async with _started(folder, port) as (process, later):
        page = await _sign_in_page(port)
        await asyncio.sleep(1)
        (idle,) = place.memory(process.pid, peak=False)
    return FirstLook(first, later, idle, page)


@contextlib.asynccontextmanager
async def _started(folder: Path, port: int) -> AsyncIterator[tuple[subprocess.Popen[bytes], float]]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("IDP_")}
    environment |= {
        "IDP_DATA_DIR": str(folder),
        "IDP_ISSUER": f"http://localhost:{port}",
        "IDP_LOG_LEVEL": "warning",
        "IDP_LIMIT_AUTHORIZE": "1000000/60",
    }
    begun = time.perf_counter()
    command = [sys.executable, "-m", "idp", "serve", "--port", str(port)]
    process = subprocess.Popen(  # noqa: ASYNC220 - it returns at once
        command, env=environment, cwd=ROOT, start_new_session=True, stdout=subprocess.DEVNULL
    )
    try:
        await _answering(process, port)
        yield process, time.perf_counter() - begun
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=20)


async def _answering(process: subprocess.Popen[bytes], port: int) -> None:
    while process.poll() is None:
        with contextlib.suppress(OSError):
            if (await _get(port, "/.well-known/openid-configuration")).startswith(b"HTTP/1.1 200"):
                return
        await asyncio.sleep(0.01)
    raise RuntimeError("the embedded default did not start")


async def _sign_in_page(port: int) -> dict[str, int]:
    """Count every byte that a browser receives at its first visit, headers included."""
    page = await _get(port, "/login?next=/me", "")
    links = sorted(set(_LINKED.findall(page)))
    sizes = {"page": len(await _get(port, "/login?next=/me"))}
    for link in links:
        sizes[link.decode().rpartition("/")[2]] = len(await _get(port, link.decode()))
    return sizes


async def _get(port: int, path: str, headers: str = _TYPICAL) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nhost: localhost:{port}\r\n{headers}connection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    return answer
