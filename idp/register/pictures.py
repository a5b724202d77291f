"""GET /logos/{client}: the logo of an application, as we keep it. It can do nothing but be looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException
from starlette.responses import Response

from idp.protocol.services import services

if TYPE_CHECKING:
    from starlette.requests import Request

_HEADERS: Final = {
    "cache-control": "public, max-age=3600",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "cross-origin-resource-policy": "same-origin",
    "content-disposition": "inline",
}


async def logo(request: Request) -> Response:
    """Give the picture with the type that its bytes show (`nosniff` stands in every answer)."""
    found = services(request)
    client = await found.clients.get(request.path_params["client"])
    kept = await found.clients.logos.get(client.id) if client is not None and client.logo_uri else None
    if client is None or kept is None or kept.body is None or kept.uri != client.logo_uri:
        raise HTTPException(404)
    return Response(kept.body, 200, _HEADERS, kept.content_type)
