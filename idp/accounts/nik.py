"""The NIK (nomor induk kependudukan): 16 digits, region(6) DDMMYY serial(4), no checksum. Rule of our own, pure.

Known libraries refuse provinces that exist and accept serial 0000. A number is permanent even where the date it encodes is wrong,
so a date that does not fit is a warning and never a refusal.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

LENGTH = 16
WOMEN_OFFSET = 40
PROVINCES = frozenset(
    {
        *range(11, 20), 21,
        *range(31, 37),
        *range(51, 54),
        *range(61, 66),
        *range(71, 77),
        81, 82,
        *range(91, 98),
    }
)  # fmt: skip
"""Two-digit province codes of Kemendagri up to 2026 (four Papuan provinces came in 2022). An unknown one warns."""


@dataclass(frozen=True, slots=True)
class Nik:
    """A well-formed NIK. `warnings` are names of texts: "region", "date", "birthdate"."""

    value: str
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NikRefused:
    """Not a NIK. `reason`: "length", "digits", or "serial"."""

    reason: str


def normalise(text: str) -> str:
    """Drop what people put between the digits."""
    return "".join(c for c in text.strip() if c not in " .-\u2013\u00a0")


def parse(text: str, birthdate: dt.date | None = None) -> Nik | NikRefused:
    """Read a NIK; compare it with the stated birth date when there is one."""
    value = normalise(text)
    if not value.isascii() or not value.isdigit():
        return NikRefused("digits")
    if len(value) != LENGTH:
        return NikRefused("length")
    if value.endswith("0000"):
        return NikRefused("serial")
    return Nik(value, tuple(_warnings(value, birthdate)))


def _warnings(value: str, birthdate: dt.date | None) -> list[str]:
    found = []
    if int(value[:2]) not in PROVINCES:
        found.append("region")
    encoded = _encoded(value)
    if encoded is None:
        found.append("date")
    elif birthdate is not None and encoded != (birthdate.day, birthdate.month, birthdate.year % 100):
        found.append("birthdate")
    return found


def _encoded(value: str) -> tuple[int, int, int] | None:
    day, month, year = int(value[6:8]), int(value[8:10]), int(value[10:12])
    day = day - WOMEN_OFFSET if day > WOMEN_OFFSET else day
    for century in (1900, 2000):
        try:
            dt.date(century + year, month, day)
        except ValueError:
            continue
        return day, month, year
    return None


def masked(value: str) -> str:
    """Show a NIK as law.md asks: `6471••••••••0003`."""
    return f"{value[:4]}{'•' * 8}{value[-4:]}"
