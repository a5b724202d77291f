"""Both lost: a slip that an officer printed after checking papers, good for fifteen minutes. The officer never learns the password."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from idp.accounts import identifiers
from idp.accounts.proofs.records import Proven
from idp.accounts.records import AccountState, IdentifierKind
from idp.events.records import EventKind
from idp.protocol import new_password, page_forms, password_check, signing_in
from idp.protocol.services import services
from idp.recover.factor import remove_factors
from idp.web import cookies
from idp.web.rate_limits import Wait
from idp.web.request_context import client_address

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from idp.protocol.signing_in import Way


async def show(request: Request) -> Response:
    """Ask for the account number and code of the slip, and a new password."""
    return _page(request, await signing_in.way(request), {})


async def submit(request: Request) -> Response:
    """Use the slip up."""
    found, onward = services(request), await signing_in.way(request)
    fields = await page_forms.read(request, "recover-slip")
    password, typed = fields.get("password", ""), fields.get("identifier", "")
    complaint = new_password.complaint(request, password)
    if complaint:
        return _page(request, onward, {"password": complaint}, identifier=typed, status=422)
    identifier = identifiers.parse(typed)
    taken = await found.limits.slip(password_check.counted_as(identifier, typed), address=client_address(request))
    if isinstance(taken, Wait):
        response = _page(request, onward, {"code": found.renderer.t(request, "login.factor.wait", wait=taken.lasting)}, status=429)
        response.headers["retry-after"] = str(taken.seconds)
        return response
    # the slip names the account number: one number, one account
    by_number = identifier if identifier is not None and identifier.kind is IdentifierKind.NUMBER else None
    candidates = await found.accounts.find(by_number)
    account = candidates[0] if candidates and candidates[0].state is AccountState.ACTIVE else None
    used = await found.accounts.proofs.use_slip(account.person if account else None, fields.get("code", ""), found.clock())
    if account is None or not isinstance(used, Proven):
        return _page(request, onward, {"code": found.renderer.t(request, "recover.slip.wrong")}, identifier=typed, status=422)
    await remove_factors(found, account)
    await found.events.remember_device(account.person, cookies.ensure_browser(request), found.clock())  # as after a code
    await new_password.change(found, account.person, password, EventKind.RECOVERED)
    await found.limits.give_back(taken)
    return found.renderer.page(request, "recover/done.html", login=onward.to("/login"))


def _page(request: Request, onward: Way, errors: dict[str, str], *, identifier: str = "", status: int = 200) -> Response:
    return services(request).renderer.page(
        request, "recover/slip.html", status=status, errors=errors, identifier=identifier, action=onward.to("/recover/slip")
    )


routes = [Route("/recover/slip", show, methods=["GET"]), Route("/recover/slip", submit, methods=["POST"])]
