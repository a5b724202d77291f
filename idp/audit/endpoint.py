"""C2SP tlog-checkpoint and signed-note, shown to people: the newest published checkpoint and the verifier key's fingerprint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.routing import Route

from idp.audit import activity, checks, exporting, person, searching
from idp.audit.desk import READERS
from idp.audit.offline_page import NAME, offline_page
from idp.pages.formats import local_date
from idp.protocol import current_session
from idp.protocol.services import services

if TYPE_CHECKING:
    from starlette.requests import Request


async def audit(request: Request) -> Response:
    """Answer GET /audit; public, since hashes and a public key tell nothing about anybody."""
    parts = services(request)
    session = await current_session.greeted(request)
    member = None if session is None else await parts.staff.of_person(session.person)
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
        log_url=f"{parts.settings.issuer.partition('://')[0]}://{key.name}" if key else f"{parts.settings.issuer.rstrip('/')}/log",
        reader=member is not None and member.appointment(*READERS) is not None,
        day_stamp=local_date(parts.clock()).isoformat(),
    )


async def verifier(_: Request) -> Response:
    """Answer GET /audit/verify.html: the page that checks exports and history files without a network, to keep and to open anywhere."""
    headers = {"content-disposition": f'attachment; filename="gerbang-{NAME}"', "cache-control": "public, max-age=3600"}
    return Response(offline_page(), media_type="text/html", headers=headers)


routes = [
    Route("/audit", audit, methods=["GET"]),
    Route("/audit/verify.html", verifier, methods=["GET"]),
    Route(searching.PATH, searching.form, methods=["GET"]),
    Route(searching.PATH, searching.submit, methods=["POST"]),
    Route(searching.RESULTS, searching.results, methods=["GET"]),
    Route(person.PATH, person.form, methods=["GET"]),
    Route(person.PATH, person.submit, methods=["POST"]),
    Route("/audit/activity", activity.show, methods=["GET"]),
    Route("/audit/checks", checks.show, methods=["GET"]),
    Route(exporting.PATH, exporting.form, methods=["GET"]),
    Route(exporting.PATH, exporting.submit, methods=["POST"]),
]
