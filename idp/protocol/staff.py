"""Staff: the gate before every page of theirs, and how roles are given and taken. A role changes only after the access log says so."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from consent.access_log.records import Actor, Denied, Entry, Record, Subject
from consent.errors import LogUnavailable
from idp.events.records import EventKind
from idp.protocol import counter, current_session
from idp.protocol.services import services
from idp.spec.assurance import AAL2
from idp.staff.records import RoleRefused
from idp.web.errors import PageError

if TYPE_CHECKING:
    from starlette.requests import Request

    from consent.access_log.records import Delay
    from idp.accounts.records import Account
    from idp.protocol.counter import Officer
    from idp.protocol.services import Services
    from idp.sessions.records import Session
    from idp.staff.records import Appointment, Member, Role

WORKDAY: Final = dt.timedelta(hours=8)
"""How old the sign-in may be at which staff look; NIST SP 800-63B §2.2.3 (AAL2) asks again after 12 hours at the latest."""


@dataclass(frozen=True, slots=True)
class OnDuty:
    """A member of staff who opened a page with a second factor: the session, and the role in which they are here."""

    session: Session
    member: Member
    appointment: Appointment

    @property
    def role(self) -> Role:
        """The role in which they act."""
        return self.appointment.role

    @property
    def actor(self) -> Actor:
        """Give the actor as the access log names it: never by name."""
        return Actor(self.role.value, self.member.pseudonym, self.role.value, self.appointment.unit or self.appointment.agency)


async def required(request: Request, *roles: Role, within: dt.timedelta = WORKDAY) -> OnDuty:
    """Open a page of staff: who is signed in holds one of these roles, and proved a second factor in a sign-in not older than `within`.

    Raises: PageError "not_found" for everybody without a role, so that the page tells citizens nothing; HTTPException 303 to sign in
    (again), or to the second factor, which leads who has none yet to getting one. Both come back to this page.
    """
    found = services(request)
    session = await current_session.required(request)
    member = await found.staff.of_person(session.person)
    appointment = member.appointment(*roles) if member else None
    if member is None or appointment is None:
        raise PageError("not_found", 404)
    return OnDuty(await current_session.strong(request, AAL2, within), member, appointment)


async def appoint(
    found: Services, officer: Officer, account: Account, role: Role, *, agency: str | None = None, unit: str | None = None
) -> Member | RoleRefused:
    """Give an account a role; the entry stands first, and its owner sees it. Raises: LogUnavailable, ChainClosed."""
    await counter.enter_update(found, officer, account, f"role {role} given: {officer.reason}")
    member = await found.staff.appoint(account.person, role, found.clock(), by=officer.name, agency=agency, unit=unit)
    if not isinstance(member, RoleRefused):
        await found.events.record(EventKind.ROLE_GIVEN, at=found.clock(), person=account.person, detail=f"{role} {officer.name}")
    return member


async def dismiss(found: Services, officer: Officer, account: Account, role: Role) -> bool:
    """Take a role from an account; False when it does not hold it. Raises: LogUnavailable, ChainClosed."""
    await counter.enter_update(found, officer, account, f"role {role} taken: {officer.reason}")
    taken = await found.staff.dismiss(account.person, role)
    if taken:
        await found.events.record(EventKind.ROLE_TAKEN, at=found.clock(), person=account.person, detail=f"{role} {officer.name}")
    return taken


async def enter(
    found: Services,
    duty: OnDuty,
    reason: str,
    *,
    person: str | None = None,
    case: str | None = None,
    outcome: str = "ok",
    delay: Delay | None = None,
) -> None:
    """Record that a member of staff is about to look at records; whoever `person` is sees it. Nothing may be shown before.

    `case`: the number of the case that asks for it. `delay`: the entry is about an order of delay, and is shown with what that delays.
    Raises: LogUnavailable, LogBusy (503), ChainClosed.
    """
    record = Record(
        action="audit",
        agency=duty.appointment.agency,
        actor=duty.actor,
        legal_ref=case,
        channel="audit",
        acr=duty.session.acr,
        outcome=outcome,
        reason=reason,
        visibility="open" if delay is None else "delayed",
        delay=delay,
    )
    entry = Entry(record, None if person is None else Subject(person))
    if isinstance(await found.consent.access_log.append(entry), Denied):
        raise LogUnavailable("the entry was denied")
