"""The door: signed out, what Gerbang is; signed in, when data was last read and by whom, and every city service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from consent.decision import is_active
from idp.me.names import views
from idp.me.rules import door, greeting
from idp.protocol import current_session
from idp.protocol.services import services
from idp.staff.records import Role
from idp.web.request_context import language

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from idp.protocol.services import Services


DESKS: Final = {
    "audit": frozenset({Role.AUDITOR, Role.DPO}),
    "complaints": frozenset({Role.DPO, Role.OFFICER}),
    "console": frozenset({Role.AUDITOR, Role.DPO, Role.ADMINISTRATOR}),
}
"""Which roles open which pages of staff."""


async def home(request: Request) -> Response:
    """Answer GET /."""
    parts = services(request)
    session = await current_session.optional(request)
    clients = await parts.clients.list()
    if session is None:
        return parts.renderer.page(request, "home/landing.html", agencies=door(clients, {}, language(request), parts.settings.issuer))
    session = await current_session.required(request)
    last = await parts.consent.access_log.last_read(session.person)
    return parts.renderer.page(
        request,
        "home/home.html",
        greeting=greeting(parts.clock()),
        waiting=len(await parts.deferred.of_person(session.person, parts.clock())),
        desks=await _desks(parts, session.person),
        last=(await views(parts, [last]))[0] if last else None,
        agencies=door(clients, await _connected(parts, session.person), language(request), parts.settings.issuer),
    )


async def _desks(parts: Services, person: str) -> frozenset[str]:
    """Name the pages of staff that somebody may open."""
    member = await parts.staff.of_person(person)
    roles = member.roles if member else frozenset[Role]()
    return frozenset(name for name, allowed in DESKS.items() if roles & allowed)


async def _connected(parts: Services, person: str) -> dict[str, str]:
    """Give the active grant of each connected application, the newest where there are several."""
    now = parts.clock()
    grants = [grant for grant in await parts.consent.ledger.of_person(person) if is_active(grant, now)]
    return {grant.client: grant.id for grant in reversed(grants)}
