"""Endings, everywhere at once: of a session, of a permission, of an account's use.

What is in one store ends at once; what must follow in another store is an errand of the outbox first, so that a crash in between delays
it and never loses it. Doing an ending twice is the same as once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consent.records import GrantState
from idp.accounts.records import AccountState
from idp.events.records import EventKind
from idp.protocol.courier import Undelivered
from idp.protocol.services import services

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request

    from consent.access_log.records import Actor
    from consent.records import Grant
    from idp.events.outbox.records import Errand
    from idp.protocol.services import Services

GRANT_TOPIC = "grant-ended"
_TRIES = 3


async def end_session(found: Services, session: str, *, detail: str | None = None) -> bool:
    """End a session and what stands on it (offline access goes on); False when it was over already."""
    now = found.clock()
    before = await found.sessions.get(session, now)
    ended = await found.sessions.end(session, now)
    await found.authorizations.revoke_by_session(session, now)
    if ended and before is not None:
        await found.events.record(EventKind.SESSION_ENDED, at=now, person=before.person, session=session, detail=detail)
    return ended


async def end_sessions(found: Services, person: str, *, except_id: str | None = None, detail: str | None = None) -> Sequence[str]:
    """End all sessions of a person but one, and what stands on them."""
    now = found.clock()
    ended = await found.sessions.end_all(person, now, except_id)
    for session in ended:
        await found.authorizations.revoke_by_session(session, now)
        await found.events.record(EventKind.SESSION_ENDED, at=now, person=person, session=session, detail=detail)
    return ended


async def end_grant(request: Request, grant: str, by: Actor | None = None) -> Grant | None:
    """Take a permission back for the citizen (or `by`): the next read is refused, and its tokens end (law.md R12)."""
    return await withdraw(services(request), grant, by)


async def withdraw(found: Services, grant: str, by: Actor | None = None) -> Grant | None:
    """Take a permission back; None when there is no such one."""
    errand = await found.events.outbox.add(GRANT_TOPIC, {"grant": grant}, found.clock())
    ended = await found.consent.ledger.withdraw(grant, by)
    await found.authorizations.revoke_by_grant(grant, found.clock())
    await found.events.outbox.done(errand)
    return ended


async def follow_grant(found: Services, errand: Errand) -> None:
    """Do what must follow an ended permission, after a crash. Raises: Undelivered while the permission still stands."""
    grant = await found.consent.ledger.get(errand.payload["grant"])
    if grant is not None and grant.state is not GrantState.ACTIVE:
        await found.authorizations.revoke_by_grant(grant.id, found.clock())
    elif grant is not None and errand.attempts < _TRIES:  # the errand may be ahead of the withdrawal it belongs to
        raise Undelivered("the permission stands")


async def lock(found: Services, person: str) -> bool:
    """Lock an account: nobody signs in, sessions and all that stands on them end, offline access included."""
    if not await found.accounts.set_state(person, AccountState.LOCKED):
        return False
    now = found.clock()
    await end_sessions(found, person, detail="locked")
    await found.authorizations.revoke_by_person(person, now)
    await found.events.record(EventKind.LOCKED, at=now, person=person)
    return True


async def unlock(found: Services, person: str) -> bool:
    """Let an account be used again."""
    if not await found.accounts.set_state(person, AccountState.ACTIVE):
        return False
    await found.events.record(EventKind.UNLOCKED, at=found.clock(), person=person)
    return True
