"""Fetch Standard (CORS): which web pages of other origins may read our answers. No cookie is ever allowed along."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.responses import Response

from idp.protocol.services import services

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    Endpoint = Callable[[Request], Awaitable[Response]]

_EXPOSED: Final = "X-Access-Log-Id, WWW-Authenticate, Retry-After, DPoP-Nonce"
_PREFLIGHT: Final = {"access-control-allow-headers": "authorization, content-type, dpop", "access-control-max-age": "600"}


def public(endpoint: Endpoint) -> Endpoint:
    """Let every page read the answer: documents that are public anyway."""

    async def shared(request: Request) -> Response:
        response = await endpoint(request)
        response.headers["access-control-allow-origin"] = "*"
        return response

    return shared


def registered(endpoint: Endpoint, *, methods: str) -> Endpoint:
    """Let pages of public clients' registered origins read the answer, and answer their preflights."""

    async def shared(request: Request) -> Response:
        origin = request.headers.get("origin")
        allowed = origin is not None and origin in await services(request).clients.origins()
        if request.method == "OPTIONS":
            response = Response(status_code=204, headers={**_PREFLIGHT, "access-control-allow-methods": methods} if allowed else None)
        else:
            response = await endpoint(request)
        response.headers.add_vary_header("Origin")
        if allowed and origin is not None:
            response.headers["access-control-allow-origin"] = origin
            response.headers["access-control-expose-headers"] = _EXPOSED
        return response

    return shared
