"""What trying a mailed code or a slip can come to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt

ATTEMPTS = 5
"""Tries per code: 5 in 10^6 for a mailed code, and a new code is limited per account."""

SLIP_ATTEMPTS = 100
"""Tries per slip: 100 in 10^10. More than a stranger who knows the account number can make within its fifteen minutes to spoil it."""

MAILED_DIGITS = 6
SLIP_DIGITS = 10


class Purpose(StrEnum):
    """What a code proves."""

    ENROL = "enrol"
    RECOVER = "recover"
    FACTOR = "factor"
    SLIP = "slip"
    CONTACT = "contact"


@dataclass(frozen=True, slots=True)
class Proof:
    """A code just made. `id` travels openly; `code` goes to the person only."""

    id: str
    code: str
    expires_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Proven:
    """The code was right, in time, and is now used up. `subject`: a person or an enrolment."""

    subject: str


@dataclass(frozen=True, slots=True)
class NotProven:
    """The code was wrong, late, used, tried too often, or a decoy: the person is told the same in each case."""
