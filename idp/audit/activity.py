"""Reads over time with unusual days marked, and a profile of each service and each officer. Counts only: no record is opened."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from consent.access_log.activity import between
from consent.access_log.counts import REPORTED
from idp.audit import names, rules
from idp.audit.desk import on_duty, page
from idp.pages.charts import Value, bars, timeline
from idp.pages.formats import Formats, local_date
from idp.protocol.services import services
from idp.web.parameters import query
from idp.web.request_context import language

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from consent.access_log.counts import Activity

KINDS: Final[Mapping[str, frozenset[str]]] = {
    "reads": frozenset({"disclose"}),
    "staff": frozenset({"consult", "verify", "update", "audit", "export"}),
    "reported": frozenset({REPORTED}),
    "denied": frozenset({"denied"}),
}
SORTS: Final = ("reads", "odd", "bulk", "night", "lasting", "denied", "name")


@dataclasses.dataclass(frozen=True, slots=True)
class Asked:
    """What the page shows: how many days, which kind, of which service ("" all), in which order."""

    days: str
    kind: str
    service: str
    sort: str


async def show(request: Request) -> Response:
    """Answer GET /audit/activity."""
    duty = await on_duty(request)
    found = services(request)
    known = await names.known(found, request)
    sent = query(request).values
    asked = _asked(sent)
    last = local_date(found.clock())
    first = last - dt.timedelta(days=rules.PERIODS[asked.days] - 1)
    activities = await between(found.consent.database, first - dt.timedelta(days=rules.BASE_DAYS), last)
    if sent.get("service") in {one.group.client for one in activities} | known.services.keys():  # also one that was removed since
        asked = dataclasses.replace(asked, service=sent["service"])
    own = [one for one in activities if not asked.service or one.group.client == asked.service]
    days = rules.timeline(rules.per_day(own, KINDS[asked.kind]), first, last, running=last)
    return page(
        request,
        duty,
        "audit/activity.html",
        asked=asked,
        periods=list(rules.PERIODS),
        kinds=list(KINDS),
        days=days[::-1],
        odd=[day for day in days if day.odd],
        chart=_chart(request, days),
        known=known,
        **_profiles(request, activities, asked, first, last),
    )


def _asked(sent: Mapping[str, str]) -> Asked:
    """Read the wishes but for the service; whatever is none of the choices is none."""
    offered = {"days": rules.PERIODS, "kind": KINDS, "sort": SORTS}
    default = {"days": "30", "kind": "reads", "sort": "reads"}
    return Asked(service="", **{name: sent[name] if sent.get(name) in choices else default[name] for name, choices in offered.items()})


def _chart(request: Request, days: Sequence[rules.Day]) -> object:
    formats = Formats(language(request))
    t = services(request).renderer.t
    total, odd = sum(day.count for day in days), sum(day.odd for day in days)
    alt = t(request, "staff.activity.alt", total=formats.number(total), odd=odd, days=len(days))
    return timeline([(formats.brief(day.day), day.count, day.odd) for day in days], alt, formats.number)


def _profiles(request: Request, activities: Sequence[Activity], asked: Asked, first: dt.date, last: dt.date) -> dict[str, Any]:
    by_service = rules.profiles(activities, "client", KINDS["reads"], first, last)
    officers = rules.profiles(activities, "officer", KINDS["staff"], first, last)
    ordered = sorted(by_service, key=lambda one: one.name if asked.sort == "name" else (-getattr(one, asked.sort), one.name))
    chosen = next((one for one in by_service if one.name == asked.service), None)
    hours = _hours(request, chosen) if chosen else None
    return {"services": ordered, "officers": officers, "profile": chosen, "hours": hours, "sorts": SORTS}


def _hours(request: Request, profile: rules.Profile) -> object:
    formats = Formats(language(request))
    values = [Value(f"{hour:02d}", count, formats.number(count)) for hour, count in enumerate(profile.hours)]
    spoken = ", ".join(f"{hour:02d}: {count}" for hour, count in enumerate(profile.hours) if count)
    return bars(values, services(request).renderer.t(request, "staff.activity.hours_alt", hours=spoken or "0"))
