"""ui.md "Staff and auditors", UU 27/2022 Art. 31: what an auditor may ask, how it is put on record, and which days are unusual. Pure."""

from __future__ import annotations

import datetime as dt
import re
import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from consent.access_log.counts import Activity

LEAST_REASON: Final = 10
LONGEST_REASON: Final = 300
ACTIONS: Final = ("disclose", "consult", "verify", "update", "export", "audit", "consent", "denied", "erase", "key", "retention")
BASES: Final = ("a", "b", "c", "d", "e", "f")
FILTERS: Final = ("client", "agency", "purpose", "basis", "claim", "action", "officer")
PERIODS: Final = {"30": 30, "60": 60, "90": 90}

BASE_DAYS: Final = 56
LEAST_DAYS: Final = 6
ODD: Final = 5.0
"""A day is unusual when it lies more than five robust deviations from the median of its like."""
NIGHT: Final = (22, 23, 0, 1, 2, 3, 4)
BULK_LEAST: Final = 20
"""An hour with fewer reads is never a bulk read."""

_NAME: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_OFFICER: Final = re.compile(r"[\w][\w ,./()-]{0,79}")  # a pseudonym, or what an officer was called on the command line
_CASE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ./_-]{2,39}")
_MAD_TO_SIGMA: Final = 1.4826
_WEEKEND: Final = 5


@dataclass(frozen=True, slots=True)
class Question:
    """What an auditor looks for, and why. `filters` holds only what was asked; `since` and `until` are days of the city, both included."""

    reason: str
    filters: Mapping[str, str]
    since: dt.date | None = None
    until: dt.date | None = None

    @property
    def on_record(self) -> str:
        """Give the reason as the entry keeps it, with what was looked for."""
        asked = {**self.filters, "from": self.since, "to": self.until}
        words = "; ".join(f"{name}={value}" for name, value in asked.items() if value)
        return f"{self.reason} [{words or 'everything'}]"


def question(fields: Mapping[str, str]) -> Question | Mapping[str, str]:
    """Read the form of a search; or say, by field, which sentence tells what is wrong."""
    wrong: dict[str, str] = {}
    reason = reason_of(fields.get("reason", ""))
    if reason is None:
        wrong["reason"] = "staff.wrong.reason"
    filters = {name: value for name in FILTERS if (value := fields.get(name, "").strip())}
    for name, value in filters.items():
        if not (_OFFICER if name == "officer" else _NAME).fullmatch(value):
            wrong[name] = f"staff.wrong.{'officer' if name == 'officer' else 'filter'}"
    since, until = day_of(fields.get("since", "")), day_of(fields.get("until", ""))
    for name, day in (("since", since), ("until", until)):
        if day is None and fields.get(name):
            wrong[name] = "staff.wrong.day"
    if since and until and since > until:
        wrong["until"] = "staff.wrong.order"
    return wrong if wrong or reason is None else Question(reason, filters, since, until)


def reason_of(text: str) -> str | None:
    """Give a reason in one line; None when it is too short to be one, or too long to be read."""
    reason = " ".join(text.split())
    return reason if LEAST_REASON <= len(reason) <= LONGEST_REASON else None


def case_of(text: str) -> str | None:
    """Give the number of a case as files carry it; None when it is none."""
    case = " ".join(text.split())
    return case if _CASE.fullmatch(case) else None


def day_of(text: str) -> dt.date | None:
    """Read a day as forms send it; None when it is none that a log could hold."""
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        return None
    return day if dt.date(2000, 1, 1) <= day <= dt.date(2199, 12, 31) else None


@dataclass(frozen=True, slots=True)
class Day:
    """One day of a timeline. `usual`: the median of its like before it, None while too few are known; `odd` says whether it is unusual."""

    day: dt.date
    count: int
    usual: float | None = None
    odd: bool = False


