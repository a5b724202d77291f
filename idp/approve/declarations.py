"""The public pages of purpose declarations (law.md R8): what every agency said it reads, why, and on which ground, in every version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idp.protocol import current_session
from idp.protocol.services import services
from idp.web.errors import PageError

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

_LONGEST_VERSION = 6


async def index(request: Request) -> Response:
    """Answer GET /purposes: all of them, by agency."""
    found = services(request)
    await current_session.greeted(request)
    purposes = sorted(await found.consent.purposes.list(), key=lambda purpose: (purpose.agency, purpose.id))
    return found.renderer.page(request, "approve/purposes.html", purposes=purposes)


async def show(request: Request) -> Response:
    """Answer GET /purposes/{id}[?version=N]: one of them, the newest version unless another is named."""
    found = services(request)
    asked = request.query_params.get("version")
    named: str = request.path_params["purpose"]
    purpose = await found.consent.purposes.get(named, _number(asked)) if named.isprintable() else None  # no database stores a NUL
    if purpose is None:
        raise PageError("no_purpose", 404)
    await current_session.greeted(request)
    versions = await found.consent.purposes.versions(purpose.id)
    return found.renderer.page(request, "approve/purpose.html", purpose=purpose, versions=[known.version for known in versions])


def _number(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > _LONGEST_VERSION:
        raise PageError("no_purpose", 404)
    return int(text)
