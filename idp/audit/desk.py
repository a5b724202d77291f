"""What all pages of auditors share: who may open them, and how a page says who is here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from idp.protocol import staff
from idp.protocol.services import services
from idp.staff.records import Role

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from idp.protocol.staff import OnDuty

READERS: Final = (Role.AUDITOR, Role.DPO)
"""Who may look through records."""


async def on_duty(request: Request) -> OnDuty:
    """Open a page of auditors. Raises: as `staff.required`."""
    return await staff.required(request, *READERS)


def page(request: Request, duty: OnDuty, template: str, *, status: int = 200, **context: Any) -> Response:  # noqa: ANN401
    """Render a page of auditors, with their tabs."""
    return services(request).renderer.page(request, template, status=status, desk=duty, **context)
