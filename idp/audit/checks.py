"""What must not be: withdrawn permissions that a service never acknowledged (law.md R12), keys used more often than the log says (R19)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from consent.access_log.activity import between
from consent.access_log.delayed import newest
from consent.access_log.opening import due_at
from idp.audit import names, rules
from idp.audit.desk import on_duty, page
from idp.pages.formats import local_date
from idp.protocol.services import services

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from consent.access_log.counts import Activity
    from consent.access_log.search import FoundRecord
    from idp.protocol.services import Services

LATE: Final = dt.timedelta(hours=72)
DAYS: Final = 14
DOORS: Final[Mapping[str, frozenset[str]]] = {
    "service": frozenset({"disclose"}),
    "staff": frozenset({"consult", "verify"}),
    "export": frozenset({"export"}),
}
"""Each door that opens values for a receipt, and the entries that give one."""


SHOWN: Final = 100
MOST_ORDERS: Final = 10_000


@dataclass(frozen=True, slots=True)
class DelayedRow:
    """A record that its citizen sees later. `client` is empty where staff decided about an order; `ordered`: an order fits it."""

    index: int
    time: dt.datetime
    action: str
    client: str
    code: str
    law: str
    by: str
    until: dt.datetime | None
    ordered: bool


@dataclass(frozen=True, slots=True)
class Balance:
    """One day of one door: how many entries allowed a read, how many reads were counted. `over`: more reads than entries."""

    day: dt.date
    door: str
    entries: int
    uses: int
    over: bool


async def show(request: Request) -> Response:
    """Answer GET /audit/checks."""
    duty = await on_duty(request)
    found = services(request)
    now = found.clock()
    today = local_date(now)
    first = today - dt.timedelta(days=DAYS)
    activities = await between(found.consent.database, first - dt.timedelta(days=1), today)
    uses = await found.consent.key_uses.between(today - dt.timedelta(days=DAYS + rules.BASE_DAYS), today)
    unwraps = {dt.date.fromisoformat(day): counts.get("unwraps", 0) for day, counts in uses.items()}
    balances = balance(activities, uses, first, today)
    return page(
        request,
        duty,
        "audit/checks.html",
        late=await found.notices.late(now - LATE),
        known=await names.known(found, request),
        balances=balances,
        over=[one for one in balances if one.over],
        unwraps=rules.timeline(unwraps, max(first, min(unwraps, default=today)), today, running=today)[::-1],
        delayed=await _delayed(found),
        orders=[(order, order.state(now).value) for order in await found.consent.delays.newest()],
        now=now,
    )


async def _delayed(found: Services) -> Sequence[DelayedRow]:
    """Give the newest records that are shown later; one that fits no order must not be (law.md R17)."""
    said = await found.consent.delays.newest(MOST_ORDERS)
    orders = {(client, one.code, one.legal_ref, one.until) for one in said for client in (one.client, "")}
    return [_delayed_row(one, orders) for one in await newest(found.consent.database, SHOWN)]


def _delayed_row(one: FoundRecord, orders: Container[tuple[str, str, str, dt.datetime]]) -> DelayedRow:
    record, until = one.record, due_at(one.record)
    delay = record.get("delay") or {}
    code, law, client = str(delay.get("code", "")), str(delay.get("legal_ref", "")), str(record.get("client", ""))
    by = ", ".join(str(delay[name]) for name in ("by", "confirmed_by") if delay.get(name))
    ordered = until is not None and (client, code, law, until) in orders
    return DelayedRow(one.index, one.time, str(record.get("action", "")), client, code, law, by, until, ordered)


def balance(activities: Sequence[Activity], uses: Mapping[str, Mapping[str, int]], first: dt.date, today: dt.date) -> Sequence[Balance]:
    """Compare reads with entries, newest day first: an entry without a read may exist, a read without an entry may not.

    Reads are counted up to half a minute late, so entries of the last hour before a day count too. Today is compared once it is over.
    """
    entries: dict[tuple[dt.date, str], int] = {}
    evening: dict[tuple[dt.date, str], int] = {}
    for one in activities:
        day = dt.date.fromisoformat(one.group.day)
        for door, actions in DOORS.items():
            if one.group.action in actions:
                entries[day, door] = entries.get((day, door), 0) + one.count
                evening[day, door] = evening.get((day, door), 0) + one.hours[-1]
    found = []
    for number in range((today - first).days + 1):
        day = today - dt.timedelta(days=number)
        for door in DOORS:
            used, allowed = uses.get(day.isoformat(), {}).get(door, 0), entries.get((day, door), 0)
            late = evening.get((day - dt.timedelta(days=1), door), 0)
            if used or allowed:
                found.append(Balance(day, door, allowed, used, over=day != today and used > allowed + late))
    return found
