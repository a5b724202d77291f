"""A way out is set up by its first request, once, and closed only if it was."""

from __future__ import annotations

import httpx2

from idp.protocol.unopened import Unopened


class Way(httpx2.MockTransport):
    """Answers everything, and knows whether it was closed."""

    def __init__(self) -> None:
        super().__init__(lambda _: httpx2.Response(204))
        self.closed = False

    async def aclose(self) -> None:
        """Note it."""
        self.closed = True


async def test_the_first_request_opens_and_later_ones_use_the_same() -> None:
    opened: list[Way] = []

    def open_() -> Way:
        opened.append(Way())
        return opened[-1]

    async with httpx2.AsyncClient(transport=Unopened(open_)) as client:
        assert not opened
        assert [(await client.get("https://example.com/")).status_code for _ in range(2)] == [204, 204]
    assert [way.closed for way in opened] == [True]


async def test_what_was_never_used_is_never_opened() -> None:
    def open_() -> Way:
        raise AssertionError

    await httpx2.AsyncClient(transport=Unopened(open_)).aclose()
