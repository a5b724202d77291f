"""RFC 6749 §4.1.2.1: the page of a request that cannot go back to its application."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog

from idp.protocol.client_walk import explaining
from idp.protocol.client_walk.walk import walk
from idp.protocol.services import services
from idp.web.errors import PageError
from idp.web.request_context import request_id

if TYPE_CHECKING:
    from starlette.requests import Request

    from idp.protocol.checks import Asked, PageCode

_STATUS: Final = 400

_log = structlog.get_logger(__name__)


async def page_of(request: Request, asked: Asked, code: PageCode) -> PageError:
    """Make the page: a sentence for the citizen, and for the programmer what `idp clients test` and the log say too."""
    told = [*explaining.why(asked, code)]
    if asked.client is not None:
        found = await walk(services(request), asked.client, offline=True)
        told += [f"{finding.subject}: {finding.what}" for finding in found if finding.grade == "wrong"]
    client = asked.client.id if asked.client else None
    _log.info("authorization_refused", code=code, client=client, why=told, reference=request_id(request))
    return PageError(code, _STATUS, developer=told)
