"""What a verification found: problems by index, and the verdict. Pure."""

from __future__ import annotations

import bisect
import dataclasses
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consent.succession import Succession
    from consent.verify_openings import Accounts

MOST = 20


@dataclasses.dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, and at which index; -1 when it concerns the log as a whole."""

    index: int
    what: str

    def __str__(self) -> str:
        return self.what if self.index < 0 else f"entry {self.index}: {self.what}"


@dataclasses.dataclass(slots=True)
class Findings:
    """The first problems by index, each index in the order found, those of the whole log after them; the rest are only counted."""

    found: list[Problem] = dataclasses.field(default_factory=list)
    more: int = 0

    def add(self, index: int, what: str) -> None:
        """Note a problem."""
        bisect.insort(self.found, Problem(index, what), key=lambda problem: (problem.index < 0, problem.index))
        if len(self.found) > MOST:
            self.found.pop()
            self.more += 1

    def within(self, first: int, end: int) -> bool:
        """Whether a problem is known of one of these entries."""
        return any(first <= problem.index < end for problem in self.found)


@dataclasses.dataclass(frozen=True, slots=True)
class Verdict:
    """The result. `holds` only when there are no problems; problems of entries stand before those of the whole.

    `successions`: by which entries the log went on under a new key and origin, with what was lost; to be told, whether or not all holds.
    `accounts`: how the entries divide, when openings of subjects were there to tell.
    """

    size: int
    root: bytes
    origin: str
    problems: tuple[Problem, ...]
    more: int = 0
    successions: tuple[Succession, ...] = ()
    accounts: Accounts | None = None

    @property
    def holds(self) -> bool:
        """Whether everything that was checked is as it must be."""
        return not self.problems

    @property
    def first_bad(self) -> int | None:
        """The lowest index that something is wrong with."""
        return next((problem.index for problem in self.problems if problem.index >= 0), None)
