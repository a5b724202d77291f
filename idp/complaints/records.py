"""What a complaint looks like. Its texts rest as cells of the citizen, so that they die with the account's keys."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from keys.sealing import Binding

HOURS: Final = dt.timedelta(hours=72)
"""law.md: "three times 24 hours" are 72 running hours from receipt."""

LONGEST: Final = 2000
"""Letters of a text, the citizen's or the answer."""


class ComplaintState(StrEnum):
    """Where a complaint stands."""

    RECEIVED = "received"
    ANSWERED = "answered"
    ESCALATED = "escalated"
    CLOSED = "closed"
    """Its account was erased before an answer: there is nobody left to answer."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """One complaint. `text` and `answer` are sealed; `person`, `entry_id` and both texts are None once the account was erased.

    `by_clock`: it went to the data protection officer because nobody answered in time. `final`: that officer has answered.
    """

    id: str
    number: str
    person: str | None
    entry_id: str | None
    agency: str | None
    state: ComplaintState
    created_at: dt.datetime
    due_at: dt.datetime
    answered_at: dt.datetime | None
    answered_by: str | None
    escalated_at: dt.datetime | None
    by_clock: bool
    final: bool
    text: bytes | None
    answer: bytes | None

    @property
    def open(self) -> bool:
        """Whether an answer is owed."""
        return self.state in {ComplaintState.RECEIVED, ComplaintState.ESCALATED}

    @property
    def may_escalate(self) -> bool:
        """Whether its citizen may still take it to the data protection officer."""
        return self.state is ComplaintState.ANSWERED and not self.final


@dataclass(frozen=True, slots=True)
class NewComplaint:
    """A complaint on its way into the store, its text sealed already under `id`."""

    id: str
    person: str
    entry_id: str
    agency: str | None
    text: bytes


@dataclass(frozen=True, slots=True)
class ComplaintStatistics:
    """Numbers for everybody. `median`: from receipt to the first answer, None before there was one.

    `closed`: without an answer, since the account was erased before.
    """

    received: int
    answered: int
    escalated: int
    late: int
    median: dt.timedelta | None
    closed: int = 0


def binding_of(complaint: str, column: str, person: str) -> Binding:
    """Say where a text rests; sealing binds to it. `column`: "text" or "answer"."""
    return Binding(table="complaints", column=column, row=complaint, person=person)
