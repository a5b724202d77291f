"""Rules of enrolling, pure. UU PDP Art. 25 (under 18), law.md (names, identifiers)."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from idp.accounts import identifiers, names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from idp.accounts.records import Identifier

OLDEST = 130
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_LOCAL = re.compile(r"(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4})")


@dataclass(frozen=True, slots=True)
class Who:
    """What the first page asks, understood."""

    name: str
    birthdate: dt.date
    contact: Identifier


def read(fields: Mapping[str, str], today: dt.date) -> Who | Mapping[str, str]:
    """Read the first page; else name the complaint of each field that cannot be used."""
    name = names.normalise(fields.get("name", ""))
    birthdate = parse_birthdate(fields.get("birthdate", ""), today)
    contact = identifiers.contact(fields.get("identifier", ""))
    if name is not None and birthdate is not None and contact is not None:
        return Who(name, birthdate, contact)
    found = {"name": name, "birthdate": birthdate, "identifier": contact}
    return {field: field for field, value in found.items() if value is None}


def parse_birthdate(text: str, today: dt.date) -> dt.date | None:
    """Read `1990-08-17` (what browsers send) or `17-08-1990` (what people type)."""
    text = text.strip()
    if match := _ISO.fullmatch(text):
        year, month, day = match.groups()
    elif match := _LOCAL.fullmatch(text):
        day, month, year = match.groups()
    else:
        return None
    try:
        born = dt.date(int(year), int(month), int(day))
    except ValueError:
        return None
    return born if born <= today and today.year - born.year <= OLDEST else None
