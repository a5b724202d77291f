"""RFC 9126 §2: POST /par."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from starlette.routing import Route

from idp.protocol import arrivals, checks, cors, incoming, sender
from idp.protocol.answers import answer, refused
from idp.protocol.checks import Column, Registered
from idp.protocol.client_authentication import read_caller
from idp.protocol.services import services
from idp.spec.errors import ErrorCode, Refusal

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from idp.protocol.services import Services


async def push(request: Request) -> Response:
    """Check a request as /authorize would, keep it sealed, and give the request_uri that stands for it.

    §2.2: "If the verification is successful, the server MUST generate a request URI and provide it in the response with a 201 HTTP status
    code."
    """
    outcome = await _outcome(request, services(request))
    return refused(outcome) if isinstance(outcome, Refusal) else answer(outcome, 201)


async def _outcome(request: Request, found: Services) -> dict[str, object] | Refusal:
    called = await read_caller(request, found)
    if isinstance(called, Refusal):
        return called
    client, sent = called
    if sent.get("request_uri") is not None:
        # §2.1: "The "request_uri" request parameter MUST NOT be provided in this case."
        return Refusal(ErrorCode.INVALID_REQUEST, "Push the request itself: request_uri has no place here.")
    proof = await sender.proven(request, found)
    if isinstance(proof, Refusal):
        return proof
    asked = await incoming.read(found, client, sent)
    refusal = checks.refusal(asked, Column.PUSHED)
    bound = refusal or sender.bound_code(proof, asked.get("dpop_jkt"))
    if isinstance(bound, Refusal):
        return bound
    values = incoming.stored(Registered(asked, client, asked.parameters.values["redirect_uri"]))
    if bound is not None:
        values["dpop_jkt"] = bound
    lifetime = found.settings.request_uri_lifetime
    uri = await found.pushed.push(client.id, values, found.clock() + dt.timedelta(seconds=lifetime))
    return {"request_uri": uri, "expires_in": lifetime}


routes = [Route("/par", cors.registered(arrivals.limited("pushed", sender.offering(push)), methods="POST"), methods=["POST", "OPTIONS"])]
