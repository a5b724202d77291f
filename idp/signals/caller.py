"""Which application asks at a JSON endpoint: by its secret in the Authorization header, or by an access token of its own.

RFC 8936 §3: "the SET delivery […] MAY […] require the SET Recipient to authenticate". A token that a citizen allowed is not the
application's own and proves nothing here; applications with keys or certificates get one by client_credentials.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from idp.protocol import bearer
from idp.protocol.answers import refused
from idp.protocol.client_authentication import authenticate
from idp.spec.errors import ErrorCode, Refusal
from idp.web.parameters import Parameters

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from idp.clients.records import Client
    from idp.protocol.services import Services

_BASIC = "basic"


async def caller(request: Request, found: Services) -> Client | Response:
    """Give the application that asks, or the refusal."""
    scheme = request.headers.get("authorization", "").partition(" ")[0].lower()
    if scheme == _BASIC:
        client = await authenticate(request, Parameters({}, {}), found)
        return refused(client) if isinstance(client, Refusal) else client
    return await _by_token(request, found)


async def _by_token(request: Request, found: Services) -> Client | Response:
    token = await bearer.held(request, found)
    if isinstance(token, Refusal):
        return bearer.refused(token)
    own = token.authorization is None and token.subject == token.client_id
    client = await found.clients.get(token.client_id) if own else None
    if client is None or await found.authorizations.token_revoked(token.jti):
        return bearer.refused(bearer.INVALID)
    return client


async def document(request: Request) -> object | Refusal:
    """Read a JSON body."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return Refusal(ErrorCode.INVALID_REQUEST, "Send application/json.", 415)
    try:
        content: object = json.loads(await request.body())
    except (ValueError, RecursionError):
        return Refusal(ErrorCode.INVALID_REQUEST, "The body is not JSON.")
    return content
