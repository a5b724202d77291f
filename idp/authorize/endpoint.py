"""RFC 6749 §3.1, OIDC Core §3.1.2: GET and POST /authorize."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from starlette.responses import RedirectResponse
from starlette.routing import Route

from idp.authorize import situation
from idp.authorize.answer import give
from idp.authorize.dispatch import Approve, Create, Decision, Issue, Login, Passkey, Refuse, SecondFactor, dispatch
from idp.authorize.refused import page_instead, page_of, stays_here
from idp.authorize.situation import Asking
from idp.interactions.records import Step
from idp.protocol import arrivals, check_arrival, check_wishes, checks, deferred, incoming, respond, steps
from idp.protocol.respond import Destination
from idp.protocol.services import services
from idp.spec.authorization_request import KNOWN, AuthorizationRequest
from idp.spec.errors import ErrorCode, Refusal
from idp.web import cookies, parameters
from idp.web.errors import PageError
from idp.web.request_context import wish_language

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from idp.authorize.situation import Loaded
    from idp.protocol.checks import Registered
    from idp.protocol.services import Services
    from idp.web.parameters import Parameters

    Onward = Callable[[Request, Asking, dict[str, str]], Awaitable[Response]]

_PAGES: dict[type[Decision], tuple[Step, str]] = {
    Login: (Step.LOGIN, "/login"),
    Create: (Step.LOGIN, "/enrol"),
    SecondFactor: (Step.SECOND_FACTOR, "/login/second-factor"),
    Passkey: (Step.SECOND_FACTOR, "/login/passkey"),
    Approve: (Step.APPROVE, "/approve"),
}
_LONGEST_ADDRESS = 8000
_PERSONAL = frozenset({"login_hint", "id_token_hint", "claims", "request"})
"""What may tell of somebody: it stays out of addresses, which browsers and proxies write down."""
_REPEATED_BY_GET = (KNOWN | {"request_uri", "registration"}) - _PERSONAL


async def arrive(request: Request) -> Response:
    """Take a request by GET, or a person who comes back from a step."""
    if "interaction" in request.query_params:
        return await come_back(request)
    return await _take(request, parameters.query(request))


async def arrive_by_post(request: Request) -> Response:
    """Take a request by POST. OIDC Core §3.1.2.1: OPs "MUST support the use of the HTTP GET and POST methods"."""
    sent = await parameters.body(request)
    if sent.problem == "content_type":
        raise PageError("content_type", 415)
    # A form from another site comes without our cookies (SameSite=Lax), and a redirect brings them: the same is asked for by GET.
    if cookies.browser(request) is None and sent.problem is None and not sent.repeated:
        again = "/authorize?" + urlencode({name: values for name, values in sent.lists.items() if name in _REPEATED_BY_GET}, doseq=True)
        if not _PERSONAL & set(sent.values) and len(again) <= _LONGEST_ADDRESS:
            return RedirectResponse(again, 303)
        return await _take(request, sent, onward=_by_reference)
    return await _take(request, sent)


async def _by_reference(request: Request, asking: Asking, values: dict[str, str]) -> Response:
    """Keep a request that passed all checks as if it had been pushed (RFC 9126), and come back with its reference alone."""
    found = services(request)
    until = found.clock() + dt.timedelta(seconds=found.settings.request_uri_lifetime)
    uri = asking.request.pushed or await found.pushed.push(asking.client.id, values, until)  # a pushed one stays the one it is
    return RedirectResponse(f"/authorize?{urlencode({'client_id': asking.client.id, 'request_uri': uri})}", 303)


async def _take(request: Request, sent: Parameters, onward: Onward | None = None) -> Response:
    arrivals.arrive(request)
    found = services(request)
    client = await found.clients.get(sent.get("client_id") or "")
    wish_language(request, sent.get("ui_locales"))
    asked = await incoming.read(found, client, sent)
    registered = checks.until_redirect(asked)
    if isinstance(registered, str):
        raise await page_of(request, asked, registered)
    refusal = checks.after_redirect(registered)
    if refusal is not None:
        if stays_here(request, registered.client):
            raise page_instead(request, registered.client, refusal)
        return await _tell(request, registered, refusal)
    values = incoming.stored(registered)
    wish_language(request, values.get("ui_locales"))
    return await (onward or _decide)(request, Asking(registered.client, AuthorizationRequest.of(values)), values)


async def come_back(request: Request) -> Response:
    """Note the step that a verifier proves, and look again at what comes next."""
    found = services(request)
    interaction = await steps.load(request, request.query_params["interaction"])
    verifier = request.query_params.get("verifier")
    step = steps.verified(request, interaction, verifier, found.settings.interaction_lifetime) if verifier else None
    if step is not None:
        await found.interactions.passed(interaction.id, step, found.clock())
        interaction = await steps.load(request, interaction.id)
    return await _decide(request, Asking(interaction.client, interaction.request, interaction), dict(interaction.row.parameters))


async def _decide(request: Request, asking: Asking, values: dict[str, str]) -> Response:
    found = services(request)
    loaded = await situation.load(request, asking, found)
    if loaded.purpose is None:
        refusal = Refusal(ErrorCode.INVALID_SCOPE, "The purpose of this client is not declared any more: idp purposes add FILE.")
        return await _end(request, asking, Refuse(refusal), loaded, found)
    decision = dispatch(loaded.situation)
    page = _PAGES.get(type(decision))
    if page is not None:
        return await _send_to(request, page[1], asking, values, found)
    return await _end(request, asking, decision, loaded, found)


async def _send_to(request: Request, path: str, asking: Asking, values: dict[str, str], found: Services) -> Response:
    """Lead to the page of a step, in a running interaction."""
    if asking.interaction is not None:
        interaction = asking.interaction.id
    else:
        interaction = await found.interactions.begin(
            client_id=asking.client.id,
            parameters=values,
            browser=cookies.ensure_browser(request),
            now=found.clock(),
            lifetime=found.settings.interaction_lifetime,
        )
    response = RedirectResponse(f"{path}?{urlencode({'interaction': interaction})}", 303)
    cookies.attach(request, response)
    return response


async def _end(request: Request, asking: Asking, decision: Decision, loaded: Loaded, found: Services) -> Response:
    """Answer the application, once.

    Raises: PageError ("finished"), when the same request was answered before; ("request_refused"), when nobody may be led there for it.
    """
    if asking.interaction is not None and not await found.interactions.finish(asking.interaction.id, found.clock()):
        raise PageError("finished", 409)
    if isinstance(decision, Issue) and loaded.session is not None and loaded.purpose is not None:
        return await give(request, asking, decision, session=loaded.session, purpose=loaded.purpose)
    refusal = decision.refusal if isinstance(decision, Refuse) else Refusal(ErrorCode.SERVER_ERROR, "The request could not be decided.")
    if asking.request.deferred is not None:
        return await deferred.deny(request, asking.request.deferred)
    if asking.interaction is None and stays_here(request, asking.client):
        raise page_instead(request, asking.client, refusal)
    return await respond.error(request, asking.client, asking.request, refusal)


async def _tell(request: Request, registered: Registered, refusal: Refusal) -> Response:
    """Tell the application that its request is wrong, as far as it can be understood."""
    destination = Destination(registered.redirect_uri, check_arrival.mode_of(registered), check_arrival.type_of(registered))
    state = None if "state" in registered.asked.parameters.repeated else registered.get("state")
    told = refusal.parameters() | ({} if state is None or not _echoable(state) else {"state": state})
    return await respond.send(request, registered.client, destination, told)


def _echoable(state: str) -> bool:
    return len(state) <= check_wishes.MAX_STATE and state.isascii() and state.isprintable()


routes = [
    Route("/authorize", arrive, methods=["GET"]),
    Route("/authorize", arrive_by_post, methods=["POST"]),
]
