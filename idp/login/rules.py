"""Rules of signing in, pure. NIST SP 800-63B §3.2.2 (throttling), OWASP ASVS 4.0 §2.2; UU PDP Art. 10 (a person may review a lock)."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from idp.accounts.records import AccountState, IdentifierKind

if TYPE_CHECKING:
    from idp.accounts.records import Account, Identifier

LONGEST_PASSWORD = 1024
"""Longer input is refused before it is hashed; NIST asks to allow at least 64."""


class After(StrEnum):
    """What follows a right password."""

    FINISH = "finish"
    FACTOR = "factor"
    LOCKED = "locked"
    RECOVER = "recover"


def hashes(identifier: Identifier | None, *, shared_phone: int) -> int:
    """Say how many password hashes a failed attempt costs, whoever exists.

    A telephone number may belong to several accounts, so every failed attempt by telephone costs as many hashes as the largest
    household; any other identifier has one owner at most.
    """
    return shared_phone if identifier is not None and identifier.kind is IdentifierKind.PHONE else 1


def counted_as(identifier: Identifier | None, typed: str) -> str:
    """Give what attempts are counted by: the identifier as typed, normalised, never the person: an unknown one counts alike."""
    return f"{identifier.kind}:{identifier.value}" if identifier else f"?:{typed.strip().casefold()[:254]}"


def after_password(account: Account, *, factors_lost: bool) -> After:
    """Say what follows. Only who knows the password learns that an account is locked, or that its factors were disabled."""
    if account.state is not AccountState.ACTIVE:
        return After.LOCKED
    if account.has_second_factor:
        return After.FACTOR
    return After.RECOVER if factors_lost else After.FINISH
