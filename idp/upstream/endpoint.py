"""OIDC Core §3.1: we are the client. The way to a provider before ours, and back; linking and unlinking."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import structlog
from starlette.responses import RedirectResponse
from starlette.routing import Route

from idp.accounts import identifiers
from idp.accounts.links.records import Attempt
from idp.accounts.records import IdentifierKind
from idp.events.records import EventKind
from idp.protocol import current_session, page_forms, signing_in, steps
from idp.protocol.services import services
from idp.protocol.signing_in import Proven, Way
from idp.protocol.upstreams import UpstreamFailed
from idp.spec import upstream as rules
from idp.spec.assurance import AAL2
from idp.web import cookies
from idp.web.errors import PageError
from keys.opaque import new_token

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from idp.accounts.records import Account
    from idp.protocol.services import Services
    from idp.protocol.upstreams import UpstreamClient
    from idp.spec.upstream import Stated

LINK: Final = "upstream-link"
UNLINK: Final = "upstream-unlink"
AMR: Final = "fed"
"""How the person signed in: at another provider. RFC 8176 has no word for it; this one is in wide use."""
_ANEW: Final = {"prompt": "login", "max_age": "0"}
"""OIDC Core §3.1.2.1: a sign-in there and now; max_age makes `auth_time` REQUIRED in the ID Token."""
_FAR: Final = 2**32
_LONGEST: Final = 2048
_HOME: Final = "/security"

_log = structlog.get_logger()


async def start(request: Request) -> Response:
    """Send the browser to the provider, to sign in by it.

    Whoever was signed in there before, and left, is not taken for who sits here now: where a service asks for a new sign-in, or it leads
    to our own pages, the provider is asked for one too.
    """
    onward = await signing_in.way(request)
    running = onward.interaction
    anew = running is None or running.demands_login
    return await _send(request, _client(request), interaction=running.id if running else None, next_=onward.next, anew=anew)


async def start_link(request: Request) -> Response:
    """Send the browser to the provider, to link the account of who is signed in; the sign-in must be of the last minutes."""
    session = await current_session.fresh(request)
    await page_forms.read(request, LINK)
    return await _send(request, _client(request), person=session.person, anew=True)


async def unlink(request: Request) -> Response:
    """Take a link away."""
    found, session = services(request), await current_session.fresh(request)
    await page_forms.read(request, UNLINK)
    name = request.path_params["upstream"]
    if await found.accounts.links.unlink(name, session.person):
        await found.events.record(EventKind.UPSTREAM_UNLINKED, at=found.clock(), person=session.person, detail=name)
        await found.courier.tell(session.person, "upstream_unlinked")
    return page_forms.see_other(f"{_HOME}?done=upstream")


async def come_back(request: Request) -> Response:
    """Take the provider's answer, from the browser that was sent there, once."""
    found, client = services(request), _client(request)
    attempt = await _attempt(request, client)
    onward = await _way(request, attempt)
    code = request.query_params.get("code", "")[:_LONGEST]
    if rules.answered_by_another(client.upstream, request.query_params.get("iss")) or not code:
        _log.warning("upstream_refused", upstream=client.upstream.id, error=request.query_params.get("error", "")[:40])
        return _failed(request, client, onward, attempt)
    try:
        now = int(found.clock().timestamp())
        stated = await client.stated(code, nonce=attempt.nonce, code_verifier=attempt.code_verifier, now=now, since=attempt.since)
    except UpstreamFailed as error:
        _log.warning("upstream_failed", upstream=client.upstream.id, reason=str(error))
        return _failed(request, client, onward, attempt)
    if attempt.person is not None:
        return await _link(request, client, attempt.person, stated)
    return await _sign_in(request, client, onward, stated if attempt.since is None else replace(stated, auth_time=None))


async def _attempt(request: Request, client: UpstreamClient) -> Attempt:
    browser = cookies.browser(request)
    state = request.query_params.get("state", "")[:_LONGEST]
    attempt = None if browser is None else await services(request).accounts.links.take(state, browser, services(request).clock())
    if attempt is None or attempt.upstream != client.upstream.id:
        raise PageError("expired", 410, href="/login")
    return attempt


async def _way(request: Request, attempt: Attempt) -> Way:
    """Give the way on that was remembered; a service's request that ended meanwhile says so on its own page."""
    running = await steps.load(request, attempt.interaction) if attempt.interaction else None
    return Way(running, page_forms.local_path(attempt.next))


