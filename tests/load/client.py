"""A load generator that costs little: keep-alive connections, prepared bytes, one process of its own.

It speaks just enough HTTP/1.1 for our own servers on loopback: a status line, `content-length`, a body. Every request is bytes made
beforehand, so that what is measured is the server.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass
class Round:
    """What one round saw: seconds per answer, answers per status, and how long it took."""

    latencies: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    seconds: float = 0.0
    first_body: bytes = b""
    first_bad_body: bytes = b""

    @property
    def throughput(self) -> float:
        """Answers per second."""
        return len(self.latencies) / self.seconds if self.seconds else 0.0

    def percentile(self, share: float) -> float:
        """Milliseconds within which `share` of the answers came."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000 if ordered else 0.0


def request(method: str, path: str, *, headers: dict[str, str] | None = None, body: bytes = b"") -> bytes:
    """Prepare a request as bytes."""
    lines = [f"{method} {path} HTTP/1.1", "host: localhost", *(f"{name}: {value}" for name, value in (headers or {}).items())]
    if method == "POST":
        lines.append(f"content-length: {len(body)}")
        if not headers or "content-type" not in headers:
            lines.append("content-type: application/x-www-form-urlencoded")
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head[9:12])
    lower = head.lower()
    start = lower.find(b"content-length:")
    if start < 0:
        return status, b""
    length = int(lower[start + 15 : lower.index(b"\r\n", start)])
    return status, await reader.readexactly(length) if length else b""


async def _worker(port: int, requests: Iterator[bytes], until: Callable[[], bool], result: Round) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        while not until():
            prepared = next(requests, None)
            if prepared is None:
                return
            begun = time.perf_counter()
            writer.write(prepared)
            status, body = await _answer(reader)
            result.latencies.append(time.perf_counter() - begun)
            result.statuses[status] = result.statuses.get(status, 0) + 1
            if status == 200:
                result.first_body = result.first_body or body
            else:
                result.first_bad_body = result.first_bad_body or body
    finally:
        writer.close()


async def run(port: int, requests: Iterator[bytes], *, connections: int, seconds: float, at_most: int = 10**9) -> Round:
    """Send requests over `connections` connections until `seconds` have passed, `at_most` were sent, or none are left."""
    result = Round()
    begun = time.perf_counter()

    def until() -> bool:
        return time.perf_counter() - begun >= seconds or len(result.latencies) >= at_most

    await asyncio.gather(*(_worker(port, requests, until, result) for _ in range(connections)))
    result.seconds = time.perf_counter() - begun
    return result
