"""Checking an identifier and a password, at equal cost for people who exist and people who do not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from idp.accounts import identifiers
from idp.accounts.records import IdentifierKind
from idp.accounts.store import SHARED_PHONE
from idp.events.records import EventKind
from idp.web.rate_limits import Taken, Wait
from keys.database import require_no_connection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from idp.accounts.records import Account, Identifier
    from idp.protocol.services import Services


LONGEST_PASSWORD = 1024
"""Longer input is refused after it cost what any input costs; NIST SP 800-63B §3.1.1.2 asks to allow at least 64."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What somebody typed, and from where."""

    identifier: str
    password: str
    address: str
    browser: str


@dataclass(frozen=True, slots=True)
class Right:
    """The password of this account was typed."""

    account: Account


@dataclass(frozen=True, slots=True)
class Wrong:
    """No account has this identifier and this password: which of the two, nobody is told."""


async def check(found: Services, attempt: Attempt) -> Right | Wrong | Wait:
    """Count, look, hash, and record the outcome. Raises: PoolFull (503)."""
    now = found.clock()
    identifier = identifiers.parse(attempt.identifier)
    candidates = await found.accounts.find(identifier)
    counted = counted_as(identifier, attempt.identifier)
    taken, candidates = await _allowed(found, attempt, counted, candidates)
    if isinstance(taken, Wait):
        await found.events.record(EventKind.SIGN_IN_DELAYED, at=now, address=attempt.address)
        return taken
    account = await _owner(found, candidates, attempt.password, hashes(identifier, shared_phone=SHARED_PHONE))
    if account is None:
        # a failure is recorded with the person only where one person was meant, by the same single statement
        person = candidates[0].person if len(candidates) == 1 else None
        await found.events.record(EventKind.SIGN_IN_FAILED, at=now, person=person, address=attempt.address)
        return Wrong()
    await found.limits.give_back(taken)
    return Right(account)


async def _allowed(
    found: Services, attempt: Attempt, counted: str, candidates: Sequence[Account]
) -> tuple[Taken | Wait, Sequence[Account]]:
    """Count the attempt, and say whom it may be about.

    Of a household that shares a telephone, whoever signed in from this browser before is counted apart; to the others it is a stranger's,
    and where strangers have to wait it is not about them.
    """
    known = await found.events.known_at([account.person for account in candidates], attempt.browser)
    taken = await found.limits.sign_in(counted, address=attempt.address, browser=attempt.browser, known=bool(known))
    if isinstance(taken, Wait) or not known or len(known) == len(candidates):
        return taken, candidates
    also = await found.limits.sign_in(counted, address=attempt.address, browser=attempt.browser, known=False)
    if isinstance(also, Wait):
        return taken, [account for account in candidates if account.person in known]
    return Taken((*taken.keys, *also.keys)), candidates


async def _owner(found: Services, candidates: Sequence[Account], password: str, hashes: int) -> Account | None:
    """Find whose password this is. Who fails has paid for `hashes` hashes, however many candidates there were."""
    require_no_connection("a password hash")
    short = password[:LONGEST_PASSWORD]
    padded: list[Account | None] = [*candidates[:hashes], *([None] * (hashes - len(candidates)))]
    for account in padded:
        checked = await found.keyring.passwords.verify(account.password_hash if account else None, short)
        if account is not None and checked.ok and len(password) <= LONGEST_PASSWORD:
            if checked.rehash and account.password_hash:
                await found.accounts.rehash(account.person, account.password_hash, checked.rehash)
            return account
    return None


def hashes(identifier: Identifier | None, *, shared_phone: int) -> int:
    """Say how many password hashes a failed attempt costs, whoever exists.

    A telephone number may belong to several accounts, so every failed attempt by telephone costs as many hashes as the largest
    household; any other identifier has one owner at most.
    """
    return shared_phone if identifier is not None and identifier.kind is IdentifierKind.PHONE else 1


def counted_as(identifier: Identifier | None, typed: str) -> str:
    """Give what attempts are counted by: the identifier as typed, normalised, never the person: an unknown one counts alike."""
    return f"{identifier.kind}:{identifier.value}" if identifier else f"?:{typed.strip().casefold()[:254]}"
