"""Rules of recovery, pure. ui.md: "After 90 unused days a phone number alone never resets a password"; equal answers for unknown people."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import TYPE_CHECKING

from idp.accounts.records import AccountState, IdentifierKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from idp.accounts.records import Account, Identifier

PHONE_TRUSTED = dt.timedelta(days=90)
"""Carriers hand unused numbers on: after so long a number may be somebody else's."""

NIK_PAUSE = dt.timedelta(hours=24)


class Answer(StrEnum):
    """What happens behind the one page that everybody sees."""

    NOBODY = "nobody"
    SHARED = "shared"
    SEND = "send"


def answer(identifier: Identifier | None, candidates: Sequence[Account]) -> Answer:
    """Decide. A telephone that several accounts share resets none of them: its holder is told to name the account."""
    active = [account for account in candidates if account.state is AccountState.ACTIVE]
    if identifier is None or not active:
        return Answer.NOBODY
    if len(candidates) > 1:
        return Answer.SHARED
    return Answer.SEND


def phone_alone_is_enough(account: Account, now: dt.datetime) -> bool:
    """Say whether a code to the telephone may reset this account."""
    return now - account.last_used_at <= PHONE_TRUSTED


def reaches(identifier: Identifier, account: Account, now: dt.datetime) -> bool:
    """Say whether a code to what was typed may reset the account it belongs to."""
    return identifier.kind is not IdentifierKind.PHONE or phone_alone_is_enough(account, now)
