"""RFC 7009: POST /revoke."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.routing import Route

from idp.protocol import bearer, cors
from idp.protocol.answers import refused
from idp.protocol.client_authentication import read_caller
from idp.protocol.services import services
from idp.spec.errors import ErrorCode, Refusal

if TYPE_CHECKING:
    from starlette.requests import Request

    from idp.clients.records import Client
    from idp.protocol.services import Services

# RFC 6749 §5.2, invalid_grant: "… or was issued to another client".
_FOREIGN = Refusal(ErrorCode.INVALID_GRANT, "The token was issued to another client.")


async def revoke(request: Request) -> Response:
    """Revoke a token.

    §2.2: "The authorization server responds with HTTP status code 200 if the token has been revoked successfully or if the client submitted
    an invalid token." `token_type_hint` is not needed: an access token shows itself by its form.
    """
    found = services(request)
    called = await read_caller(request, found)
    if isinstance(called, Refusal):
        return refused(called)
    client, sent = called
    token = sent.get("token")
    if token is None:
        return refused(Refusal(ErrorCode.INVALID_REQUEST, "token is required."))
    refusal = await _access_token(token, client, found) if token.count(".") else await _refresh_token(token, client, found)
    return Response(status_code=200, headers={"cache-control": "no-store"}) if refusal is None else refused(refusal)


async def _access_token(presented: str, client: Client, found: Services) -> Refusal | None:
    """End one access token; what stands beside it goes on."""
    token = await bearer.read(presented, found, anywhere=True)
    if token is None:
        return None
    if token.client_id != client.id:
        return _FOREIGN
    await found.authorizations.revoke_token(token.jti, dt.datetime.fromtimestamp(token.expires, dt.UTC))
    return None


async def _refresh_token(presented: str, client: Client, found: Services) -> Refusal | None:
    """End the authorization.

    §2.1: "If the particular token is a refresh token and the authorization server supports the revocation of access tokens, then the
    authorization server SHOULD also invalidate all access tokens based on the same authorization grant".
    """
    now = found.clock()
    owner = await found.authorizations.owner_of_refresh_token(presented, now)
    if owner is None:
        return None
    authorization, owned_by = owner
    if owned_by != client.id:
        return _FOREIGN
    await found.authorizations.revoke(authorization, now)
    return None


routes = [Route("/revoke", cors.registered(revoke, methods="POST"), methods=["POST", "OPTIONS"])]
