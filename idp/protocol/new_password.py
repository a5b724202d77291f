"""Choosing a new password: the rules' answer as a sentence, and everything that must follow a change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idp.accounts import password_rules
from idp.protocol.ending import credential_changed, end_sessions
from idp.protocol.services import services

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.requests import Request

    from idp.events.records import EventKind
    from idp.protocol.services import Services


def complaint(request: Request, password: str, own: Iterable[str] = ()) -> str | None:
    """Say what is wrong with a chosen password, and what to do; None when nothing is."""
    found = services(request)
    shortest = found.settings.password_min_length
    problem = password_rules.problem(password, shortest=shortest, own=own)
    return None if problem is None else found.renderer.t(request, f"security.password.{problem}", shortest=shortest)


async def change(found: Services, person: str, password: str, kind: EventKind, *, except_session: str | None = None) -> None:
    """Store a new password; other sessions end, codes on their way are void, every old channel and the services are told."""
    hashed = await found.keyring.passwords.hash(password)
    await found.accounts.set_password(person, hashed)
    await found.accounts.proofs.cancel(person)
    await end_sessions(found, person, except_id=except_session, detail=kind.value)
    await credential_changed(found, person, "password", "update")
    await found.events.record(kind, at=found.clock(), person=person)
    await found.courier.tell(person, "password_changed")
