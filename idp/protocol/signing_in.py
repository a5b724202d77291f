"""What follows a proof of who somebody is: a session under a new id, the cookie, and the way on."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import structlog

from idp.accounts.records import MINOR_BELOW, AccountState
from idp.events.records import EventKind
from idp.interactions.records import Step
from idp.protocol import current_session, erasure, page_forms, steps
from idp.protocol.ending import end_session
from idp.protocol.services import services
from idp.sessions.labels import label
from idp.sessions.records import SignIn
from idp.spec import assurance
from idp.web import cookies
from idp.web.errors import PageError
from idp.web.request_context import client_address

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from idp.accounts.records import Account
    from idp.protocol.services import Services
    from idp.protocol.steps import RunningInteraction

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Way:
    """Where a sign-in came from and leads to: a service's running request, or a page of our own."""

    interaction: RunningInteraction | None
    next: str

    @property
    def form_action(self) -> Sequence[str]:
        """URIs that the last form of a sign-in may end at (CSP `form-action` governs the redirects that follow a POST)."""
        return [] if self.interaction is None else self.interaction.request.answered_at

    @property
    def query(self) -> str:
        """Give the query that carries this way to the next page of ours, with its question mark."""
        carried = {"interaction": self.interaction.id} if self.interaction else {"next": self.next} if self.next != "/" else {}
        return f"?{urlencode(carried)}" if carried else ""

    def to(self, path: str, **more: str) -> str:
        """Give the address of another page of ours on the same way."""
        extra = urlencode(more)
        return f"{path}{self.query}{'&' if self.query and extra else '?' if extra else ''}{extra}"


async def way(request: Request, step: Step = Step.LOGIN) -> Way:
    """Read where this sign-in leads. Raises: PageError for an interaction that cannot go on."""
    interaction = None
    if "interaction" in request.query_params:
        interaction = await steps.open(request, step)
    return Way(interaction, page_forms.local_path(request.query_params.get("next")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """Who somebody proved to be, and how (`amr` after RFC 8176). `auth_time`: when, if another provider says that it was before now."""

    person: str
    amr: tuple[str, ...]
    remembered: bool = False
    auth_time: dt.datetime | None = None

    @property
    def acr(self) -> str:
        """The level that this proof makes."""
        return assurance.acr_of(self.amr)


async def proceed(request: Request, account: Account, proven: Proven, onward: Way) -> Response:
    """Go on after a first proof: to a second factor where the account has one and the proof was not strong enough, else into the session.

    Only who gave a right proof learns that an account is locked, or that its factors were disabled.
    """
    found = services(request)
    await grown_up(found, account)
    if account.state is not AccountState.ACTIVE:
        return found.renderer.page(request, "login/locked.html", status=403, number=account.number)
    if assurance.at_least(proven.acr, assurance.AAL2):
        return await finish(request, proven, onward)
    if not account.has_second_factor:
        if await found.accounts.factors.any_disabled(account.person):
            return found.renderer.page(request, "login/factor_disabled.html", status=403, recover=onward.to("/recover/factor"))
        return await finish(request, proven, onward)
    interaction = onward.interaction.id if onward.interaction else None
    waiting = SignIn("", account.person, proven.amr, proven.remembered, interaction, onward.next)
    waiting_id = await found.sessions.await_factor(waiting, cookies.ensure_browser(request), found.clock())
    return page_forms.see_other(onward.to(factor_page(account), sign_in=waiting_id))


def factor_page(account: Account) -> str:
    """Give the page of the second factor to ask for first: what cannot be phished, then what is at hand most."""
    if account.has_passkey:
        return "/login/passkey"
    return "/login/second-factor" if account.has_totp else "/login/code-card"


async def finish(request: Request, proven: Proven, onward: Way) -> Response:
    """Sign in: a new session id, the device is known from now on, and on to where the person wanted to go."""
    found, now = services(request), services(request).clock()
    if proven.person in found.erased:
        _log.error("sign_in_of_erased_person_refused", reason="a store was restored from before an erasure", mend=erasure.REPLAY)
        raise PageError("restored", 503)
    before = await current_session.optional(request)
    if before is not None and before.person != proven.person:
        await end_session(found, before.id, detail="replaced")  # the services of whoever was here before are told
    session, token = await found.sessions.start(
        person=proven.person,
        acr=proven.acr,
        amr=proven.amr,
        now=now,
        auth_time=min(proven.auth_time or now, now),
        remembered=proven.remembered,
        label=label(request.headers.get("user-agent")),
        replaces=before.id if before else None,
    )
    await found.accounts.used(proven.person, now)
    await found.events.remember_device(proven.person, cookies.ensure_browser(request), now)
    await found.events.record(
        EventKind.SIGNED_IN, at=now, person=proven.person, session=session.id, address=client_address(request), detail=" ".join(proven.amr)
    )
    request.state.session = session
    return await _onward(request, onward, Step.LOGIN, token, remembered=session.remembered)


async def step_up(request: Request, methods: Sequence[str], onward: Way) -> Response:
    """Strengthen the session of this browser by a second factor (`methods`: its `amr` values), under a new session id."""
    found, now = services(request), services(request).clock()
    before = await current_session.required(request)
    amr = assurance.with_second(before.amr, methods)
    if amr is None:
        return await confirm(request, onward)
    raised = await found.sessions.raise_to(before.id, assurance.acr_of(amr), amr, now)
    if raised is None:
        return page_forms.see_other(onward.to("/login"))
    session, token = raised
    await found.events.record(EventKind.STEPPED_UP, at=now, person=session.person, session=session.id, detail=" ".join(methods))
    request.state.session = session
    return await _onward(request, onward, Step.SECOND_FACTOR, token, remembered=session.remembered)


async def confirm(request: Request, onward: Way) -> Response:
    """Go on as the person at the shared device says ("Lanjut sebagai …"); nothing was proven anew."""
    found = services(request)
    session = await current_session.optional(request)
    if session is None:
        return page_forms.see_other(onward.to("/login"))
    await found.sessions.seen(session, found.clock())
    if onward.interaction is None:
        return page_forms.see_other(onward.next)
    return await steps.resume(request, onward.interaction)


async def _onward(request: Request, onward: Way, step: Step, token: str, *, remembered: bool) -> Response:
    if onward.interaction is None:
        response = page_forms.see_other(onward.next)
    else:
        response = await steps.complete(request, onward.interaction, step)
    cookies.set_session(response, services(request).settings, token, remembered=remembered)
    return response


async def grown_up(found: Services, account: Account) -> bool:
    """Note at sign-in that a young person came of age. The birth date stays sealed; only the answer is stored."""
    if not account.minor:
        return True
    sealed = await found.accounts.sealed(account.person, ["birthdate"])
    values = await found.consent.disclosure.to_self(account.person, sealed)
    minor = is_minor(values, found.clock().date())
    if not minor:
        await found.accounts.set_minor(account.person, minor=False)
    return not minor


def is_minor(values: Mapping[str, str], today: dt.date) -> bool:
    """Tell whether a person is under age (UU PDP Art. 25); unknown birth dates count as of age, as the counter decides those."""
    if "birthdate" not in values:
        return False
    born = dt.date.fromisoformat(values["birthdate"])
    age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    return age < MINOR_BELOW
