"""A lost second factor: the password and a code to a verified address together take the place of the factor, once, and remove it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from idp.accounts.proofs.records import Proven, Purpose
from idp.accounts.records import AccountState
from idp.events.records import EventKind
from idp.protocol import page_forms, password_check, sending_codes, signing_in
from idp.protocol.ending import credential_changed, end_sessions
from idp.protocol.services import services
from idp.recover import rules
from idp.web import cookies
from idp.web.rate_limits import Wait
from idp.web.request_context import client_address

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from idp.accounts.records import Account
    from idp.protocol.services import Services
    from idp.protocol.signing_in import Way


async def show(request: Request) -> Response:
    """Ask for identifier and password."""
    return _first(request, await signing_in.way(request))


async def submit(request: Request) -> Response:
    """Check the password as sign-in does, then send a code."""
    found, onward = services(request), await signing_in.way(request)
    fields = await page_forms.read(request, "recover-factor")
    browser = cookies.ensure_browser(request)
    attempt = password_check.Attempt(fields.get("identifier", ""), fields.get("password", ""), client_address(request), browser)
    outcome = await password_check.check(found, attempt)
    if isinstance(outcome, Wait):
        return _delayed(request, onward, outcome, "login.wait")
    if isinstance(outcome, password_check.Wrong) or outcome.account.state is not AccountState.ACTIVE:
        return _first(request, onward, found.renderer.t(request, "login.wrong"), identifier=attempt.identifier, status=422)
    account = outcome.account
    wait = await sending_codes.allowed(request, found, f"factor:{account.person}")
    if wait is not None:
        return _delayed(request, onward, wait, "enrol.code.wait")
    if await found.events.reset_unproven(account.person) and await _had_factor(found, account):
        # ui.md: who lost both comes to the counter; a mailbox that gave the password must not take the factor too
        return _to_the_counter(request, onward, account, "both")
    phone_too = rules.phone_alone_is_enough(account, found.clock())
    recipient = await sending_codes.to_account(found, account, subject=account.person, phone_too=phone_too)
    if recipient.subject is None:
        return _to_the_counter(request, onward, account, "text")
    proof = await sending_codes.send(request, found, Purpose.FACTOR, "recover_code", recipient)
    await found.events.record(EventKind.RECOVERY_ASKED, at=found.clock(), person=account.person, detail="factor")
    return page_forms.see_other(onward.to("/recover/factor/code", proof=proof))


async def show_code(request: Request) -> Response:
    """Ask for the code."""
    return _second(request, await signing_in.way(request))


async def submit_code(request: Request) -> Response:
    """Remove the lost factor and sign in by what was proven."""
    found, onward = services(request), await signing_in.way(request)
    fields = await page_forms.read(request, "recover-factor-code")
    proof, browser = request.query_params.get("proof", ""), cookies.browser(request) or ""
    used = await found.accounts.proofs.use(Purpose.FACTOR, proof, fields.get("code", ""), found.clock(), browser=browser)
    if not isinstance(used, Proven):
        return _second(request, onward, found.renderer.t(request, "enrol.code.wrong"), status=422)
    account = await found.accounts.get(used.subject)
    if account is None or account.state is not AccountState.ACTIVE:
        return page_forms.see_other(onward.to("/login"))
    await remove_factors(found, account)
    return await signing_in.finish(request, signing_in.Proven(person=account.person, amr=("pwd",)), onward)


async def _had_factor(found: Services, account: Account) -> bool:
    return account.has_second_factor or await found.accounts.factors.any_disabled(account.person)


async def remove_factors(found: Services, account: Account) -> None:
    """Take every second factor away; sessions end, NIK reads pause for a day, old channels are told."""
    now = found.clock()
    await found.accounts.factors.remove_totp(account.person)
    await found.accounts.factors.remove_card(account.person)
    await found.accounts.passkeys.remove_all(account.person)
    await found.accounts.pause_nik(account.person, now + rules.NIK_PAUSE)
    await end_sessions(found, account.person, detail="recovered")
    await found.events.forget_devices(account.person)
    await found.events.record(EventKind.RECOVERED, at=now, person=account.person, detail="factor")
    await found.courier.tell(account.person, "recovered")
    await credential_changed(found, account.person, "app", "delete")
    if account.has_passkey:
        await credential_changed(found, account.person, "fido2-roaming", "delete")


def _first(request: Request, onward: Way, error: str | None = None, *, identifier: str = "", status: int = 200) -> Response:
    return services(request).renderer.page(
        request,
        "recover/factor.html",
        status=status,
        errors={"identifier": error} if error else {},
        identifier=identifier,
        action=onward.to("/recover/factor"),
        slip=onward.to("/recover/slip"),
    )


def _to_the_counter(request: Request, onward: Way, account: Account, why: str) -> Response:
    slip = onward.to("/recover/slip")
    return services(request).renderer.page(request, "recover/counter.html", status=403, number=account.number, slip=slip, why=why)


def _delayed(request: Request, onward: Way, wait: Wait, sentence: str) -> Response:
    response = _first(request, onward, services(request).renderer.t(request, sentence, wait=wait.lasting), status=429)
    response.headers["retry-after"] = str(wait.seconds)
    return response


def _second(request: Request, onward: Way, error: str | None = None, *, status: int = 200) -> Response:
    return services(request).renderer.page(
        request,
        "recover/factor_code.html",
        status=status,
        form_action=onward.form_action,
        errors={"code": error} if error else {},
        action=onward.to("/recover/factor/code", proof=request.query_params.get("proof", "")),
        slip=onward.to("/recover/slip"),
    )


routes = [
    Route("/recover/factor", show, methods=["GET"]),
    Route("/recover/factor", submit, methods=["POST"]),
    Route("/recover/factor/code", show_code, methods=["GET"]),
    Route("/recover/factor/code", submit_code, methods=["POST"]),
]
