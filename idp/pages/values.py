"""How a personal value reads to its owner: a NIK by its ends, a birth date in words, an address on one line. For display only."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Final

from babel import Locale, UnknownLocaleError

from idp.pages.formats import Formats
from idp.pages.texts import catalogue

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_ENDS = 4
_ORDER = ("name", "nik", "birthdate", "gender", "address", "email", "phone_number")


def order_of(claim: str) -> tuple[int, str]:
    """Sort kinds of data as people list them: the name first, then the rest by the alphabet."""
    return (_ORDER.index(claim) if claim in _ORDER else len(_ORDER), claim)


def readable(claim: str, value: str, language: str) -> str:
    """Give a stored value as pages show it; one of unknown form is shown as it is."""
    reader = _READERS.get(claim)
    return reader(value, language) if reader else value


def masked(value: str) -> str:
    """Show a number by its first and last four digits: 6471••••••••0003 (law.md: shown so, never logged)."""
    if len(value) <= 2 * _ENDS:
        return value
    return value[:_ENDS] + "•" * (len(value) - 2 * _ENDS) + value[-_ENDS:]


def _language(value: str, language: str) -> str:
    """BCP 47 tags as words: id-ID is Indonesia."""
    try:
        return Locale.parse(value, sep="-").get_language_name(language) or value
    except (ValueError, UnknownLocaleError):
        return value


def _phone(value: str, _: str) -> str:
    """Write an Indonesian number as people do: +6281250000001 as 0812-5000-0001."""
    if not value.startswith("+62"):
        return value
    local = "0" + value.removeprefix("+62")
    return "-".join(local[start : start + _ENDS] for start in range(0, len(local), _ENDS))


def _date(value: str, language: str) -> str:
    try:
        return Formats(language).date(dt.date.fromisoformat(value))
    except ValueError:
        return value


def _address(value: str, _: str) -> str:
    """OIDC Core §5.1.1: `formatted` is the "Full mailing address, formatted for display"; lines become one."""
    try:
        parts = json.loads(value)
    except ValueError:
        return value
    if not isinstance(parts, dict):
        return value
    lines = str(parts.get("formatted") or "\n".join(str(part) for part in parts.values())).splitlines()
    return ", ".join(line.strip() for line in lines if line.strip())


def _word(value: str, language: str) -> str:
    name = f"data.value.{value.lower()}"
    texts = catalogue(language)
    return texts.text(name) if name in texts else value


_READERS: Final[Mapping[str, Callable[[str, str], str]]] = {
    "nik": lambda value, _: masked(value),
    "birthdate": _date,
    "address": _address,
    "locale": _language,
    "phone_number": _phone,
    "gender": _word,
    "email_verified": _word,
    "phone_number_verified": _word,
}
