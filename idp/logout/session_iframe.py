"""OpenID Connect Session Management 1.0 §3.2: GET /session/check, the page that applications put into a hidden frame and ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.responses import HTMLResponse

from idp.protocol.services import services
from idp.web.headers import allow_framing

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

_PAGE: Final = '<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>Gerbang</title><script src="{script}"></script></html>\n'
_LONGEST: Final = 6000


async def check(request: Request) -> Response:
    """Answer with a page without content, which pages of registered redirect URIs may frame.

    It tells nothing to a page that does not hold a `session_state` made for its own origin; so where the list of origins grows too long for
    a header, any https page may frame it.
    """
    found = services(request)
    origins = sorted(await found.clients.redirect_origins())
    allow_framing(request, origins if sum(map(len, origins)) + len(origins) <= _LONGEST else ["https:"])
    page = _PAGE.format(script=found.renderer.assets.path("session.js"))
    return HTMLResponse(page, headers={"cache-control": "public, max-age=300"})
