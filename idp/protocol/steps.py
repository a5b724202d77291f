"""How the pages between a request and its answer begin and end. Each returns to /authorize with a verifier; none leads to another.

`open` gives a page its running interaction, `complete` ends the page, `resume` goes back without having proven anything, `refuse` ends
the whole request with an error for the application.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from starlette.responses import RedirectResponse

from idp.clients.self_registered import unchecked
from idp.interactions.records import Closed, Step
from idp.protocol import deferred, respond
from idp.protocol.services import services
from idp.spec import redirect_uris, scopes
from idp.spec.authorization_request import AuthorizationRequest
from idp.spec.errors import Refusal
from idp.spec.prompt import Prompt
from idp.web import cookies
from idp.web.errors import PageError
from idp.web.request_context import wish_language

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from idp.clients.records import Client
    from idp.interactions.records import Interaction
    from idp.protocol.services import Services
    from idp.spec.errors import ErrorCode

_PAGES: Final = {
    Closed.UNKNOWN: ("expired", 410),
    Closed.EXPIRED: ("expired", 410),
    Closed.FINISHED: ("finished", 409),
    Closed.FOREIGN: ("foreign_browser", 403),
}


@dataclass(frozen=True, slots=True)
class RunningInteraction:
    """One running request as steps see it: who asks, for what, and what is behind."""

    row: Interaction
    client: Client
    request: AuthorizationRequest

    @property
    def id(self) -> str:
        """The interaction's id, as addresses carry it."""
        return self.row.id

    @property
    def authenticated(self) -> bool:
        """Whether the person signed in within this interaction."""
        return self.row.login_at is not None

    @property
    def approved(self) -> bool:
        """Whether the person answered a card within this interaction."""
        return self.row.approved_at is not None

    @property
    def demands_login(self) -> bool:
        """Whether the request asks for a sign-in although somebody is signed in (OIDC Core §3.1.2.1: prompt, max_age)."""
        return bool(self.request.prompt & {Prompt.LOGIN, Prompt.SELECT_ACCOUNT}) or self.request.max_age is not None

    @property
    def purpose(self) -> str:
        """The id of the one purpose of this request: the one its scope names, else the application's default."""
        return purpose_of(self.request, self.client) or ""

    @property
    def scope(self) -> tuple[str, ...]:
        """The part of the scope that the application may have."""
        return scopes.granted(self.request.scope, self.client.scopes)

    @property
    def asked(self) -> frozenset[str]:
        """The names of all personal claims asked for, wherever they would go."""
        return frozenset[str]().union(*self.request.asked_claims(self.scope).values())


def purpose_of(request: AuthorizationRequest, client: Client) -> str | None:
    """Name the one purpose of a request (design: "A request has one purpose")."""
    return next(iter(request.purposes), client.default_purpose)


async def open(request: Request, step: Step) -> RunningInteraction:  # noqa: A001 - the word of the plan: a step opens its interaction
    """Give the running interaction that the address names, to the browser that began it. `step` is the page that asks.

    Raises: PageError ("expired", "finished", "foreign_browser", "no_browser"), each a page that leads on.
    """
    del step
    return await load(request, request.query_params.get("interaction", ""))


async def load(request: Request, interaction: str) -> RunningInteraction:
    """Give a running interaction by its id. Raises: PageError."""
    found = services(request)
    browser = cookies.browser(request)
    if browser is None:  # another browser, or this one keeps no cookies: nobody can tell
        raise PageError("no_browser", 400)
    row = await found.interactions.get(interaction, browser, found.clock())
    if isinstance(row, Closed):
        code, status = _PAGES[row]
        raise PageError(code, status, **await _back_to_service(found, interaction))
    client = await found.clients.get(row.client_id)
    if client is None:
        raise PageError("service_unknown", 400)
    asked = AuthorizationRequest.of(row.parameters)
    if asked.deferred is None and not redirect_uris.registered(asked.redirect_uri, client.redirect_uris, native=client.native):
        raise PageError("service_address", 400)  # it was taken out of the registration while the citizen was here
    wish_language(request, " ".join(asked.ui_locales))
    return RunningInteraction(row, client, asked)


async def _back_to_service(found: Services, interaction: str) -> dict[str, str]:
    """Give the way back to the application that a request came from, where it says where it opens."""
    named = await found.interactions.client_of(interaction)
    client = await found.clients.get(named) if named else None
    if client is None or not client.uri or unchecked(client, client.default_purpose or ""):
        return {}
    return {"service": client.name, "href": client.uri}


async def complete(request: Request, interaction: RunningInteraction, step: Step) -> Response:
    """End a step and go back to /authorize, which learns from the verifier that the step is behind."""
    browser = cookies.browser(request) or ""
    verifier = services(request).forms.sign(_purpose(browser), {"interaction": interaction.id, "step": step.value})
    return _back(interaction.id, verifier=verifier)


async def resume(request: Request, interaction: RunningInteraction) -> Response:
    """Go back to /authorize without having proven anything: it looks anew at who is signed in."""
    del request
    return _back(interaction.id)


async def refuse(request: Request, interaction: RunningInteraction, error: ErrorCode, description: str = "") -> Response:
    """End the request: the application gets the error. Raises: PageError ("finished"), when it was answered before."""
    found = services(request)
    if not await found.interactions.finish(interaction.id, found.clock()):
        raise PageError("finished", 409)
    if interaction.request.deferred is not None:
        return await deferred.deny(request, interaction.request.deferred)
    return await respond.error(request, interaction.client, interaction.request, Refusal(error, description or "The citizen said no."))


def verified(request: Request, interaction: RunningInteraction, verifier: str | None, lifetime: int) -> Step | None:
    """Read a verifier: the step that it proves for this interaction and this browser, else None."""
    browser = cookies.browser(request) or ""
    payload = services(request).forms.unsign(_purpose(browser), verifier, lifetime)
    if payload is None or payload.get("interaction") != interaction.id:
        return None
    return Step(payload["step"])


def _purpose(browser: str) -> str:
    return f"verifier/{browser}"


def _back(interaction: str, **more: str) -> Response:
    return RedirectResponse(f"/authorize?{urlencode({'interaction': interaction, **more})}", 303)
