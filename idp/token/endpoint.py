"""RFC 6749 §3.2: POST /token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from idp.protocol import cors, encrypting, sender
from idp.protocol.answers import answer, refused
from idp.protocol.client_authentication import read_caller
from idp.protocol.encrypting import NoKey
from idp.protocol.services import services
from idp.spec import backchannel, device, token_exchange
from idp.spec.errors import ErrorCode, Refusal
from idp.token import exchange, grants, polled

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from idp.clients.records import Client
    from idp.protocol.sender import Sender
    from idp.protocol.services import Services
    from idp.token.grants import Tokens
    from idp.web.parameters import Parameters


GRANTS: Mapping[str, Callable[[Services, Client, Parameters, Sender], Awaitable[Tokens | Refusal]]] = {
    "authorization_code": grants.authorization_code,
    "refresh_token": grants.refresh_token,
    "client_credentials": grants.client_credentials,
    device.GRANT_TYPE: polled.device_code,
    backchannel.GRANT_TYPE: polled.backchannel,
    token_exchange.GRANT_TYPE: exchange.exchange,
}


async def token(request: Request) -> Response:
    """Answer a token request: read, authenticate, then the grant type's own rules."""
    try:
        outcome = await _outcome(request)
    except NoKey:
        outcome = encrypting.REFUSAL
    if isinstance(outcome, Refusal):
        return refused(outcome)
    return answer(outcome.content, headers={"x-access-log-id": outcome.entry_id} if outcome.entry_id else None)


async def _outcome(request: Request) -> Tokens | Refusal:
    found = services(request)
    called = await read_caller(request, found)
    if isinstance(called, Refusal):
        return called
    client, sent = called
    grant_type = _grant_type(sent, client)
    if isinstance(grant_type, Refusal):
        return grant_type
    by = await sender.of_token_request(request, found, client)
    if isinstance(by, Refusal):
        return by
    return await GRANTS[grant_type](found, client, sent, by)


def _grant_type(sent: Parameters, client: Client) -> str | Refusal:
    grant_type = sent.get("grant_type")
    if grant_type is None:
        return Refusal(ErrorCode.INVALID_REQUEST, "grant_type is required.")
    if grant_type not in GRANTS:
        return Refusal(ErrorCode.UNSUPPORTED_GRANT_TYPE, f"grant_type must be one of {', '.join(GRANTS)}.")
    if grant_type not in client.grant_types:
        return Refusal(ErrorCode.UNAUTHORIZED_CLIENT, f"This client is not registered for {grant_type}.")
    return grant_type


routes = [Route("/token", cors.registered(sender.offering(token), methods="POST"), methods=["POST", "OPTIONS"])]
