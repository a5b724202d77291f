"""What officers do for people at the counter. Each act names the officer and a reason, and stands in the access log before it is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consent.access_log.records import Actor, Denied, Entry, Record, Subject
from consent.disclosure import StaffRead, Withheld
from consent.errors import LogUnavailable
from idp.accounts import identifiers, nik
from idp.accounts.proofs.records import Purpose
from idp.accounts.records import Account, Source, Taken, Value
from idp.events.records import EventKind
from idp.protocol import ending, erasure

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from consent.access_log.records import Action
    from idp.protocol.services import Services

CHANNEL = "counter"


@dataclass(frozen=True, slots=True)
class Officer:
    """Who acts, why, and on which ground (UU PDP Art. 20(2): "c" legal obligation, "e" public authority …)."""

    name: str
    reason: str
    role: str = "officer"
    unit: str | None = None
    legal_basis: str = "e"
    legal_ref: str = "UU 25/2009"

    @property
    def actor(self) -> Actor:
        """Give the actor as the log names it."""
        return Actor("officer", self.name, self.role, self.unit)


@dataclass(frozen=True, slots=True)
class Slip:
    """What is printed for a person who lost everything: good once, for fifteen minutes."""

    number: str
    code: str
    until: dt.datetime


async def find(found: Services, typed: str) -> Sequence[Account]:
    """Find accounts by account number, verified NIK, e-mail, telephone, or by the id that the log uses."""
    by_id = await found.accounts.get(typed.strip())
    return [by_id] if by_id is not None else await found.accounts.find(identifiers.parse(typed))


async def look(found: Services, officer: Officer, account: Account, claims: Sequence[str]) -> Mapping[str, str]:
    """Show an officer values of a person; the look is an entry that the person sees. Raises: LogUnavailable."""
    read = StaffRead(
        actor=officer.actor,
        person=account.person,
        claims=frozenset(claims),
        reason=officer.reason,
        legal_basis=officer.legal_basis,
        legal_ref=officer.legal_ref,
        channel=CHANNEL,
    )
    seen = await found.consent.disclosure.to_staff(read, await found.accounts.sealed(account.person, claims))
    if isinstance(seen, Withheld):
        raise LogUnavailable(seen.reason)
    return seen.values


async def add(
    found: Services,
    officer: Officer,
    values: Sequence[Value],
    *,
    locale: str = "id",
    minor: bool = False,
    password_hash: str | None = None,
) -> Account | Taken:
    """Open an account for somebody at the counter. Without a hash brought from elsewhere, a slip lets its owner choose a password."""
    made = await found.accounts.create(values=values, now=found.clock(), locale=locale, minor=minor, password_hash=password_hash)
    if isinstance(made, Account):
        await _enter(found, officer, made, "update", sorted(value.claim for value in values))
        await found.events.record(EventKind.ENROLLED, at=found.clock(), person=made.person, detail=CHANNEL)
    return made


async def verify_nik(
    found: Services, officer: Officer, account: Account, number: nik.Nik, *, how: str, more: Mapping[str, str] | None = None
) -> Taken | None:
    """Note that papers were seen: the NIK is verified, and with it `more` (name, birth date) as the papers say.

    Taken: another account has this NIK verified; its owner must come.
    """
    values = {"nik": number.value, **(more or {})}
    await _enter(found, officer, account, "verify", sorted(values))
    for claim, value in values.items():
        taken = await found.accounts.put(account.person, Value(claim, value, Source.VERIFIED, officer.name, how), found.clock())
        if taken is not None:
            return taken
    await found.events.record(EventKind.NIK_VERIFIED, at=found.clock(), person=account.person)
    return None


async def print_slip(found: Services, officer: Officer, account: Account) -> Slip:
    """Print a slip. Earlier codes are void, and every old channel is told at once."""
    await _enter(found, officer, account, "update", [])
    lifetime, now = found.settings.recovery_slip_lifetime, found.clock()
    await found.accounts.proofs.cancel(account.person)
    proof = await found.accounts.proofs.issue(Purpose.SLIP, account.person, now, lifetime=lifetime)
    await found.events.record(EventKind.SLIP_PRINTED, at=now, person=account.person)
    await found.courier.tell(account.person, "slip_printed")
    return Slip(account.number, proof.code, proof.expires_at)


async def lock(found: Services, officer: Officer, account: Account) -> bool:
    """Lock an account; a person may review it (UU PDP Art. 10)."""
    await _enter(found, officer, account, "update", [])
    return await ending.lock(found, account.person)


async def unlock(found: Services, officer: Officer, account: Account) -> bool:
    """Let an account be used again."""
    await _enter(found, officer, account, "update", [])
    return await ending.unlock(found, account.person)


async def erase(found: Services, officer: Officer, account: Account) -> int:
    """Erase an account at its owner's request; return the line of the journal."""
    return await erasure.erase(found, account.person, officer.actor, officer.reason)


async def enter_update(found: Services, officer: Officer, account: Account, what: str) -> None:
    """Record that something of an account, no value of it, is about to change. Raises: LogUnavailable, ValueError without a reason."""
    await _enter(found, officer, account, "update", [], what=what)


async def _enter(
    found: Services, officer: Officer, account: Account, action: Action, claims: Sequence[str], *, what: str | None = None
) -> None:
    """Record an act before it is done. Raises: LogUnavailable, ValueError without a reason."""
    if not officer.reason.strip() or not officer.name.strip():
        raise ValueError("an officer acts under a name and for a reason")
    record = Record(
        action=action,
        actor=officer.actor,
        legal_basis=officer.legal_basis,
        legal_ref=officer.legal_ref,
        claims=tuple(claims),
        channel=CHANNEL,
        outcome="ok",
        reason=what or officer.reason,
    )
    if isinstance(await found.consent.access_log.append(Entry(record, Subject(account.person))), Denied):
        raise LogUnavailable("the entry was denied")
