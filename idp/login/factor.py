"""The second factor: after a right password, or to strengthen a session. A code of an application, or one of a printed card."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from idp.accounts.factors.records import Outcome
from idp.events.records import EventKind
from idp.login.asking import PATHS, asked, passed
from idp.protocol import page_forms
from idp.protocol.services import services
from idp.spec import assurance
from idp.web.rate_limits import Wait
from idp.web.request_context import client_address

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from idp.login.asking import Asked, Kind

FORM = "second-factor"


async def show_totp(request: Request) -> Response:
    """Ask for a code of the application."""
    of = await asked(request)
    if not of.account.has_second_factor:
        return _nothing(request, of)
    if not of.account.has_totp:
        return page_forms.see_other(of.address("passkey" if of.account.has_passkey else "card"))
    return _page(request, of, "totp")


async def show_card(request: Request) -> Response:
    """Ask for a code of the card."""
    of = await asked(request)
    if not of.account.has_code_card:
        return page_forms.see_other(of.address("totp"))
    return _page(request, of, "card")


async def submit_totp(request: Request) -> Response:
    """Take a code of the application."""
    return await _submit(request, "totp")


async def submit_card(request: Request) -> Response:
    """Take a code of the card."""
    return await _submit(request, "card")


async def _submit(request: Request, kind: Kind) -> Response:
    found = services(request)
    of = await asked(request)
    fields = await page_forms.read(request, FORM)
    taken = await found.limits.second_factor(of.account.person)
    if isinstance(taken, Wait):
        return _page(request, of, kind, status=429, error="wait", wait=taken)
    use = found.accounts.factors.use_totp if kind == "totp" else found.accounts.factors.use_card
    outcome = await use(of.account.person, fields.get("code", ""), found.clock())
    if outcome is not Outcome.PASSED:
        return await _refuse(request, of, kind, outcome)
    await found.limits.give_back(taken)
    return await passed(request, of, assurance.CODE)


async def _refuse(request: Request, of: Asked, kind: Kind, outcome: Outcome) -> Response:
    found = services(request)
    event = EventKind.FACTOR_DISABLED if outcome is Outcome.DISABLED else EventKind.FACTOR_FAILED
    await found.events.record(
        event, at=found.clock(), person=of.account.person, address=client_address(request), detail=f"{kind} {outcome}"
    )
    if outcome is Outcome.DISABLED:
        recover = of.onward.to("/recover/factor")
        return found.renderer.page(request, "login/factor_disabled.html", status=403, recover=recover)
    return _page(request, of, kind, status=422, error=outcome.value)


def _page(request: Request, of: Asked, kind: Kind, *, status: int = 200, error: str | None = None, wait: Wait | None = None) -> Response:
    found = services(request)
    sentence = found.renderer.t(request, f"login.factor.{error}", wait=wait.lasting if wait else "") if error else None
    response = found.renderer.page(
        request,
        f"login/{kind}.html",
        status=status,
        form_action=of.onward.form_action,
        errors={"code": sentence} if sentence else {},
        action=of.address(kind),
        others=of.others(kind),
        recover=of.onward.to("/recover/factor"),
    )
    if wait:
        response.headers["retry-after"] = str(wait.seconds)
    return response


def _nothing(request: Request, of: Asked) -> Response:
    """A service asks for a second factor and the person has none yet: say how to get one, then come back here."""
    found = services(request)
    return found.renderer.page(
        request,
        "login/no_factor.html",
        status=200,
        own=of.onward.interaction is None,
        totp=of.onward.to("/security/totp"),
        card=of.onward.to("/security/card"),
        passkey=of.onward.to("/security/passkey"),
    )


routes = [
    Route(PATHS["totp"], show_totp, methods=["GET"]),
    Route(PATHS["totp"], submit_totp, methods=["POST"]),
    Route(PATHS["card"], show_card, methods=["GET"]),
    Route(PATHS["card"], submit_card, methods=["POST"]),
]
