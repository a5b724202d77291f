"""GET /transparansi (law.md R19): public numbers from daily counts, kept for five minutes, and the newest checkpoint with its cosigners."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from starlette.routing import Route

from consent import notes
from consent.access_log.activity import between
from consent.access_log.delayed import per_agency
from idp.pages.charts import Value, lines, timeline
from idp.pages.formats import ZONE, Formats, local_date
from idp.protocol import current_session
from idp.protocol.services import services
from idp.transparency import rules
from idp.web.request_context import language

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markupsafe import Markup
    from starlette.requests import Request
    from starlette.responses import Response

    from consent.access_log.records import CheckpointState
    from idp.protocol.services import Services

PATH: Final = "/transparansi"
KEPT: Final = dt.timedelta(minutes=5)
CHARTED: Final = 10
"""How many agencies the picture shows, those that read most; the table below has all."""


@dataclass(frozen=True, slots=True)
class Told:
    """What was counted, with the names of those it is about by language, until when it may be told again."""

    until: dt.datetime
    numbers: rules.Numbers
    agencies: Mapping[str, Mapping[str, str]]
    purposes: Mapping[str, Mapping[str, str]]
    complaints: rules.Complaints


async def show(request: Request) -> Response:
    """Answer the page; open to all."""
    found = services(request)
    await current_session.greeted(request)
    told = await _told(request, found)
    published = await found.consent.published_checkpoint()
    tongue = language(request)
    agencies = [(_named(told.agencies, one.code, tongue), one) for one in told.numbers.agencies]
    return found.renderer.page(
        request,
        "transparency/transparency.html",
        numbers=told.numbers,
        agencies=agencies,
        agency_chart=_lines(request, [(name, one.reads) for name, one in agencies[:CHARTED]], "agencies"),
        purposes=[(_named(told.purposes, name, tongue), public) for name, public in told.numbers.purposes],
        chart=_timeline(request, told.numbers),
        complaints=told.complaints,
        checkpoint=published,
        cosigners=_cosigners(published),
    )


async def _told(request: Request, found: Services) -> Told:
    """Give the numbers, counted anew when the last ones are five minutes old or of another day."""
    now = found.clock()
    first, last = rules.period(local_date(now))
    kept: Told | None = getattr(request.app.state, "transparency", None)
    if kept is not None and kept.until > now and kept.numbers.last == last:
        return kept
    told = Told(
        now + KEPT,
        rules.numbers(
            await between(found.consent.database, first, last), first, last, await per_agency(found.consent.database, first, last)
        ),
        {agency.code: agency.name for agency in await found.clients.agencies()},
        {purpose.id: purpose.title for purpose in await found.consent.purposes.list()},
        rules.complaints(await found.complaints.statistics(dt.datetime.combine(last + dt.timedelta(days=1), dt.time(), ZONE))),
    )
    request.app.state.transparency = told
    return told


def _named(names: Mapping[str, Mapping[str, str]], name: str, tongue: str) -> str:
    known = names.get(name, {})
    return known.get(tongue) or known.get("id") or name


def _cosigners(published: CheckpointState | None) -> Sequence[str]:
    """Name the witnesses that cosigned the public checkpoint: the first signature is the log's own."""
    if published is None:
        return []
    _, signatures = notes.split(published.note)
    return sorted({one.name for one in signatures[1:]})


def _lines(request: Request, values: Sequence[tuple[str, rules.Public]], what: str) -> Markup:
    formats = Formats(language(request))
    shown = [Value(name, public.number, "<5" if public.few else formats.number(public.number)) for name, public in values]
    spoken = ", ".join(f"{one.label}: {one.said}" for one in shown)
    alt = services(request).renderer.t(request, f"transparency.{what}.alt", all=spoken)
    return lines(shown, alt)


def _timeline(request: Request, numbers: rules.Numbers) -> Markup:
    formats = Formats(language(request))
    alt = services(request).renderer.t(request, "transparency.days.alt", days=len(numbers.days), total=formats.number(numbers.reads.number))
    return timeline([(formats.brief(day), public.number, False) for day, public in numbers.days], alt, formats.number)


routes = [Route(PATH, show, methods=["GET"])]
