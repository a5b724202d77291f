"""The second factor: after a right password, or to strengthen a session. A code of an application, or one of a printed card."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from starlette.routing import Route

from idp.accounts.factors.records import Outcome
from idp.accounts.records import AccountState
from idp.events.records import EventKind
from idp.interactions.records import Step
from idp.protocol import current_session, page_forms, signing_in
from idp.protocol.services import services
from idp.web import cookies
from idp.web.errors import PageError
from idp.web.rate_limits import Wait
from idp.web.request_context import client_address

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from idp.accounts.records import Account
    from idp.protocol.signing_in import Way
    from idp.sessions.records import SignIn

FORM = "second-factor"
Kind = Literal["totp", "card"]
PATHS: dict[Kind, str] = {"totp": "/login/second-factor", "card": "/login/code-card"}
METHODS: dict[Kind, str] = {"totp": "otp", "card": "otp"}
"""RFC 8176 §2: "otp: One-time password"; both are."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose second factor is asked for: of a sign-in that waits, or (None) of the session of this browser."""

    account: Account
    sign_in: SignIn | None
    onward: Way


async def show_totp(request: Request) -> Response:
    """Ask for a code of the application."""
    asked = await _asked(request)
    if not asked.account.has_totp and asked.account.has_code_card:
        return page_forms.see_other(_address(asked, "card"))
    if not asked.account.has_second_factor:
        return _nothing(request, asked)
    return _page(request, asked, "totp")


async def show_card(request: Request) -> Response:
    """Ask for a code of the card."""
    asked = await _asked(request)
    if not asked.account.has_code_card:
        return page_forms.see_other(_address(asked, "totp"))
    return _page(request, asked, "card")


async def submit_totp(request: Request) -> Response:
    """Take a code of the application."""
    return await _submit(request, "totp")


async def submit_card(request: Request) -> Response:
    """Take a code of the card."""
    return await _submit(request, "card")


async def _asked(request: Request) -> Asked:
    """Find whose factor is meant. Raises: PageError when the sign-in took too long; a redirect to sign-in when nobody is signed in."""
    found = services(request)
    waiting = request.query_params.get("sign_in")
    onward = await signing_in.way(request, Step.LOGIN if waiting else Step.SECOND_FACTOR)
    if waiting is None:
        person = (await current_session.required(request)).person
        sign_in = None
    else:
        sign_in = await found.sessions.sign_in(waiting, cookies.browser(request) or "", found.clock())
        if sign_in is None:
            raise PageError("expired", 410, href=onward.to("/login"))
        person = sign_in.person
    account = await found.accounts.get(person)
    if account is None or account.state is not AccountState.ACTIVE:
        raise PageError("expired", 410, href=onward.to("/login"))
    return Asked(account, sign_in, onward)


async def _submit(request: Request, kind: Kind) -> Response:
    found = services(request)
    asked = await _asked(request)
    fields = await page_forms.read(request, FORM)
    taken = await found.limits.second_factor(asked.account.person)
    if isinstance(taken, Wait):
        return _page(request, asked, kind, status=429, error="wait", wait=taken)
    use = found.accounts.factors.use_totp if kind == "totp" else found.accounts.factors.use_card
    outcome = await use(asked.account.person, fields.get("code", ""), found.clock())
    if outcome is not Outcome.PASSED:
        return await _refuse(request, asked, kind, outcome)
    await found.limits.give_back(taken)
    if asked.sign_in is None:
        return await signing_in.step_up(request, METHODS[kind], asked.onward)
    if not await found.sessions.finish_sign_in(asked.sign_in.id):
        raise PageError("finished", 409)
    amr = (*asked.sign_in.amr, METHODS[kind], "mfa")
    proven = signing_in.Proven(person=asked.account.person, amr=amr, remembered=asked.sign_in.remembered)
    return await signing_in.finish(request, proven, asked.onward)


async def _refuse(request: Request, asked: Asked, kind: Kind, outcome: Outcome) -> Response:
    found = services(request)
    event = EventKind.FACTOR_DISABLED if outcome is Outcome.DISABLED else EventKind.FACTOR_FAILED
    await found.events.record(
        event, at=found.clock(), person=asked.account.person, address=client_address(request), detail=f"{kind} {outcome}"
    )
    if outcome is Outcome.DISABLED:
        recover = asked.onward.to("/recover/factor")
        return found.renderer.page(request, "login/factor_disabled.html", status=403, recover=recover)
    return _page(request, asked, kind, status=422, error=outcome.value)


def _page(request: Request, asked: Asked, kind: Kind, *, status: int = 200, error: str | None = None, wait: Wait | None = None) -> Response:
    found = services(request)
    sentence = found.renderer.t(request, f"login.factor.{error}", wait=wait.lasting if wait else "") if error else None
    other: Kind = "card" if kind == "totp" else "totp"
    has_other = asked.account.has_code_card if kind == "totp" else asked.account.has_totp
    response = found.renderer.page(
        request,
        f"login/{kind}.html",
        status=status,
        form_action=asked.onward.form_action,
        errors={"code": sentence} if sentence else {},
        action=_address(asked, kind),
        other=_address(asked, other) if has_other else None,
        recover=asked.onward.to("/recover/factor"),
    )
    if wait:
        response.headers["retry-after"] = str(wait.seconds)
    return response


def _nothing(request: Request, asked: Asked) -> Response:
    """A service asks for a second factor and the person has none yet: say how to get one, then come back here."""
    found = services(request)
    return found.renderer.page(
        request,
        "login/no_factor.html",
        status=200,
        own=asked.onward.interaction is None,
        totp=asked.onward.to("/security/totp"),
        card=asked.onward.to("/security/card"),
    )


def _address(asked: Asked, kind: Kind) -> str:
    more = {"sign_in": asked.sign_in.id} if asked.sign_in else {}
    return asked.onward.to(PATHS[kind], **more)


routes = [
    Route(PATHS["totp"], show_totp, methods=["GET"]),
    Route(PATHS["totp"], submit_totp, methods=["POST"]),
    Route(PATHS["card"], show_card, methods=["GET"]),
    Route(PATHS["card"], submit_card, methods=["POST"]),
]
