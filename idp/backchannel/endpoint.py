"""CIBA Core 1.0 §7: the backchannel authentication endpoint, and the page where the citizen finds what waits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.routing import Route

from idp.accounts import identifiers
from idp.accounts.records import AccountState
from idp.deferred.records import DeferredKind
from idp.protocol import arrivals, checks, current_session, deferred, incoming, page_forms
from idp.protocol.answers import answer, refused
from idp.protocol.client_authentication import read_caller
from idp.protocol.services import services
from idp.spec import backchannel
from idp.spec.backchannel import GRANT_TYPE
from idp.spec.errors import ErrorCode, Refusal
from idp.web.errors import PageError
from idp.web.rate_limits import Wait

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from idp.clients.records import Client
    from idp.deferred.records import Begun
    from idp.protocol.services import Services
    from idp.spec.backchannel import BackchannelRequest

FORM: Final = "requests"


async def backchannel_authentication(request: Request) -> Response:
    """Answer POST /backchannel_authentication."""
    found = services(request)
    called = await read_caller(request, found)
    if isinstance(called, Refusal):
        return refused(called)
    client, sent = called
    refusal = _not_for(client) or checks.deferred(checks.Asked(incoming.joined(sent), client, issuer=found.settings.issuer), client)
    if refusal is not None:
        return refused(refusal)
    asked = backchannel.read(sent.values, longest=found.settings.backchannel_lifetime)
    if isinstance(asked, Refusal):
        return refused(asked)
    begun = await _begin(found, client, asked, checks.deferrable(incoming.joined(sent), client))
    return answer({"auth_req_id": begun.code, "expires_in": asked.lifetime, "interval": found.settings.poll_interval})


def _not_for(client: Client) -> Refusal | None:
    if client.public or GRANT_TYPE not in client.grant_types:
        return Refusal(ErrorCode.UNAUTHORIZED_CLIENT, f"This needs a confidential client that is registered for {GRANT_TYPE}.")
    return None


async def _begin(found: Services, client: Client, asked: BackchannelRequest, parameters: Mapping[str, str]) -> Begun:
    """Keep the request and tell the citizen.

    A hint that names nobody, or somebody who was asked too often, is kept like any other and simply never answered: §13 has the error
    unknown_user_id, which would let every agency ask who has an account.
    """
    person = await _whom(found, asked.login_hint)
    begun = await found.deferred.begin(
        DeferredKind.BACKCHANNEL,
        client.id,
        {**parameters, **({"binding_message": asked.binding_message} if asked.binding_message else {})},
        found.clock(),
        lifetime=asked.lifetime,
        interval=found.settings.poll_interval,
        person=person,
    )
    if begun is None:
        raise RuntimeError("a request without a user code cannot collide with another")
    if person is None:  # a message to nobody, so that asking for nobody takes as long
        await found.courier.send(None, "request_waits", "mail", "id", {"service": client.name})
    else:
        await found.courier.tell(person, "request_waits", {"service": client.name})
    return begun


async def _whom(found: Services, hint: str) -> str | None:
    """Find the one account that a hint names; a telephone that a household shares names nobody. Whom nobody is named by counts alike."""
    accounts = await found.accounts.find(identifiers.parse(hint))
    person = accounts[0].person if len(accounts) == 1 and accounts[0].state is AccountState.ACTIVE else None
    taken = await found.limits.asked_elsewhere(person or f"nobody\0{hint}")
    return None if isinstance(taken, Wait) else person


async def show(request: Request) -> Response:
    """List what waits for the citizen who is signed in."""
    session = await current_session.required(request)
    found = services(request)
    waiting = []
    for each in await found.deferred.of_person(session.person, found.clock()):
        client = await found.clients.get(each.client_id)
        if client is not None:
            waiting.append({"id": each.id, "client": client, "message": each.parameters.get("binding_message"), "at": each.created_at})
    return found.renderer.page(request, "backchannel/requests.html", waiting=waiting)


async def submit(request: Request) -> Response:
    """Take the first answer: on to the card, or no."""
    session = await current_session.required(request)
    found = services(request)
    fields = await page_forms.read(request, FORM)
    waiting = await found.deferred.get(fields.get("request", "")[:22], found.clock())
    if waiting is None or waiting.person != session.person:
        raise PageError("request_over", 410, href="/me/requests")
    if "deny" in fields:
        return await deferred.deny(request, waiting.id)
    return await deferred.lead(request, waiting)


routes = [
    Route("/backchannel_authentication", arrivals.limited("pushed", backchannel_authentication), methods=["POST"]),
    Route("/me/requests", show, methods=["GET"]),
    Route("/me/requests", submit, methods=["POST"]),
]
