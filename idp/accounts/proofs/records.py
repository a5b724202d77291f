"""What trying a mailed code or a slip can come to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt

ATTEMPTS = 5
"""Tries per code; and new codes are limited per account and day (`limit_message`)."""

SLIP_ATTEMPTS = 100
"""Tries per slip: 100 in 10^10. More than a stranger who knows the account number can make within its fifteen minutes to spoil it."""


class Purpose(StrEnum):
    """What a code proves."""

    ENROL = "enrol"
    RECOVER = "recover"
    FACTOR = "factor"
    SLIP = "slip"
    CONTACT = "contact"


DIGITS = {Purpose.ENROL: 6, Purpose.CONTACT: 6, Purpose.RECOVER: 8, Purpose.FACTOR: 8, Purpose.SLIP: 10}
"""A code that opens an account may be guessed at for years, ten codes a day and five tries each: 18,000 tries a year in 10^6 were 2 %, in
10^8 they are 0.02 %. A budget of wrong tries would let strangers use up what its owner needs. The others prove an address only.
"""


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
