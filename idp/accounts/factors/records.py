"""What trying a second factor can come to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt

DISABLE_AFTER = 100
"""Failures in a row that disable a factor, unless settings differ. Each needed the right password first: no stranger causes it."""

CARD_CODES = 16
CODE_DIGITS = 8


class Outcome(StrEnum):
    """The answer to one code."""

    PASSED = "passed"
    WRONG = "wrong"
    USED = "used"  # right, but it was used before
    DISABLED = "disabled"  # too many failures, or no such factor


@dataclass(frozen=True, slots=True)
class CodeCard:
    """A printed card, as its owner sees it later: never the codes."""

    created_at: dt.datetime
    left: int
    disabled: bool
