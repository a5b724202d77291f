"""C2SP tlog-checkpoint and signed-note, shown to people: the newest published checkpoint and the verifier key's fingerprint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from idp.pages.formats import local_date
from idp.protocol import current_session
from idp.protocol.services import services

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response


async def audit(request: Request) -> Response:
    """Answer GET /audit; public, since hashes and a public key tell nothing about anybody."""
    parts = services(request)
    await current_session.greeted(request)
    status = await parts.consent.access_log.status()
    key = await parts.consent.verifier_key()
    return parts.renderer.page(
        request,
        "audit/audit.html",
        in_doubt=status.in_doubt,
        checkpoint=status.published,
        vkey=str(key) if key else None,
        fingerprint=key.fingerprint if key else None,
        successions=status.successions,
        log_url=f"{parts.settings.issuer.rstrip('/')}/log",
        day_stamp=local_date(parts.clock()).isoformat(),
    )


routes = [Route("/audit", audit, methods=["GET"])]
