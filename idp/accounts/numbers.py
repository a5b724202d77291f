"""Account numbers: ten digits that a person can read aloud, with a check digit so that a slip finds nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LENGTH = 10
FIRST = "12345"  # never 0, 6 or 8: those begin telephone numbers


def draw(digits: Callable[[int], str]) -> str:
    """Make a number; `digits(n)` gives n random digits."""
    drawn = digits(LENGTH - 1)
    body = FIRST[int(drawn[0]) % len(FIRST)] + drawn[1:]
    return body + str(_check_digit(body))


def is_number(text: str) -> bool:
    """Tell whether this can be an account number: length, first digit, check digit (Luhn, ISO/IEC 7812-1 Annex B)."""
    return len(text) == LENGTH and text.isascii() and text.isdigit() and text[0] in FIRST and int(text[-1]) == _check_digit(text[:-1])


def _check_digit(body: str) -> int:
    total = 0
    for place, digit in enumerate(reversed(body)):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled  # noqa: PLR2004 - the sum of the two digits
    return -total % 10
