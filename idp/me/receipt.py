"""The receipt of a permission (law.md R7): a page that people can read, print and keep, and the signed file behind it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from idp.me.permissions import PATH, own_grant
from idp.pages.values import order_of
from idp.web.errors import PageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from consent.records import Grant
    from idp.protocol.services import Services


@dataclass(frozen=True, slots=True)
class ReceiptView:
    """What a receipt proves, as its page shows it."""

    event: str
    time: dt.datetime
    service: str
    agency: str
    title: str
    claims: tuple[str, ...]
    legality: str
    until: dt.datetime | None
    number: str
    text_hash: str

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> ReceiptView:
        """Read a receipt's verified content."""
        controller, purpose, until = content["pii_controllers"][0], content["purposes"][0], content["purposes"][0]["valid_until"]
        allowed = (kind["type"] for kind in purpose["pii_information"] if kind["allowed"])
        return cls(
            event=content["event"]["type"],
            time=dt.datetime.fromisoformat(content["event"]["time"]),
            service=controller["service"],
            agency=controller["name"],
            title=purpose["title"],
            claims=tuple(sorted(allowed, key=order_of)),
            legality=purpose["legality"],
            until=dt.datetime.fromisoformat(until) if until else None,
            number=content["jti"],
            text_hash=content["notice"]["text_hash"],
        )


async def page(request: Request) -> Response:
    """Answer GET /me/permissions/{grant}/proof: the newest receipt, its signature checked, with the text that was read."""
    grant, parts = await own_grant(request)
    content = await parts.consent.receipts.verify(await _signed(grant, parts))
    receipt = ReceiptView.of(content)
    text = await parts.consent.ledger.text_of(receipt.text_hash)
    return parts.renderer.page(request, "me/receipt.html", receipt=receipt, text=text, grant=grant.id)


async def file(request: Request) -> Response:
    """Answer GET /me/permissions/{grant}/receipt: the signed receipt itself."""
    grant, parts = await own_grant(request)
    signed = await _signed(grant, parts)
    headers = {"content-disposition": f'attachment; filename="bukti-izin-{grant.id}.jwt"', "cache-control": "no-store"}
    return Response(signed, media_type="application/jwt", headers=headers)


async def _signed(grant: Grant, parts: Services) -> str:
    signed = await parts.consent.ledger.receipt_of(grant.id)
    if signed is None:
        raise PageError("no_receipt", 404, href=PATH)
    return signed
