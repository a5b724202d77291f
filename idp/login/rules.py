"""Rules of signing in, pure. NIST SP 800-63B §3.2.2 (throttling), OWASP ASVS 4.0 §2.2; UU PDP Art. 10 (a person may review a lock)."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from idp.accounts.records import AccountState

if TYPE_CHECKING:
    from idp.accounts.records import Account


class After(StrEnum):
    """What follows a right password."""

    FINISH = "finish"
    FACTOR = "factor"
    LOCKED = "locked"
    RECOVER = "recover"


def after_password(account: Account, *, factors_lost: bool) -> After:
    """Say what follows. Only who knows the password learns that an account is locked, or that its factors were disabled."""
    if account.state is not AccountState.ACTIVE:
        return After.LOCKED
    if account.has_second_factor:
        return After.FACTOR
    return After.RECOVER if factors_lost else After.FINISH
