"""UU 27/2022 Art. 31, law.md R19: daily counts become public numbers that tell of nobody. Pure.

A count below five is told as "fewer than five", and every other is rounded to a multiple of five: so neither a number nor the difference
between a sum and its parts tells what few people did. Only whole days are told, so that the numbers do not tell when somebody came.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from consent.access_log.counts import REPORTED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from consent.access_log.counts import Activity
    from idp.complaints.records import ComplaintStatistics

DAYS: Final = 30
FEW: Final = 5
READS: Final = frozenset({"disclose"})
LOOKS: Final = frozenset({"consult", "verify", REPORTED})


@dataclass(frozen=True, slots=True)
class Public:
    """A number as the page tells it. `few`: it is 1 to 4."""

    number: int
    few: bool = False

    @classmethod
    def of(cls, count: int) -> Public:
        """Blur a count."""
        if 0 < count < FEW:
            return cls(0, few=True)
        return cls(FEW * ((count + FEW // 2) // FEW))


@dataclass(frozen=True, slots=True)
class AgencyNumbers:
    """What one agency did."""

    code: str
    reads: Public
    looks: Public
    denied: Public
    delayed: Public


@dataclass(frozen=True, slots=True)
class Numbers:
    """All that the page tells, the most first; `days` in the order of time."""

    first: dt.date
    last: dt.date
    reads: Public
    looks: Public
    denied: Public
    audits: Public
    delayed: Public
    agencies: Sequence[AgencyNumbers]
    purposes: Sequence[tuple[str, Public]]
    bases: Sequence[tuple[str, Public]]
    days: Sequence[tuple[dt.date, Public]]


@dataclass(frozen=True, slots=True)
class Complaints:
    """What became of complaints. `median_hours`: from receipt to the first answer; None while fewer than five were answered."""

    received: Public
    answered: Public
    escalated: Public
    late: Public
    median_hours: int | None


def complaints(known: ComplaintStatistics) -> Complaints:
    """Blur the numbers of complaints."""
    told = {name: Public.of(getattr(known, name)) for name in ("received", "answered", "escalated", "late")}
    enough = known.median is not None and known.answered >= FEW
    return Complaints(**told, median_hours=round(known.median / dt.timedelta(hours=1)) if enough and known.median is not None else None)


def period(today: dt.date) -> tuple[dt.date, dt.date]:
    """Give the first and the last day that are told: the thirty before today."""
    return today - dt.timedelta(days=DAYS), today - dt.timedelta(days=1)


def numbers(activities: Iterable[Activity], first: dt.date, last: dt.date, delayed: Mapping[str, int] = MappingProxyType({})) -> Numbers:
    """Add daily counts up and blur the sums. `delayed`: how many of them are shown to their citizen later, by agency."""
    agencies: dict[str, Counter[str]] = {}
    sums, purposes, bases, days = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for one in activities:
        kind = _kind(one.group.action)
        if kind is None:
            continue
        sums[kind] += one.count
        if one.group.agency and kind != "audits":
            agencies.setdefault(one.group.agency, Counter())[kind] += one.count
        if kind == "reads":
            purposes[one.group.purpose] += one.count
            bases[one.group.basis] += one.count
            days[one.group.day] += one.count
    return Numbers(
        first=first,
        last=last,
        **{kind: Public.of(sums[kind]) for kind in ("reads", "looks", "denied", "audits")},
        delayed=Public.of(sum(delayed.values())),
        agencies=sorted(
            (_agency(code, found, delayed.get(code, 0)) for code, found in agencies.items()), key=lambda one: (-one.reads.number, one.code)
        ),
        purposes=_most_first(purposes),
        bases=_most_first(bases),
        days=[(day, Public.of(days[day.isoformat()])) for day in _days(first, last)],
    )


def _kind(action: str) -> str | None:
    if action in READS:
        return "reads"
    if action in LOOKS:
        return "looks"
    return {"denied": "denied", "audit": "audits"}.get(action)


def _agency(code: str, found: Counter[str], delayed: int) -> AgencyNumbers:
    return AgencyNumbers(code, *map(Public.of, (found["reads"], found["looks"], found["denied"], delayed)))


def _most_first(counts: Mapping[str, int]) -> Sequence[tuple[str, Public]]:
    """Order by what is told, so that the order itself tells no more."""
    public = [(name, Public.of(count)) for name, count in counts.items() if name]
    return sorted(public, key=lambda item: (-item[1].number, item[1].few, item[0]))


def _days(first: dt.date, last: dt.date) -> Iterable[dt.date]:
    return (first + dt.timedelta(days=number) for number in range((last - first).days + 1))
