"""RFC 6749 §4.1.2.1, RFC 9700 §4.11.2: the page of a request that cannot go back to its application, or should not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog

from idp.clients.self_registered import unchecked
from idp.protocol.client_walk import explaining
from idp.protocol.client_walk.walk import walk
from idp.protocol.services import services
from idp.web.errors import PageError
from idp.web.request_context import request_id

if TYPE_CHECKING:
    from starlette.requests import Request

    from idp.clients.records import Client
    from idp.protocol.checks import Asked, PageCode
    from idp.spec.errors import Refusal

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


def stays_here(request: Request, client: Client) -> bool:
    """Tell whether an error that nobody took part in is shown here although the redirect URI is registered.

    RFC 9700 §4.11.2: an attacker registers an application and sends people to us with a request that must fail, or with prompt=none, so
    that our address leads to his. "The authorization server MUST always authenticate the user first", but for silent authentication; and
    "if the URI is not trusted", it may "rely on the user to make the correct decision": nobody of the city has looked at this one.
    """
    return not services(request).settings.certification and unchecked(client, client.default_purpose or "")


def page_instead(request: Request, client: Client, refusal: Refusal) -> PageError:
    """Make the page of an error that an application would have been told."""
    told = [f"{refusal.error.value}: {refusal.description}"]
    _log.info("authorization_refused", code=refusal.error.value, client=client.id, why=told, reference=request_id(request))
    return PageError("request_refused", _STATUS, developer=told)
