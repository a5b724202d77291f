"""Counts of what the log records, as statistics see them. Pure."""

from __future__ import annotations

import dataclasses
from typing import Final, NamedTuple

HOURS: Final = 24
REPORTED: Final = "reported"
"""What reads that an agency reports are counted as: no door of ours was opened for them, and their officers are named by the agency."""


class Group(NamedTuple):
    """What is counted together; "" where an entry says nothing. `officer` is a pseudonym, `lasting` 1 for reads without a session."""

    day: str
    action: str
    client: str
    agency: str
    purpose: str
    basis: str
    officer: str
    lasting: int


@dataclasses.dataclass(frozen=True, slots=True)
class Activity:
    """How often something was done on one day, by the hours of the city."""

    group: Group
    hours: tuple[int, ...]

    @property
    def count(self) -> int:
        """The whole day's."""
        return sum(self.hours)
