"""My data: every value that is kept about the citizen, with its source, opened through his own door (law.md R10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idp.accounts.passkeys.records import LABELS
from idp.pages.values import order_of, readable
from idp.protocol import current_session
from idp.protocol.services import services
from idp.web.request_context import language

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response


async def data(request: Request) -> Response:
    """Answer GET /me/data."""
    session = await current_session.required(request)
    parts = services(request)
    account = await parts.accounts.get(session.person)
    kept = await parts.accounts.sealed(session.person, None)
    sealed = [cell for cell in kept if not cell.claim.startswith(LABELS)]  # what keys are called stands where they are, under /security
    values = await parts.consent.disclosure.to_self(session.person, sealed)
    chosen = language(request)
    rows = [(cell.claim, readable(cell.claim, values[cell.claim], chosen), str(cell.source)) for cell in sealed if cell.claim in values]
    return parts.renderer.page(
        request,
        "me/data.html",
        account_number=account.number if account else "",
        rows=sorted(rows, key=lambda row: order_of(row[0])),
        nik_verified=account is not None and account.nik_verified,
        corrected=request.query_params.get("done") == "corrected",
    )
