"""My permissions: what each service may read, and taking it back: one tap and one confirmation (law.md R12)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.responses import RedirectResponse

from consent.records import GrantState
from idp.me.names import agency_names, purpose_versions
from idp.me.rules import is_id, permission_view
from idp.protocol import current_session, ending, page_forms
from idp.protocol.services import services
from idp.web.errors import PageError
from idp.web.parameters import query
from idp.web.request_context import language

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from consent.records import Grant
    from idp.me.rules import PermissionView
    from idp.protocol.services import Services

PATH: Final = "/me/permissions"


async def permissions(request: Request) -> Response:
    """Answer GET /me/permissions; `?done=<grant>` tells what was just taken back."""
    session = await current_session.required(request)
    parts = services(request)
    grants = await parts.consent.ledger.of_person(session.person)
    views = await _views(parts, request, grants)
    done = next((grant for grant in grants if grant.id == query(request).get("done") and grant.state is GrantState.WITHDRAWN), None)
    client = await parts.clients.get(done.client) if done else None
    return parts.renderer.page(
        request,
        "me/permissions.html",
        active=[view for view in views if view.state == GrantState.ACTIVE],
        past=[view for view in views if view.state not in {GrantState.ACTIVE, GrantState.REQUESTED}],
        done=done,
        frozen_at=frozen.frozen_at if (frozen := await parts.consent.freezes.of(session.person)) else None,
        again=client.uri if client else None,
    )


async def ask(request: Request) -> Response:
    """Answer GET /me/permissions/{grant}: the one question before it is taken back."""
    grant, parts = await own_grant(request)
    if grant.state is not GrantState.ACTIVE:
        return RedirectResponse(PATH, 303)
    return parts.renderer.page(request, "me/withdraw.html", item=(await _views(parts, request, [grant]))[0])


async def withdraw(request: Request) -> Response:
    """Answer POST /me/permissions/{grant}: it ends everywhere at once; a second click is the same as one."""
    grant, _ = await own_grant(request)
    await page_forms.read(request, "permission-withdraw")
    await ending.end_grant(request, grant.id)
    return RedirectResponse(f"{PATH}?done={grant.id}", 303)


async def own_grant(request: Request) -> tuple[Grant, Services]:
    """Give the grant in the path if it is the citizen's own; anybody else's does not exist."""
    session = await current_session.required(request)
    parts = services(request)
    asked = request.path_params["grant"]
    grant = await parts.consent.ledger.get(asked) if is_id(asked) else None
    if grant is None or grant.person != session.person:
        raise PageError("no_permission", 404, href=PATH)
    return grant, parts


async def _views(parts: Services, request: Request, grants: Sequence[Grant]) -> Sequence[PermissionView]:
    names = await agency_names(parts)
    purposes = await purpose_versions(parts, ((grant.purpose, grant.purpose_version) for grant in grants))
    chosen = language(request)

    def agency(code: str) -> str:
        name = names.get(code, {})
        return name.get(chosen) or name.get("id", code)

    return [permission_view(grant, purposes.get((grant.purpose, grant.purpose_version)), agency(grant.agency)) for grant in grants]
