"""A way out that is set up by its first request: most processes never make one, and TLS with its authorities costs 8 MB of memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2

if TYPE_CHECKING:
    from collections.abc import Callable


class Unopened(httpx2.AsyncBaseTransport):
    """Stands for the transport that `open_` makes."""

    def __init__(self, open_: Callable[[], httpx2.AsyncBaseTransport]) -> None:
        self._open = open_
        self._inner: httpx2.AsyncBaseTransport | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request."""
        if self._inner is None:
            self._inner = self._open()
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        """Close what was opened."""
        if self._inner is not None:
            await self._inner.aclose()
