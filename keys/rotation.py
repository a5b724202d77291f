"""When signing keys are pending, active, retired and removed. Pure: the times in, the states out.

A key is known to every process by its row alone, so that all of them, reading the same clock, agree without a word:
pending before its `not_before` (published, so that services have it before the first signature); active from then until its
successor's `not_before`; retired (verifies, signs nothing) for `retired` longer; then removed. The last key of an algorithm
stays active however old it is: there is always one to sign with.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


class KeyState(StrEnum):
    """The four states, in their order."""

    PENDING = "pending"
    ACTIVE = "active"
    RETIRED = "retired"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long a key is published before it signs, signs, and verifies afterwards."""

    pending: dt.timedelta = dt.timedelta(days=1)
    active: dt.timedelta = dt.timedelta(days=90)
    retired: dt.timedelta = dt.timedelta(days=30)


class Timed(Protocol):
    """A key's times."""

    @property
    def not_before(self) -> dt.datetime:
        """From when it signs."""

    @property
    def removed_at(self) -> dt.datetime | None:
        """When it was removed."""


@dataclass(frozen=True, slots=True)
class Span:
    """The times of one key among its siblings: when it stops signing, and verifying (None: not decided yet)."""

    not_before: dt.datetime
    retires_at: dt.datetime | None
    removes_at: dt.datetime | None
    removed: bool

    def state(self, now: dt.datetime) -> KeyState:
        """Tell the state at `now`."""
        if self.removed or (self.removes_at is not None and self.removes_at <= now):
            return KeyState.REMOVED
        if self.retires_at is not None and self.retires_at <= now:
            return KeyState.RETIRED
        return KeyState.PENDING if self.not_before > now else KeyState.ACTIVE


def spans(keys: Sequence[Timed], lifetimes: Lifetimes) -> list[Span]:
    """Give the span of each key of one algorithm; `keys` in the order in which they were made."""
    found = []
    for number, key in enumerate(keys):
        later = [other.not_before for other in keys[number + 1 :]]
        retires_at = max(min(later), key.not_before) if later else None
        removes_at = key.removed_at or (retires_at + lifetimes.retired if retires_at else None)
        found.append(Span(key.not_before, retires_at, removes_at, key.removed_at is not None))
    return found


def successor_start(keys: Sequence[Timed], now: dt.datetime, lifetimes: Lifetimes) -> dt.datetime | None:
    """Tell from when a key that is due to be made now shall sign; None when none is due.

    The first key of all signs at once: nobody can have an older set.
    """
    living = [key for key in keys if key.removed_at is None]
    if not living:
        return now
    ends = living[-1].not_before + lifetimes.active
    return max(ends, now + lifetimes.pending) if now >= ends - lifetimes.pending else None
