"""Second factors: adding an authenticator application (QR code, link and key as text), printing a card, removing either."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pyotp
from starlette.responses import Response
from starlette.routing import Route

from idp.accounts.factors.records import Outcome
from idp.events.records import EventKind
from idp.interactions.records import Step
from idp.protocol import current_session, page_forms, signing_in
from idp.protocol.ending import credential_changed
from idp.protocol.services import services
from idp.spec import assurance
from idp.web.rate_limits import Wait

if TYPE_CHECKING:
    from starlette.requests import Request

    from idp.accounts.records import Account
    from idp.protocol.services import Services
    from idp.protocol.signing_in import Way
    from idp.sessions.records import Session

HOME = "/security"
ISSUER = "Gerbang"
GROUP = 4
_CREDENTIALS = {
    EventKind.TOTP_ADDED: ("app", "create"),
    EventKind.TOTP_REMOVED: ("app", "delete"),
    EventKind.CARD_PRINTED: ("printed-codes", "create"),
    EventKind.CARD_REMOVED: ("printed-codes", "delete"),
}
"""CAEP 1.0 §3.2: credential_type and change_type; printed codes have no type there, so this one is ours."""


async def owner(request: Request) -> tuple[Services, Session, Account]:
    """Find who changes factors: freshly signed in, and with a second factor where there is one. Raises: a redirect to what is missing."""
    return services(request), *await current_session.owner(request)


async def show_totp(request: Request) -> Response:
    """Show the key as a picture, a link and text."""
    onward = await signing_in.way(request, Step.SECOND_FACTOR)
    found, session, account = await owner(request)
    return await _totp_page(request, found, session, account, onward)


async def _totp_page(
    request: Request, found: Services, session: Session, account: Account, onward: Way, *, error: str | None = None, status: int = 200
) -> Response:
    seed = await found.accounts.factors.propose_totp(session.person, found.clock(), session=session.id)
    return found.renderer.page(
        request,
        "security/totp.html",
        status=status,
        form_action=onward.form_action,
        key=" ".join(seed[place : place + GROUP] for place in range(0, len(seed), GROUP)),
        link=otpauth(seed, account.number),
        action=onward.to(f"{HOME}/totp"),
        errors={"code": found.renderer.t(request, f"login.factor.{error}", count=1)} if error else {},
    )


def otpauth(seed: str, number: str) -> str:
    """Write the link that applications open. It names the account by its number: no name and no address."""
    return pyotp.TOTP(seed).provisioning_uri(name=number, issuer_name=ISSUER)


async def totp_picture(request: Request) -> Response:
    """Draw the QR code (SVG, black on white in any theme, so that cameras read it)."""
    import segno  # noqa: PLC0415 - only where a code is drawn

    found, session, account = await owner(request)
    seed = await found.accounts.factors.propose_totp(session.person, found.clock(), session=session.id)
    drawn = io.BytesIO()
    code = segno.make(otpauth(seed, account.number), error="m")
    code.save(drawn, kind="svg", scale=5, border=4, dark="#000", light="#fff", xmldecl=False)
    return Response(drawn.getvalue(), media_type="image/svg+xml", headers={"cache-control": "no-store"})


async def confirm_totp(request: Request) -> Response:
    """Take the first code: from now on sign-in asks for one, and this session counts as strong."""
    onward = await signing_in.way(request, Step.SECOND_FACTOR)
    found, session, account = await owner(request)
    fields = await page_forms.read(request, "add-totp")
    taken = await found.limits.second_factor(session.person)
    if isinstance(taken, Wait):
        return await _totp_page(request, found, session, account, onward, error="wait", status=429)
    outcome = await found.accounts.factors.confirm_totp(session.person, fields.get("code", ""), found.clock(), session=session.id)
    if outcome is not Outcome.PASSED:
        return await _totp_page(request, found, session, account, onward, error="wrong", status=422)
    await found.limits.give_back(taken)
    await _remember(found, session.person, EventKind.TOTP_ADDED, "factor_added")
    if onward.interaction is None and onward.next == "/":
        onward = signing_in.Way(None, f"{HOME}?done=totp")
    return await signing_in.step_up(request, assurance.CODE, onward)


async def remove_totp(request: Request) -> Response:
    """Remove the application."""
    found, session, _ = await owner(request)
    await page_forms.read(request, "remove-totp")
    await found.accounts.factors.remove_totp(session.person)
    await _remember(found, session.person, EventKind.TOTP_REMOVED, "factor_removed")
    return page_forms.see_other(f"{HOME}?done=totp_removed")


async def show_card(request: Request) -> Response:
    """Explain the card before one is made."""
    onward = await signing_in.way(request, Step.SECOND_FACTOR)
    found, session, _ = await owner(request)
    card = await found.accounts.factors.card(session.person)
    return found.renderer.page(request, "security/card.html", card=card, action=onward.to(f"{HOME}/card"))


async def print_card(request: Request) -> Response:
    """Make a card and show its codes, this once."""
    onward = await signing_in.way(request, Step.SECOND_FACTOR)
    found, session, account = await owner(request)
    await page_forms.read(request, "print-card")
    codes = await found.accounts.factors.print_card(session.person, found.clock())
    await _remember(found, session.person, EventKind.CARD_PRINTED, "factor_added")
    back = onward.to("/login/code-card") if onward.interaction else HOME
    shown = [f"{code[:GROUP]} {code[GROUP:]}" for code in codes]
    return found.renderer.page(request, "security/card_codes.html", codes=shown, number=account.number, made=found.clock(), back=back)


async def remove_card(request: Request) -> Response:
    """Make the card worthless."""
    found, session, _ = await owner(request)
    await page_forms.read(request, "remove-card")
    await found.accounts.factors.remove_card(session.person)
    await _remember(found, session.person, EventKind.CARD_REMOVED, "factor_removed")
    return page_forms.see_other(f"{HOME}?done=card_removed")


async def _remember(found: Services, person: str, kind: EventKind, told: str) -> None:
    await found.events.record(kind, at=found.clock(), person=person)
    await found.courier.tell(person, told)
    await credential_changed(found, person, *_CREDENTIALS[kind])


routes = [
    Route(f"{HOME}/totp", show_totp, methods=["GET"]),
    Route(f"{HOME}/totp", confirm_totp, methods=["POST"]),
    Route(f"{HOME}/totp.svg", totp_picture, methods=["GET"]),
    Route(f"{HOME}/totp/remove", remove_totp, methods=["POST"]),
    Route(f"{HOME}/card", show_card, methods=["GET"]),
    Route(f"{HOME}/card", print_card, methods=["POST"]),
    Route(f"{HOME}/card/remove", remove_card, methods=["POST"]),
]
