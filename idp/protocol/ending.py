"""Endings, everywhere at once: of a session, of a permission, of an account's use; and who is told of each.

What is in one store ends at once; what must follow in another store, or at an application, is an errand of the outbox first, so that a
crash in between delays it and never loses it. Doing an ending twice is the same as once, telling of it too.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from consent.records import GrantState
from idp.accounts.records import AccountState
from idp.events.records import EventKind
from idp.protocol import telling
from idp.protocol.courier import Undelivered
from idp.protocol.services import services
from idp.protocol.telling import Happening
from idp.spec.security_event import Signal
from keys.opaque import new_id

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request

    from consent.access_log.records import Actor
    from consent.records import Grant
    from idp.events.outbox.records import Errand
    from idp.protocol.services import Services

GRANT_TOPIC: Final = "grant-ended"
SESSIONS_TOPIC: Final = "sessions-ended"
ACCOUNT_TOPIC: Final = "account-changed"
_TRIES: Final = 3
_CRASHED_AFTER: Final = dt.timedelta(seconds=30)
_EXPIRED_AT_ONCE: Final = 200
_BY: Final = {"locked": "admin", "expired": "policy"}
"""CAEP 1.0 §2 initiating_entity by the reason of an ending; else the citizen ended it."""
_BY_STAFF: Final = {"initiating_entity": "admin"}


# --- sessions ----------------------------------------------------------------------------------------------------------------------------


async def end_session(found: Services, session: str, *, detail: str | None = None) -> bool:
    """End a session and what stands on it (offline access goes on), and tell its services; False when it was over already."""
    now = found.clock()
    before = await found.sessions.get(session, now)
    if before is None:
        return False
    errand = await _errand(found, SESSIONS_TOPIC, {"sessions": [session], "by": _BY.get(detail or "", "user")})
    ended = await found.sessions.end(session, now)
    if ended:
        await found.events.record(EventKind.SESSION_ENDED, at=now, person=before.person, session=session, detail=detail)
    await _follow_sessions(found, [session], _BY.get(detail or "", "user"))
    await found.events.outbox.done(errand)
    return ended


async def end_sessions(found: Services, person: str, *, except_id: str | None = None, detail: str | None = None) -> Sequence[str]:
    """End all sessions of a person but one, what stands on them, and tell their services."""
    now, by = found.clock(), _BY.get(detail or "", "user")
    living = [session.id for session in await found.sessions.of_person(person, now) if session.id != except_id]
    errand = await _errand(found, SESSIONS_TOPIC, {"sessions": living, "by": by})
    ended = await found.sessions.end_all(person, now, except_id)
    for session in ended:
        await found.events.record(EventKind.SESSION_ENDED, at=now, person=person, session=session, detail=detail)
    await _follow_sessions(found, ended, by)
    await found.events.outbox.done(errand)
    return ended


async def end_expired(found: Services) -> int:
    """Notice sessions whose time is over, and tell their services: once, whatever number of processes looks. Return how many."""
    noticed = 0
    while which := await found.sessions.expired(found.clock(), _EXPIRED_AT_ONCE):
        errand = await _errand(found, SESSIONS_TOPIC, {"sessions": list(which), "by": _BY["expired"]})
        ended = await found.sessions.end_expired(which, found.clock())
        await _follow_sessions(found, ended, _BY["expired"])
        await found.events.outbox.done(errand)
        noticed += len(ended)
    return noticed


async def follow_sessions(found: Services, errand: Errand) -> None:
    """Do what must follow ended sessions, after a crash. Raises: Undelivered while one still lives, for the errand may be ahead of it."""
    which = list(errand.payload["sessions"])
    living = [session for session in which if await found.sessions.get(session, found.clock()) is not None]
    await _follow_sessions(found, [session for session in which if session not in living], errand.payload["by"])
    if living and errand.attempts < _TRIES:
        raise Undelivered("a session lives")


async def _follow_sessions(found: Services, ended: Sequence[str], by: str) -> None:
    for session in ended:
        await found.authorizations.revoke_by_session(session, found.clock())
    if ended:
        await telling.sessions_ended(found, await found.sessions.participants(sessions_=ended), by=by)


# --- permissions -------------------------------------------------------------------------------------------------------------------------


async def end_grant(request: Request, grant: str, by: Actor | None = None) -> Grant | None:
    """Take a permission back for the citizen (or `by`): the next read is refused, and its tokens end (law.md R12)."""
    return await withdraw(services(request), grant, by)


async def withdraw(found: Services, grant: str, by: Actor | None = None) -> Grant | None:
    """Take a permission back, and tell the service; None when there is no such one."""
    errand = await _errand(found, GRANT_TOPIC, {"grant": grant})
    ended = await found.consent.ledger.withdraw(grant, by)
    if ended is not None and ended.state is not GrantState.ACTIVE:
        await _follow_grant(found, ended)
    await found.events.outbox.done(errand)
    return ended


async def follow_grant(found: Services, errand: Errand) -> None:
    """Do what must follow an ended permission, after a crash. Raises: Undelivered while the permission still stands."""
    grant = await found.consent.ledger.get(errand.payload["grant"])
    if grant is not None and grant.state is not GrantState.ACTIVE:
        await _follow_grant(found, grant)
    elif grant is not None and errand.attempts < _TRIES:  # the errand may be ahead of the withdrawal it belongs to
        raise Undelivered("the permission stands")


async def _follow_grant(found: Services, grant: Grant) -> None:
    await found.authorizations.revoke_by_grant(grant.id, found.clock())
    details = {"purpose": grant.purpose, "initiating_entity": "user" if grant.state is GrantState.WITHDRAWN else "admin"}
    happening = Happening(signal=Signal.CONSENT_REVOKED, cause=f"{grant.id}:{grant.version}", details=details)
    await telling.client_told(found, grant.person, grant.client, happening)


async def invalidated(found: Services, grant: str) -> None:
    """End what stands on a permission that was just made invalid, and tell the service."""
    ended = await found.consent.ledger.get(grant)
    if ended is not None and ended.state is not GrantState.ACTIVE:
        await _follow_grant(found, ended)


# --- accounts ----------------------------------------------------------------------------------------------------------------------------


async def lock(found: Services, person: str) -> bool:
    """Lock an account: nobody signs in, sessions and all that stands on them end, offline access included; services are told."""
    told = _told(person, Signal.ACCOUNT_DISABLED, _BY_STAFF, state=AccountState.LOCKED)
    errand = await _errand(found, ACCOUNT_TOPIC, told)
    locked = await found.accounts.set_state(person, AccountState.LOCKED)
    if locked:
        await _stop_everything(found, person)
        await found.events.record(EventKind.LOCKED, at=found.clock(), person=person)
        await _tell(found, errand, told)
    await found.events.outbox.done(errand)
    return locked


async def unlock(found: Services, person: str) -> bool:
    """Let an account be used again, and tell the services."""
    told = _told(person, Signal.ACCOUNT_ENABLED, _BY_STAFF, state=AccountState.ACTIVE)
    errand = await _errand(found, ACCOUNT_TOPIC, told)
    unlocked = await found.accounts.set_state(person, AccountState.ACTIVE)
    if unlocked:
        await found.events.record(EventKind.UNLOCKED, at=found.clock(), person=person)
        await _tell(found, errand, told)
    await found.events.outbox.done(errand)
    return unlocked


async def credential_changed(found: Services, person: str, kind: str, change: str) -> None:
    """Tell services that somebody's way to sign in changed. CAEP 1.0 §3.2: `kind` is a credential_type, `change` a change_type."""
    details = {"credential_type": kind, "change_type": change, "initiating_entity": "user"}
    told = _told(person, Signal.CREDENTIAL_CHANGE, details)
    errand = await _errand(found, ACCOUNT_TOPIC, told)
    await _tell(found, errand, told)
    await found.events.outbox.done(errand)


