"""How moments and numbers read: "24 Nov 2026, 10.15 WITA". One clock for the whole city, whatever the server's zone is."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal

ZONE = ZoneInfo("Asia/Makassar")
_MOMENT = {"id": "d MMM y, HH.mm 'WITA'", "en": "d MMM y, HH:mm 'WITA'"}
_CLOCK = {"id": "HH.mm", "en": "HH:mm"}


class Formats:
    """Dates, clock times and numbers of one language."""

    def __init__(self, language: str) -> None:
        self.language = language

    def when(self, moment: dt.datetime) -> str:
        """Give an aware moment as "24 Nov 2026, 10.15 WITA"."""
        return format_datetime(moment, _MOMENT[self.language], tzinfo=ZONE, locale=self.language)

    def clock(self, moment: dt.datetime) -> str:
        """Give the clock time alone: "10.15"."""
        return format_datetime(moment, _CLOCK[self.language], tzinfo=ZONE, locale=self.language)

    def day(self, moment: dt.datetime | dt.date) -> str:
        """Give the day: "Selasa, 24 November 2026"."""
        return format_date(local_date(moment), "EEEE, d MMMM y", locale=self.language)

    def date(self, moment: dt.datetime | dt.date) -> str:
        """Give the short date: "24 Nov 2026"."""
        return format_date(local_date(moment), "d MMM y", locale=self.language)

    def brief(self, day: dt.date) -> str:
        """Give the day without its year: "24 Nov"."""
        return format_date(day, "d MMM", locale=self.language)

    def month(self, month: str, *, short: bool = False) -> str:
        """Give "2026-11" as "November 2026", or "Nov" when short."""
        first = dt.date.fromisoformat(f"{month}-01")
        return format_date(first, "MMM" if short else "MMMM y", locale=self.language)

    def number(self, value: float) -> str:
        """Give a number with the language's separators."""
        return format_decimal(value, locale=self.language)


def local_date(moment: dt.datetime | dt.date) -> dt.date:
    """Give the day in the city of an aware moment."""
    return moment.astimezone(ZONE).date() if isinstance(moment, dt.datetime) else moment
