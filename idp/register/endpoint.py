"""POST /register (RFC 7591 §3, OIDC Registration §3), and GET, PUT, DELETE at each registration's own address (RFC 7592 §2)."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any

import structlog
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from idp.clients.description import OURS, described
from idp.clients.records import Client, Duplicate
from idp.clients.self_registered import AGENCY
from idp.protocol import answers, bearer, logos, registrations
from idp.protocol.services import services
from idp.register import pictures, purposes, reading
from idp.spec.errors import ErrorCode, Refusal
from idp.web.rate_limits import Wait
from idp.web.request_context import client_address
from keys.opaque import new_token

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from starlette.requests import Request

    from idp.protocol.services import Services

_WRONG = Refusal(ErrorCode.INVALID_TOKEN, "The token is not one of this registration, or the application is gone.", 401)
_NOT_ALLOWED = Refusal(ErrorCode.INVALID_TOKEN, "The initial access token is unknown, used up or expired: ask the operator for one.", 401)

_log = structlog.get_logger(__name__)


async def register(request: Request) -> Response:
    """Answer POST /register."""
    found = services(request)
    initial = await _admitted(request, found)
    if isinstance(initial, Response):
        return initial
    sent = await reading.read(request, found, client=None, purpose=await purposes.ready(found))
    if isinstance(sent, Refusal):
        return answers.refused(sent)
    if initial is not None and not await found.clients.tokens.use(initial, found.clock()):
        return bearer.refused(_NOT_ALLOWED)
    now, token = found.clock(), new_token()
    added = await found.clients.add(sent.metadata, AGENCY, now, registration_token=token)
    if isinstance(added, Duplicate):
        return answers.refused(Refusal(ErrorCode.SERVER_ERROR, "Try again.", 500))
    _log.warning(
        "client_registered_itself", client=added.client.id, purposes=sent.metadata.purposes, certification=found.settings.certification
    )
    await logos.fetch(found, added.client)
    more = {"client_secret": added.secret, "client_secret_expires_at": 0} if added.secret else {}
    more |= {"software_statement": sent.body["software_statement"]} if "software_statement" in sent.body else {}
    return answers.answer(_answer(found, added.client, token, now) | more, 201)


async def show(request: Request) -> Response:
    """Answer GET: what is registered (RFC 7592 §2.1)."""
    known = await _own(request)
    if isinstance(known, Response):
        return known
    client, token, registered_at = known
    return answers.answer(_answer(services(request), client, token, registered_at))


async def replace(request: Request) -> Response:
    """Answer PUT: what is sent replaces all that was registered (RFC 7592 §2.2).

    "Omitted fields MUST be treated as null or empty values by the server, indicating the client's request to delete them from the client's
    registration."
    """
    found = services(request)
    known = await _own(request)
    if isinstance(known, Response):
        return known
    client, token, registered_at = known
    sent = await reading.read(request, found, client=client, purpose=await purposes.ready(found))
    refusal = sent if isinstance(sent, Refusal) else _foreign(found, client, sent.body)
    if isinstance(sent, Refusal) or refusal is not None:
        return answers.refused(refusal or _WRONG)
    changed = await registrations.change(found, client, sent.metadata, registrations.ITSELF)
    if changed is None:
        return bearer.refused(_WRONG)
    await logos.fetch(found, changed.client)
    more = {"client_secret": changed.secret, "client_secret_expires_at": 0} if changed.secret else {}
    return answers.answer(_answer(found, changed.client, token, registered_at) | more)


async def remove(request: Request) -> Response:
    """Answer DELETE (RFC 7592 §2.3)."""
    known = await _own(request)
    if isinstance(known, Response):
        return known
    await registrations.remove(services(request), known[0], registrations.ITSELF)
    return Response(status_code=204, headers={"cache-control": "no-store"})


async def _admitted(request: Request, found: Services) -> str | Response | None:
    """RFC 7591 §3: give the initial access token where one is demanded, None where nobody needs one; or the answer to who may not.

    Every try is counted for the network that it comes from, but for a conformance suite, which registers an application for each test.
    """
    mode = found.settings.registration_mode
    if mode == "off":
        raise HTTPException(404)
    taken = None if found.settings.certification else await found.limits.registration(client_address(request))
    if isinstance(taken, Wait):
        refusal = Refusal(ErrorCode.TEMPORARILY_UNAVAILABLE, "Too many registrations from this network. Try again later.", 429)
        return answers.refused(refusal, {"retry-after": str(taken.seconds)})
    if mode == "open":
        return None
    token = await bearer.token_of(request)
    if isinstance(token, Refusal):
        return bearer.refused(token)
    return token.token if await found.clients.tokens.usable(token.token, found.clock()) else bearer.refused(_NOT_ALLOWED)


async def _own(request: Request) -> tuple[Client, str, dt.datetime] | Response:
    """Give the application whose registration's token is presented.

    RFC 7592 §2.1: "If the client does not exist on this server, the server MUST respond with HTTP 401 Unauthorized": alike for a wrong
    token, so that nobody learns which applications are there.
    """
    found = services(request)
    token = await bearer.token_of(request)
    if isinstance(token, Refusal):
        return bearer.refused(token)
    named: str = request.path_params["client"]
    client = await found.clients.get(named)
    registered_at = await found.clients.tokens.registered_at(named, token.token) if client is not None else None
    if client is None or registered_at is None or not client.self_registered:
        return bearer.refused(_WRONG)
    return client, token.token, registered_at


def _foreign(found: Services, client: Client, body: Mapping[str, Any]) -> Refusal | None:
    """RFC 7592 §2.2: client_id is REQUIRED, and a client_secret that is sent must be the one that holds."""
    if body.get("client_id") != client.id:
        return Refusal(ErrorCode.INVALID_CLIENT_METADATA, "client_id: it must be that of this registration")
    secret = body.get("client_secret")
    if secret is None:
        return None
    right = isinstance(secret, str) and hmac.compare_digest(found.clients.secret_digest(client.id, secret), client.secret_digest or b"")
    return None if right else Refusal(ErrorCode.INVALID_CLIENT_METADATA, "client_secret: it must be the one that was issued, or left out")


def _answer(found: Services, client: Client, token: str, registered_at: dt.datetime) -> dict[str, Any]:
    """RFC 7591 §3.2.1, RFC 7592 §3: all that is registered, and how to come back to it. Of the secret only a digest is kept."""
    registered = {name: value for name, value in described(client).items() if name not in OURS and value not in (None, [])}
    return registered | {
        "client_id_issued_at": int(registered_at.timestamp()),
        "registration_access_token": token,
        "registration_client_uri": f"{found.settings.issuer}/register/{client.id}",
    }


routes = [
    Route("/register", register, methods=["POST"]),
    Route("/register/{client}", show, methods=["GET"]),
    Route("/register/{client}", replace, methods=["PUT"]),
    Route("/register/{client}", remove, methods=["DELETE"]),
    Route("/logos/{client}", pictures.logo, methods=["GET"]),
]
