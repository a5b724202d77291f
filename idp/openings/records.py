"""What is known of a package of openings; its parts are lines that only the auditor's key opens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import datetime as dt

HOLDS: Final = "gerbang-openings"
"""What the parts of a package say that they hold."""


@dataclass(frozen=True, slots=True)
class Package:
    """One package. `by`: the pseudonym of who proposed it and may fetch it; `opened` of the entries in it open, `left` about people do not.

    `complete`: it covers the whole log up to `end`, and everybody.
    """

    proposal: str
    by: str
    made_at: dt.datetime
    expires_at: dt.datetime
    first: int
    end: int
    opened: int
    left: int
    people: int
    complete: bool
    parts: int