def timeline(counts: Mapping[dt.date, int], first: dt.date, last: dt.date, *, running: dt.date | None = None) -> Sequence[Day]:
    """Judge the days first … last. `counts` reaches `BASE_DAYS` before the first where it can; a day that is missing had none.

    Each day is compared with the days of its kind (working days, or weekends) in the eight weeks before it: m is their median, s the
    larger of 1.4826 times the median of |x - m| (MAD, which a few wild days do not move), √m (what counting alone scatters) and 1. It is
    unusual when |x - m| > 5 s. `running`: the day that is not over, judged only for too much.
    """
    known = min(counts, default=last)
    days = []
    for day in _days(first, last):
        before = [counts.get(one, 0) for one in _days(max(known, day - dt.timedelta(days=BASE_DAYS)), day - dt.timedelta(days=1))
                  if _weekend(one) == _weekend(day)]  # fmt: skip
        count = counts.get(day, 0)
        score, usual = deviation(count, before)
        days.append(Day(day, count, usual, odd=score > ODD or (score < -ODD and day != running)))
    return days


def deviation(count: int, before: Sequence[int]) -> tuple[float, float | None]:
    """Give how many robust deviations a count lies above its like, and their median; (0, None) while there are too few of them."""
    if len(before) < LEAST_DAYS:
        return 0.0, None
    median = statistics.median(before)
    spread = statistics.median([abs(one - median) for one in before])
    return (count - median) / max(_MAD_TO_SIGMA * spread, median**0.5, 1.0), median


@dataclass(slots=True)
class Profile:
    """What one service, or one officer, did in a period."""

    name: str
    reads: int = 0
    night: int = 0
    lasting: int = 0
    denied: int = 0
    peak: int = 0
    peak_day: dt.date | None = None
    bulk: int = 0
    """Hours in which far more was read than is usual for it."""
    hours: list[int] = field(default_factory=lambda: [0] * 24)
    purposes: dict[str, int] = field(default_factory=dict)
    days: dict[dt.date, int] = field(default_factory=dict)
    odd: int = 0


def profiles(activities: Iterable[Activity], by: str, actions: frozenset[str], first: dt.date, last: dt.date) -> Sequence[Profile]:
    """Describe each service ("client") or officer ("officer"), the one that read most first."""
    found: dict[str, Profile] = {}
    hourly: dict[str, dict[tuple[dt.date, int], int]] = {}
    for one in activities:
        name, day = getattr(one.group, by), dt.date.fromisoformat(one.group.day)
        if not name or one.group.action not in actions | {"denied"}:
            continue
        profile = found.setdefault(name, Profile(name))
        if one.group.action in actions:
            profile.days[day] = profile.days.get(day, 0) + one.count
        if day < first:
            continue
        _note(profile, one, actions)
        if one.group.action in actions:
            slots = hourly.setdefault(name, {})
            for hour, count in enumerate(one.hours):
                slots[day, hour] = slots.get((day, hour), 0) + count
    for name, profile in found.items():
        _peaks(profile, hourly.get(name, {}))
        profile.odd = sum(one.odd for one in timeline(profile.days, first, last, running=last))
    return sorted((one for one in found.values() if one.reads or one.denied), key=lambda one: (-one.reads, one.name))


def _note(profile: Profile, one: Activity, actions: frozenset[str]) -> None:
    if one.group.action not in actions:
        profile.denied += one.count
        return
    profile.reads += one.count
    profile.night += sum(one.hours[hour] for hour in NIGHT)
    profile.lasting += one.count if one.group.lasting else 0
    profile.hours = [old + new for old, new in zip(profile.hours, one.hours, strict=True)]
    purpose = one.group.purpose
    profile.purposes[purpose] = profile.purposes.get(purpose, 0) + one.count


def _peaks(profile: Profile, slots: Mapping[tuple[dt.date, int], int]) -> None:
    """Find the busiest hour, and count those that stand out among the hours in which anything was read."""
    busy = [count for count in slots.values() if count]
    if not busy:
        return
    (profile.peak_day, _), profile.peak = max(slots.items(), key=lambda item: item[1])
    profile.bulk = sum(count >= BULK_LEAST and deviation(count, busy)[0] > ODD for count in busy)


def per_day(activities: Iterable[Activity], actions: frozenset[str]) -> dict[dt.date, int]:
    """Add up what was done each day."""
    counts: dict[dt.date, int] = {}
    for one in activities:
        if one.group.action in actions:
            day = dt.date.fromisoformat(one.group.day)
            counts[day] = counts.get(day, 0) + one.count
    return counts


def _days(first: dt.date, last: dt.date) -> Iterable[dt.date]:
    return (first + dt.timedelta(days=number) for number in range((last - first).days + 1))


def _weekend(day: dt.date) -> bool:
    return day.weekday() >= _WEEKEND
