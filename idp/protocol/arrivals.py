"""How many requests may be begun: each is a row that waits for somebody, and costs no password. RFC 6585 §4: 429, with Retry-After.

By network where anybody may call, by application where it has shown who it is. Counted by each process for itself (`idp.web.buckets`).
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, Self

from idp.protocol.answers import refused
from idp.protocol.services import services
from idp.spec.errors import ErrorCode, Refusal
from idp.web.buckets import Buckets
from idp.web.errors import PageError
from idp.web.rate_limits import network_of
from idp.web.request_context import client_address

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from idp.settings import Settings

    Endpoint = Callable[[Request], Awaitable[Response]]
    Begun = Literal["pushed", "device"]

_TOO_OFTEN: Final = Refusal(ErrorCode.TEMPORARILY_UNAVAILABLE, "Too many requests. Try again after the seconds in Retry-After.", 429)
_network = functools.lru_cache(maxsize=4096)(network_of)


@dataclass(frozen=True, slots=True)
class Arrivals:
    """The buckets of one process: by network, but for `reports`, which are by application."""

    authorize: Buckets
    pushed: Buckets
    device: Buckets
    reports: Buckets

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Read them from the settings."""
        return cls(
            Buckets(settings.limit_authorize),
            Buckets(settings.limit_pushed),
            Buckets(settings.limit_device_authorization),
            Buckets(settings.limit_reports),
        )


def limited(begun: Begun, endpoint: Endpoint) -> Endpoint:
    """Let a network begin so much, before anything of it is read. RFC 9126 §2.3: "responds with a 429 (Too Many Requests) […]"."""

    async def counted(request: Request) -> Response:
        buckets: Buckets = getattr(services(request).arrivals, begun)
        wait = buckets.take(_network(client_address(request)))
        return too_often(wait) if wait else await endpoint(request)

    return counted


def arrive(request: Request) -> None:
    """Count a person's browser that brings a request. Raises: PageError 429: where to send it back to was not checked yet."""
    wait = services(request).arrivals.authorize.take(_network(client_address(request)))
    if wait:
        raise PageError("too_often", 429, retry_after=math.ceil(wait))


def too_often(wait: float) -> Response:
    """Refuse what came too often."""
    return refused(_TOO_OFTEN, {"retry-after": str(math.ceil(wait))})
