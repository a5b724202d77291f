"""OpenID Connect RP-Initiated Logout 1.0 §2: GET and POST /logout, for applications and for our own pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from starlette.responses import RedirectResponse
from starlette.routing import Route

from idp.clients.self_registered import unchecked
from idp.logout import front_channel, rules, session_iframe
from idp.protocol import current_session, issue, page_forms
from idp.protocol.ending import end_session
from idp.protocol.hints import hint
from idp.protocol.services import services
from idp.spec.response_modes import location
from idp.web import cookies, parameters
from idp.web.errors import PageError
from idp.web.headers import allow_frames, form_target
from idp.web.request_context import wish_language

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from idp.clients.records import Client
    from idp.protocol.services import Services
    from idp.sessions.records import Session
    from idp.spec.id_token import Hint

FORM = "logout"
_CARRIED = ("id_token_hint", "post_logout_redirect_uri", "state", "client_id")


@dataclass(frozen=True, slots=True)
class _Known:
    """What was looked up: the application behind a sound hint, the session of this browser, the session that the hint names."""

    asked: rules.Asked
    client: Client | None
    session: Session | None
    hinted_session: str | None


async def by_link(request: Request) -> Response:
    """Take a logout request by GET."""
    return await _take(request, parameters.query(request), confirmed=False)


async def by_form(request: Request) -> Response:
    """Take a logout request by POST (§2), or the answer of our own form. Raises: PageError for a body that cannot be read."""
    sent = await parameters.body(request)
    if sent.problem == "content_type":
        raise PageError("content_type", 415)
    if "form_token" in sent.values:
        await page_forms.read(request, FORM)
        return await _take(request, sent, confirmed=True)
    return await _take(request, sent, confirmed=False)


async def _take(request: Request, sent: parameters.Parameters, *, confirmed: bool) -> Response:
    if sent.problem or sent.repeated:
        raise PageError("bad_request", 400)
    wish_language(request, sent.get("ui_locales"))
    known = await _look_up(request, sent.values, confirmed=confirmed)
    decision = rules.decide(known.asked)
    if request.method == "POST" and known.hinted_session is None and _without_cookies(request):
        return _by_get(sent)
    if isinstance(decision, rules.Ask):
        return await _ask(request, known, sent.values if decision.carry else {})
    return await _sign_out(request, known, decision, sent.get("state"))


def _without_cookies(request: Request) -> bool:
    return cookies.browser(request) is None and cookies.session_token(request) is None


def _by_get(sent: parameters.Parameters) -> Response:
    """Ask for the same by GET: a form from another site comes without our cookies (SameSite=Lax), and a redirect brings them.

    The hint names nobody here, and may tell of somebody: it stays out of addresses.
    """
    carried = {name: sent.values[name] for name in _CARRIED if name in sent.values and name != "id_token_hint"}
    return RedirectResponse(f"/logout?{urlencode(carried)}" if carried else "/logout", 303)


async def _look_up(request: Request, sent: Mapping[str, str], *, confirmed: bool) -> _Known:
    found = services(request)
    session = await current_session.optional(request)
    hinted = await hint(sent.get("id_token_hint"), found)
    client = await found.clients.get(hinted.client_id) if hinted else None
    # §2: "When both client_id and id_token_hint are present, the OP MUST verify that the Client Identifier matches"
    if client is not None and sent.get("client_id", client.id) != client.id:
        client = None
    hinted_session = await _session_of(hinted, client, found)
    uri = sent.get("post_logout_redirect_uri")
    asked = rules.Asked(
        signed_in=session is not None,
        ours=client is not None,
        names_session=_names(session, hinted, client, found) or (session is not None and session.id == hinted_session),
        redirect_uri=uri,
        registered=client is not None and uri in client.post_logout_redirect_uris,
        confirmed=confirmed,
    )
    return _Known(asked, client, session, hinted_session)


async def _session_of(hinted: Hint | None, client: Client | None, found: Services) -> str | None:
    if hinted is None or hinted.sid is None or client is None:
        return None
    service_session = await found.sessions.by_sid(hinted.sid)
    return service_session.session if service_session and service_session.client == client.id else None


def _names(session: Session | None, hinted: Hint | None, client: Client | None, found: Services) -> bool:
    if session is None or hinted is None or client is None:
        return False
    return issue.subject(found, client, session.person) == hinted.subject


async def _ask(request: Request, known: _Known, carried: Mapping[str, str]) -> Response:
    """Ask the person, by name. The redirect that follows the form must be allowed to leave (CSP form-action)."""
    cookies.ensure_browser(request)
    await current_session.greeted(request)
    target = carried.get("post_logout_redirect_uri")
    return services(request).renderer.page(
        request,
        "logout/confirm.html",
        form_action=[form_target(target)] if target else [],
        service=known.client.name if known.client else None,
        hidden={name: carried[name] for name in _CARRIED if name in carried},
    )


async def _sign_out(request: Request, known: _Known, decision: rules.SignOut, state: str | None) -> Response:
    """End the session, and lead on."""
    found = services(request)
    # A POST from another site comes without our cookie (SameSite=Lax): then the hint alone names the session.
    ending = known.session.id if known.session else known.hinted_session
    frames: Sequence[str] = ()
    if ending is not None:
        frames = await front_channel.frames(found, ending)
        await end_session(found, ending, detail=f"logout:{known.client.id}" if known.client else "logout")
    response = _onward(request, known, _target(decision, state), frames)
    if cookies.session_token(request) is not None:  # what another site's form made this browser ask for deletes no cookie
        cookies.clear_session(response, found.settings)
    return response


def _target(decision: rules.SignOut, state: str | None) -> str | None:
    """§3: "the OP MUST include the state value" if the request had one."""
    return decision.redirect_uri and location(decision.redirect_uri, {} if state is None else {"state": state})


def _onward(request: Request, known: _Known, target: str | None, frames: Sequence[str]) -> Response:
    """Lead on at once, or over a page on which services sign their own part of this browser out (Front-Channel Logout §3)."""
    if target is not None and not frames and not _stays_here(request, known):
        return RedirectResponse(target, 303)
    allow_frames(request, frames)
    service = known.client.name if known.client else None
    return services(request).renderer.page(request, "logout/signed_out.html", href=target, service=service, frames=frames)


def _stays_here(request: Request, known: _Known) -> bool:
    """Tell whether the person chooses to follow: nobody signed in or confirmed, and nobody of the city has looked at the application.

    Else who registers an application, signs in once and sends that ID Token around makes our address a way to his (RFC 9700 §4.11).
    """
    client, asked = known.client, known.asked
    new = client is not None and unchecked(client, client.default_purpose or "") and not services(request).settings.certification
    return new and not asked.names_session and not asked.confirmed


routes = [
    Route("/logout", by_link, methods=["GET"]),
    Route("/logout", by_form, methods=["POST"]),
    Route("/session/check", session_iframe.check, methods=["GET"]),
]
