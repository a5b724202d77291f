"""Who is signed in on the browser that asks."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast
from urllib.parse import urlencode

from starlette.exceptions import HTTPException

from idp.accounts.records import AccountState
from idp.protocol import page_forms
from idp.protocol.services import services
from idp.spec.assurance import AAL2, at_least
from idp.web import cookies

if TYPE_CHECKING:
    from starlette.requests import Request

    from idp.accounts.records import Account
    from idp.protocol.services import Services
    from idp.sessions.records import Session


FRESH = dt.timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is signed in, as pages name them."""

    name: str


async def optional(request: Request) -> Session | None:
    """Give the live session of this browser, loaded once per request. An `unattended` one is not touched by this look."""
    state = request.state
    if not hasattr(state, "session"):
        found = services(request)
        token = cookies.session_token(request)
        session = None if token is None else await found.sessions.by_token(token, found.clock())
        state.session = None if session is None or session.person in found.erased else session
        if token is not None and state.session is None:
            cookies.renew_browser_state(request)  # it ended elsewhere, or by time: applications' pages may know now
    return cast("Session | None", state.session)


async def greeted(request: Request) -> Session | None:
    """Give the session as `optional` does, and put the viewer's name on a page that is open to all; not on a device left unattended."""
    found = services(request)
    session = await optional(request)
    if session is not None and not session.unattended and await _active(found, session.person) is not None:
        request.state.viewer = Viewer(await name_of(found, session.person))
    return session


async def required(request: Request, *, acr: str | None = None) -> Session:
    """Give the session of one of our own pages, and put the viewer's name on the page.

    Raises: HTTPException 303 to sign-in (or to the second factor, when `acr` is stronger), which leads back to this page.
    """
    found = services(request)
    session = await optional(request)
    if session is None or await _active(found, session.person) is None:
        raise _elsewhere(request, "/login")
    if acr is not None and not at_least(session.acr, acr):
        raise _elsewhere(request, "/login/second-factor")
    if session.unattended:
        await found.sessions.seen(session, found.clock())
    request.state.viewer = Viewer(await name_of(found, session.person))
    return session


async def fresh(request: Request) -> Session:
    """Give the session for a page that changes how its owner signs in: the sign-in must be of the last minutes.

    Raises: HTTPException 303 to sign in again, which leads back to this page.
    """
    session = await required(request)
    if services(request).clock() - session.auth_time > FRESH:
        raise _elsewhere(request, "/login", again="1")
    return session


async def owner(request: Request) -> tuple[Session, Account]:
    """Give session and account for what an open session must not change alone: signed in just now, by a second factor if there is one.

    Raises: HTTPException 303 to what is missing, which leads back to this page.
    """
    session = await fresh(request)
    account = await services(request).accounts.get(session.person)
    if account is None:  # erased in this moment
        raise _elsewhere(request, "/login")
    if account.has_second_factor:
        await required(request, acr=AAL2)
    return session, account


async def strong(request: Request, acr: str, within: dt.timedelta) -> Session:
    """Give the session for a page of staff: at least `acr`, by a sign-in not older than `within`.

    Raises: HTTPException 303 to the second factor, or to sign in again; both lead back to this page.
    """
    session = await required(request, acr=acr)
    if services(request).clock() - session.auth_time > within:
        raise _elsewhere(request, "/login", again="1")
    return session


async def name_of(found: Services, person: str) -> str:
    """Give a person's own name for that person's own page; empty when there is none."""
    sealed = await found.accounts.sealed(person, ["name"])
    return (await found.consent.disclosure.to_self(person, sealed)).get("name", "")


async def _active(found: Services, person: str) -> Account | None:
    account = await found.accounts.get(person)
    return account if account is not None and account.state is AccountState.ACTIVE else None


def _elsewhere(request: Request, path: str, **more: str) -> HTTPException:
    target = page_forms.local_path(page_forms.its_page(request))
    query = urlencode(({"next": target} if target != "/" else {}) | more)
    return HTTPException(303, headers={"location": f"{path}?{query}" if query else path})
