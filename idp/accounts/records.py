"""What a person's account looks like to the rest of the program."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt


class AccountState(StrEnum):
    """Whether the account may be used."""

    ACTIVE = "active"
    LOCKED = "locked"
    CLOSED = "closed"


class IdentifierKind(StrEnum):
    """What a person may type to say who they are."""

    NIK = "nik"
    EMAIL = "email"
    PHONE = "phone"
    NUMBER = "number"


class Source(StrEnum):
    """Where a value comes from: the person's word, or somebody's check."""

    ASSERTED = "asserted"
    VERIFIED = "verified"


CLAIM_OF: dict[IdentifierKind, str] = {
    IdentifierKind.NIK: "nik",
    IdentifierKind.EMAIL: "email",
    IdentifierKind.PHONE: "phone_number",
}
"""The claim that holds the value of an identifier; account numbers are no claim."""

KIND_OF: dict[str, IdentifierKind] = {claim: kind for kind, claim in CLAIM_OF.items()}

MINOR_BELOW = 18
"""UU PDP Art. 25, PP 17/2025: below this age nothing is read before a guardian's grant."""


@dataclass(frozen=True, slots=True)
class Account:
    """One person's account. Personal values are not here: they are sealed cells."""

    person: str
    number: str
    state: AccountState
    locale: str
    password_hash: str | None
    created_at: dt.datetime
    last_used_at: dt.datetime
    minor: bool
    has_totp: bool
    has_code_card: bool
    nik_verified: bool
    nik_paused_until: dt.datetime | None
    phone_channel: str = "sms"
    has_passkey: bool = False

    @property
    def has_second_factor(self) -> bool:
        """Tell whether sign-in asks for a second factor."""
        return self.has_totp or self.has_code_card or self.has_passkey


@dataclass(frozen=True, slots=True)
class Identifier:
    """A normalised identifier as somebody typed it."""

    kind: IdentifierKind
    value: str


@dataclass(frozen=True, slots=True)
class Value:
    """A personal value on its way into a sealed cell."""

    claim: str
    value: str
    source: Source = Source.ASSERTED
    verified_by: str | None = None
    verified_how: str | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """How a value that rests in a cell came to be known. `by`: the officer's pseudonym or a register's name, None for the person's word."""

    by: str | None
    how: str | None
    at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Taken:
    """A refusal: another person has this identifier verified."""

    kind: IdentifierKind
