"""A forgotten password: say who you are → type the code and a new password. Unknown people see the same, at the same cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from idp.accounts import identifiers
from idp.accounts.proofs.records import Proven, Purpose
from idp.accounts.records import IdentifierKind
from idp.events.records import EventKind
from idp.protocol import new_password, page_forms, password_check, sending_codes, signing_in
from idp.protocol.services import services
from idp.recover import factor, rules, slip
from idp.web import cookies

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from idp.accounts.records import Account, Identifier
    from idp.protocol.sending_codes import Recipient
    from idp.protocol.services import Services
    from idp.protocol.signing_in import Way


async def show(request: Request) -> Response:
    """Ask who somebody is."""
    return _first(request, await signing_in.way(request))


async def submit(request: Request) -> Response:
    """Send a code, if there is somebody to send it to."""
    found, onward = services(request), await signing_in.way(request)
    fields = await page_forms.read(request, "recover")
    typed = fields.get("identifier", "")
    if not typed.strip():
        return _first(request, onward, found.renderer.t(request, "login.missing.identifier"), status=422)
    identifier = identifiers.parse(typed)
    candidates = await found.accounts.find(identifier)
    known = await found.events.knows_device([account.person for account in candidates], cookies.browser(request))
    counted = f"recover:{password_check.counted_as(identifier, typed)}"
    wait = await sending_codes.allowed(request, found, counted, known=known)
    if wait is not None:
        response = _first(request, onward, found.renderer.t(request, "enrol.code.wait", wait=wait.lasting), status=429)
        response.headers["retry-after"] = str(wait.seconds)
        return response
    recipient = await _recipient(found, identifier, candidates)
    proof = await sending_codes.send(request, found, Purpose.RECOVER, "recover_code", recipient)
    await found.events.record(EventKind.RECOVERY_ASKED, at=found.clock(), person=candidates[0].person if len(candidates) == 1 else None)
    return page_forms.see_other(onward.to("/recover/code", proof=proof))


async def _recipient(found: Services, identifier: Identifier | None, candidates: Sequence[Account]) -> Recipient:
    nobody = sending_codes.Recipient()
    match rules.answer(identifier, candidates):
        case rules.Answer.SHARED if identifier is not None:
            return sending_codes.to_address(identifier, candidates[0].phone_channel, subject=None, notice="recover_shared")
        case rules.Answer.SEND if identifier is not None:
            account = candidates[0]
            if identifier.kind in (IdentifierKind.EMAIL, IdentifierKind.PHONE):
                reached = rules.reaches(identifier, account, found.clock())
                return sending_codes.to_address(identifier, account.phone_channel, subject=account.person) if reached else nobody
            phone_too = rules.phone_alone_is_enough(account, found.clock())
            return await sending_codes.to_account(found, account, subject=account.person, phone_too=phone_too)
        case _ if identifier is not None and identifier.kind in (IdentifierKind.NIK, IdentifierKind.NUMBER):
            await found.accounts.verified_kinds("")  # the look that a NIK or account number of somebody costs
            return nobody
        case _:
            return nobody


async def show_code(request: Request) -> Response:
    """Ask for the code and a new password."""
    return _second(request, await signing_in.way(request), {})


async def submit_code(request: Request) -> Response:
    """Change the password when the code is right. The password is judged first, so that a weak one costs no code."""
    found, onward = services(request), await signing_in.way(request)
    fields = await page_forms.read(request, "recover-code")
    password = fields.get("password", "")
    complaint = new_password.complaint(request, password)
    if complaint:
        return _second(request, onward, {"password": complaint}, status=422)
    proof, browser = request.query_params.get("proof", ""), cookies.browser(request) or ""
    used = await found.accounts.proofs.use(Purpose.RECOVER, proof, fields.get("code", ""), found.clock(), browser=browser)
    if not isinstance(used, Proven):
        return _second(request, onward, {"code": found.renderer.t(request, "enrol.code.wrong")}, status=422)
    await found.events.forget_devices(used.subject)
    await found.events.remember_device(used.subject, browser, found.clock())  # strangers' failures must not hold its owner up now
    await new_password.change(found, used.subject, password, EventKind.RECOVERED)
    return found.renderer.page(request, "recover/done.html", login=onward.to("/login"))


def _first(request: Request, onward: Way, error: str | None = None, *, status: int = 200) -> Response:
    return services(request).renderer.page(
        request,
        "recover/who.html",
        status=status,
        errors={"identifier": error} if error else {},
        action=onward.to("/recover"),
        factor=onward.to("/recover/factor"),
        slip=onward.to("/recover/slip"),
        login=onward.to("/login"),
    )


def _second(request: Request, onward: Way, errors: dict[str, str], *, status: int = 200) -> Response:
    return services(request).renderer.page(
        request,
        "recover/code.html",
        status=status,
        errors=errors,
        action=onward.to("/recover/code", proof=request.query_params.get("proof", "")),
        again=onward.to("/recover"),
        slip=onward.to("/recover/slip"),
    )


routes = [
    Route("/recover", show, methods=["GET"]),
    Route("/recover", submit, methods=["POST"]),
    Route("/recover/code", show_code, methods=["GET"]),
    Route("/recover/code", submit_code, methods=["POST"]),
    *factor.routes,
    *slip.routes,
]
