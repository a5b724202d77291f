"""Searching records (law.md R10, R17): the question and its reason are an entry of the access log before anything is shown."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from consent.access_log.search import Wanted, search
from idp.audit import names, rules
from idp.audit.desk import on_duty, page
from idp.pages.formats import ZONE
from idp.protocol import page_forms, staff
from idp.protocol.services import services
from idp.web import cookies
from idp.web.parameters import query

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from idp.protocol.staff import OnDuty

PATH: Final = "/audit/search"
RESULTS: Final = "/audit/results"
FORM: Final = "audit-search"
PER_PAGE: Final = 50
LOOKS: Final = 1800
"""How long the answer to one question may be looked through, in seconds; then it is asked, and recorded, anew."""
_LONGEST_INDEX: Final = 15


async def form(request: Request) -> Response:
    """Answer GET /audit/search."""
    duty = await on_duty(request)
    return await _form(request, duty, {}, {}, again="again" in request.query_params)


async def submit(request: Request) -> Response:
    """Answer POST /audit/search: record the question, then lead to its answer."""
    duty = await on_duty(request)
    fields = await page_forms.read(request, FORM)
    asked = rules.question(fields)
    if not isinstance(asked, rules.Question):
        return await _form(request, duty, fields, asked, status=422)
    found = services(request)
    await staff.enter(found, duty, asked.on_record)
    days = {name: day.isoformat() for name, day in (("since", asked.since), ("until", asked.until)) if day}
    signed = found.forms.close(_purpose(request, duty), {**asked.filters, **days})  # an officer's name is none for an address
    return page_forms.see_other(f"{RESULTS}?{urlencode({'search': signed})}")


async def results(request: Request) -> Response:
    """Answer GET /audit/results: what a recorded question found, newest first, page by page."""
    duty = await on_duty(request)
    found, sent = services(request), query(request).values
    filters = found.forms.disclosed(_purpose(request, duty), sent.get("search"), LOOKS)
    if filters is None:
        return page_forms.see_other(f"{PATH}?again=1")
    before = _position(sent.get("before", ""))
    answer = await search(found.consent.database, _wanted(filters, before), PER_PAGE)
    known = await names.known(found, request)
    signed = sent["search"]
    return page(
        request,
        duty,
        "audit/results.html",
        rows=names.rows(answer.records, known),
        asked=_asked(request, filters, known),
        looked=answer.looked,
        newest=f"{RESULTS}?{urlencode({'search': signed})}" if before is not None else None,
        onward=f"{RESULTS}?{urlencode({'search': signed, 'before': answer.onward})}" if answer.onward is not None else None,
    )


async def _form(
    request: Request, duty: OnDuty, fields: Mapping[str, str], wrong: Mapping[str, str], *, status: int = 200, again: bool = False
) -> Response:
    found = services(request)

    def t(name: str) -> str:
        return found.renderer.t(request, name)

    cookies.ensure_browser(request)
    known = await names.known(found, request)
    errors = {name: t(sentence) for name, sentence in wrong.items()}
    return page(
        request, duty, "audit/search.html", status=status, fields=fields, errors=errors, again=again, choices=names.choices(known, t)
    )


def _purpose(request: Request, duty: OnDuty) -> str:
    """Bind an answer to the browser and to the member who asked."""
    return f"audit-search/{duty.member.pseudonym}/{cookies.browser(request) or ''}"


def _wanted(filters: Mapping[str, Any], before: int | None) -> Wanted:
    since, until = rules.day_of(filters.get("since", "")), rules.day_of(filters.get("until", ""))
    return Wanted(
        **{name: filters[name] for name in rules.FILTERS if name in filters},
        since=dt.datetime.combine(since, dt.time(), ZONE) if since else None,
        until=dt.datetime.combine(until + dt.timedelta(days=1), dt.time(), ZONE) if until else None,
        before=before,
    )


def _asked(request: Request, filters: Mapping[str, str], known: names.Known) -> list[tuple[str, str, None]]:
    """Say in words what was looked for."""
    found = services(request)

    def t(name: str) -> str:
        return found.renderer.t(request, name)

    offered = names.choices(known, t)
    shown = ((name, dict(offered.get(name, ())).get(value, value)) for name, value in filters.items())
    return [(t(f"staff.filter.{name}"), value, None) for name, value in shown] or [(t("staff.filter.what"), t("staff.filter.all"), None)]


def _position(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST_INDEX else None