async def follow_account(found: Services, errand: Errand) -> None:
    """Do what must follow a change of an account, after a crash. Raises: Undelivered while the change was not made."""
    told = errand.payload
    account = await found.accounts.get(told["person"])
    if account is None:
        return
    if told["state"] not in {None, account.state}:
        if errand.attempts < _TRIES:  # the errand may be ahead of the change it belongs to; or the change was taken back since
            raise Undelivered("the account was not changed")
        return
    if told["signal"] == Signal.ACCOUNT_DISABLED:
        await _stop_everything(found, account.person)
    await _tell(found, errand.id, told)


async def purged(found: Services, person: str) -> None:
    """Tell every service that ever might read something of somebody that the account is erased; while it can be named."""
    await telling.person_changed(found, person, Happening(signal=Signal.ACCOUNT_PURGED, cause=new_id()), past=True)


async def _stop_everything(found: Services, person: str) -> None:
    await end_sessions(found, person, detail="locked")
    await found.authorizations.revoke_by_person(person, found.clock())


def _told(person: str, signal: Signal, details: Mapping[str, str], *, state: AccountState | None = None) -> dict[str, Any]:
    """Write down what services are told of an account; `state`: that it must have for it to be true."""
    return {"person": person, "signal": signal.value, "details": dict(details), "state": state}


async def _tell(found: Services, cause: str, told: Mapping[str, Any]) -> None:
    signal = Signal(told["signal"])
    happening = Happening(signal=signal, cause=cause, details=told["details"], logout=signal is Signal.ACCOUNT_DISABLED)
    await telling.person_changed(found, told["person"], happening)


async def _errand(found: Services, topic: str, payload: Mapping[str, Any]) -> str:
    """Promise what must follow. Whoever promises does it at once; the outbox only after a crash."""
    return await found.events.outbox.add(topic, payload, found.clock() + _CRASHED_AFTER)