async def _send(
    request: Request, client: UpstreamClient, *, anew: bool, interaction: str | None = None, next_: str = "/", person: str | None = None
) -> Response:
    found = services(request)
    since = int(found.clock().timestamp()) if anew else None
    attempt = Attempt(client.upstream.id, new_token(), new_token(48), interaction, next_, person, since)
    state = await found.accounts.links.begin(
        attempt, cookies.ensure_browser(request), found.clock(), lifetime=found.settings.interaction_lifetime
    )
    try:
        more = _ANEW if anew else {}
        target = await client.authorization_url(state=state, nonce=attempt.nonce, code_verifier=attempt.code_verifier, more=more)
    except UpstreamFailed as error:
        _log.warning("upstream_failed", upstream=client.upstream.id, reason=str(error))
        return _failed(request, client, await _way(request, attempt), attempt)
    response = RedirectResponse(target, 303)
    cookies.attach(request, response)
    return response


async def _sign_in(request: Request, client: UpstreamClient, onward: Way, stated: Stated) -> Response:
    """Sign in who is linked, or whose verified NIK the provider states; else say how to link."""
    found = services(request)
    person = await found.accounts.links.person_of(client.upstream.id, stated.subject) or await _by_nik(found, client, stated)
    account = None if person is None else await found.accounts.get(person)
    if account is None:
        return _page(request, "upstream/unknown.html", client, onward)
    amr = (AMR, "mfa") if stated.acr == AAL2 else (AMR,)
    proven = Proven(person=account.person, amr=amr, auth_time=_moment(stated.auth_time))
    return await signing_in.proceed(request, account, proven, onward)


def _moment(seconds: int | None) -> dt.datetime | None:
    """Give the moment of a sign-in there; None: now, for there was one just now, or nobody says."""
    return None if seconds is None or not 0 < seconds < _FAR else dt.datetime.fromtimestamp(seconds, dt.UTC)


async def _by_nik(found: Services, client: UpstreamClient, stated: Stated) -> str | None:
    """Link by the NIK that the provider states as verified, to the one account whose NIK an officer verified here."""
    nik = identifiers.parse(stated.nik or "")
    if nik is None or nik.kind is not IdentifierKind.NIK:
        return None
    accounts = await found.accounts.find(nik)
    if len(accounts) != 1 or not await found.accounts.links.link(client.upstream.id, stated.subject, accounts[0].person, found.clock()):
        return None
    await _tell_linked(found, client, accounts[0].person)
    return accounts[0].person


async def _link(request: Request, client: UpstreamClient, person: str, stated: Stated) -> Response:
    """Link the account of who asked for it, if the same person is still signed in here."""
    found, session = services(request), await current_session.required(request)
    if session.person != person:
        raise PageError("request_foreign", 403)
    if not await found.accounts.links.link(client.upstream.id, stated.subject, person, found.clock()):
        raise PageError("upstream_taken", 409, href=_HOME)
    await _tell_linked(found, client, person)
    return page_forms.see_other(f"{_HOME}?done=upstream")


async def _tell_linked(found: Services, client: UpstreamClient, person: str) -> None:
    await found.events.record(EventKind.UPSTREAM_LINKED, at=found.clock(), person=person, detail=client.upstream.id)
    account: Account | None = await found.accounts.get(person)
    language = account.locale if account else "id"
    await found.courier.tell(person, "upstream_linked", {"name": client.upstream.name[language]})


def _client(request: Request) -> UpstreamClient:
    client = services(request).upstreams.get(request.path_params["upstream"])
    if client is None:
        raise PageError("not_found", 404)
    return client


def _failed(request: Request, client: UpstreamClient, onward: Way, attempt: Attempt) -> Response:
    return _page(request, "upstream/failed.html", client, onward, status=502, linking=attempt.person is not None)


def _page(request: Request, template: str, client: UpstreamClient, onward: Way, *, status: int = 403, linking: bool = False) -> Response:
    return services(request).renderer.page(
        request,
        template,
        status=status,
        name=client.upstream.name,
        again=_HOME if linking else onward.to(f"/upstream/{client.upstream.id}"),
        login=onward.to("/login"),
        enrol=onward.to("/enrol"),
        linking=linking,
    )


routes = [
    Route("/upstream/{upstream}", start, methods=["GET"]),
    Route("/upstream/{upstream}/callback", come_back, methods=["GET"]),
    Route("/upstream/{upstream}/link", start_link, methods=["POST"]),
    Route("/upstream/{upstream}/unlink", unlink, methods=["POST"]),
]
