"""Erasing one's own account (law.md R11): what it means on one page, the password as confirmation, and a last page to keep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from consent.errors import LogUnavailable
from idp.protocol import current_session, erasure, page_forms
from idp.protocol.services import services
from idp.web import cookies
from idp.web.rate_limits import Wait
from idp.web.request_context import client_address
from keys.database import require_no_connection

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from idp.accounts.records import Account
    from idp.protocol.services import Services

FORM: Final = "erase"
LONGEST_PASSWORD: Final = 1024


async def ask(request: Request) -> Response:
    """Answer GET /me/erase."""
    await current_session.required(request)
    return await _page(request, {})


async def erase(request: Request) -> Response:
    """Answer POST /me/erase: only who knows the password erases; what an unavailable log delays is finished without the citizen."""
    session = await current_session.required(request)
    fields = await page_forms.read(request, FORM)
    parts = services(request)
    account = await parts.accounts.get(session.person)
    problem = await _problem(request, account, fields.get("password", ""))
    if account is None or problem is not None:
        return await _page(request, {"password": problem or "erase.missing"}, status=422)
    pending = await _erase(parts, session.person)
    request.state.viewer = None
    until = await erasure.backups_die(parts)
    response = parts.renderer.page(
        request, "me/erased.html", at=parts.clock(), account_number=account.number, pending=pending, backups_until=until
    )
    cookies.clear_session(response, parts.settings)
    return response


async def _erase(parts: Services, person: str) -> bool:
    """Erase; True when the log could not take the entry yet, so that the rest follows by itself."""
    try:
        await erasure.erase(parts, person)
    except LogUnavailable:
        return True
    return False


async def _problem(request: Request, account: Account | None, password: str) -> str | None:
    """Give the name of what is wrong with the confirmation. Guesses are counted as at sign-in, under the account."""
    parts = services(request)
    if account is None or not password:
        return "erase.missing"
    member = await parts.staff.of_person(account.person)
    if member is not None and member.roles:  # nobody makes the name behind a pseudonym vanish while at work here
        return "erase.staff"
    browser = cookies.ensure_browser(request)
    taken = await parts.limits.sign_in(f"own:{account.person}", address=client_address(request), browser=browser, known=True)
    if isinstance(taken, Wait):
        return "erase.wait"
    require_no_connection("a password hash")
    checked = await parts.keyring.passwords.verify(account.password_hash, password[:LONGEST_PASSWORD])
    if not checked.ok or len(password) > LONGEST_PASSWORD:
        return "erase.wrong"
    await parts.limits.give_back(taken)
    return None


async def _page(request: Request, problems: Mapping[str, str], *, status: int = 200) -> Response:
    parts = services(request)
    errors = {field: parts.renderer.t(request, name) for field, name in problems.items()}
    return parts.renderer.page(request, "me/erase.html", status=status, errors=errors, backups_until=await erasure.backups_die(parts))
