"""Security events: one function-like kind each, so that the list of what is remembered is here and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt


class EventKind(StrEnum):
    """Everything that is remembered about the safety of accounts."""

    SIGNED_IN = "signed-in"
    SIGN_IN_FAILED = "sign-in-failed"
    SIGN_IN_DELAYED = "sign-in-delayed"
    FACTOR_FAILED = "factor-failed"
    FACTOR_DISABLED = "factor-disabled"
    STEPPED_UP = "stepped-up"
    SIGNED_OUT = "signed-out"
    ENROLLED = "enrolled"
    ENROL_ASKED = "enrol-asked"
    ENROL_TAKEN = "enrol-taken"
    RECOVERY_ASKED = "recovery-asked"
    RECOVERED = "recovered"
    SLIP_PRINTED = "slip-printed"
    PASSWORD_CHANGED = "password-changed"  # noqa: S105 - the name of an event
    TOTP_ADDED = "totp-added"
    TOTP_REMOVED = "totp-removed"
    PASSKEY_ADDED = "passkey-added"
    PASSKEY_REMOVED = "passkey-removed"
    CONTACT_CHANGED = "contact-changed"
    CARD_PRINTED = "card-printed"
    CARD_REMOVED = "card-removed"
    SESSION_ENDED = "session-ended"
    LOCKED = "locked"
    UNLOCKED = "unlocked"
    NIK_VERIFIED = "nik-verified"
    UPSTREAM_LINKED = "upstream-linked"
    UPSTREAM_UNLINKED = "upstream-unlinked"
    ROLE_GIVEN = "role-given"
    ROLE_TAKEN = "role-taken"
    ERASED = "erased"


@dataclass(frozen=True, slots=True)
class SecurityEvent:
    """One thing that happened to an account. `network` is a keyed digest; `detail` is a word of ours, never a value of theirs."""

    kind: EventKind
    at: dt.datetime
    person: str | None
    session: str | None
    network: bytes | None
    detail: str | None
