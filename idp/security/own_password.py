"""Asking for one's own password again: a telephone left open is not enough to change what the account stands on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idp.events.records import EventKind
from idp.protocol.services import services
from idp.web.rate_limits import Wait
from idp.web.request_context import client_address

if TYPE_CHECKING:
    from starlette.requests import Request


async def complaint(request: Request, person: str, typed: str) -> str | None:
    """Say in a sentence why the typed password does not do, or None. A wrong one is counted and remembered."""
    found = services(request)
    taken = await found.limits.own_password(person)
    if isinstance(taken, Wait):
        return found.renderer.t(request, "security.password.wait", wait=taken.lasting)
    account = await found.accounts.get(person)
    checked = await found.keyring.passwords.verify(account.password_hash if account else None, typed)
    if checked.ok:
        await found.limits.give_back(taken)
        return None
    await found.events.record(EventKind.SIGN_IN_FAILED, at=found.clock(), person=person, address=client_address(request))
    return found.renderer.t(request, "security.password.wrong")
