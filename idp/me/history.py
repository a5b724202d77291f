"""Who read my data: a list by day, filters, bars per month, and the check of authenticity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from idp.me import rules
from idp.me.entries import KINDS, by_day
from idp.me.names import views
from idp.pages.charts import Value, bars, lines
from idp.pages.formats import Formats
from idp.protocol import current_session, page_forms
from idp.protocol.services import services
from idp.web.parameters import query
from idp.web.request_context import language

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from consent.access_log.records import PersonCheck
    from idp.protocol.services import Services

PATH: Final = "/me/history"
PER_PAGE: Final = 20


async def history(request: Request) -> Response:
    """Answer GET /me/history."""
    session = await current_session.required(request)
    return await _page(request, session.person, None)


async def check(request: Request) -> Response:
    """Answer POST /me/history: verify each entry, the chain and the tree, and say in one sentence what came out."""
    session = await current_session.required(request)
    await page_forms.read(request, "history-check")
    return await _page(request, session.person, await services(request).consent.access_log.check_person(session.person))


async def _page(request: Request, person: str, checked: PersonCheck | None) -> Response:
    parts = services(request)
    sent = query(request).values
    known = await _known_services(parts, person)
    filters = rules.chosen(sent, {"client": dict(known), "action": KINDS, "period": rules.PERIODS})
    before = rules.position(sent.get("before", ""))
    found = await parts.consent.access_log.history(
        person,
        limit=PER_PAGE + 1,
        before=before,
        client=filters["client"] or None,
        action=filters["action"] or None,
        since=rules.since(filters["period"], parts.clock()),
    )
    return parts.renderer.page(
        request,
        "me/history.html",
        days=by_day(await views(parts, found[:PER_PAGE])),
        check=checked,
        filters=filters,
        filtered=any(filters.values()),
        services=known,
        newer=_address(filters, None) if before is not None else None,
        older=_address(filters, found[PER_PAGE - 1].index) if len(found) > PER_PAGE else None,
        **_choices(parts, request),
        **await _months(parts, request, person),
        **await _by_service(parts, request, person, dict(known)),
    )


def _address(filters: Mapping[str, str], before: int | None) -> str:
    parameters = {name: value for name, value in {**filters, "before": before}.items() if value}
    return f"{PATH}?{urlencode(parameters)}" if parameters else PATH


async def _known_services(parts: Services, person: str) -> Sequence[tuple[str, str]]:
    """Give the applications that this person ever met, by name, for the filter."""
    met = {grant.client: grant.client_name for grant in await parts.consent.ledger.of_person(person)}
    return sorted(met.items(), key=lambda item: item[1])


def _choices(parts: Services, request: Request) -> dict[str, Any]:
    def t(name: str) -> str:
        return parts.renderer.t(request, name)

    return {
        "kinds": [("", t("history.kind.all")), *((kind, t(f"history.kind.{kind}")) for kind in KINDS)],
        "periods": [(period, t(f"history.period.{period or 'all'}")) for period in rules.PERIODS],
    }


async def _months(parts: Services, request: Request, person: str) -> dict[str, Any]:
    formats = Formats(language(request))
    counts = rules.last_months(await parts.consent.access_log.reads_per_month(person, rules.MONTHS), parts.clock())
    spoken = ", ".join(f"{formats.month(month)}: {formats.number(count)}" for month, count in counts)
    alt = parts.renderer.t(request, "history.months.alt", months=spoken)
    return {
        "ever_read": any(count for _, count in counts),
        "chart": bars([Value(formats.month(month, short=True), count, formats.number(count)) for month, count in counts], alt),
        "month_rows": [(formats.month(month), formats.number(count)) for month, count in counts],
    }


async def _by_service(parts: Services, request: Request, person: str, known: Mapping[str, str]) -> dict[str, Any]:
    """Count the same months by service; one whose name is no longer known is shown by its id."""
    first = rules.first_of_months(parts.clock())
    counts = [(known.get(client, client), count) for client, count in await parts.consent.access_log.reads_per_client(person, first)]
    formats = Formats(language(request))
    spoken = ", ".join(f"{name}: {formats.number(count)}" for name, count in counts)
    return {
        "service_chart": lines(
            [Value(name, count, formats.number(count)) for name, count in counts],
            parts.renderer.t(request, "history.by_service.alt", services=spoken),
        ),
        "service_rows": [(name, formats.number(count)) for name, count in counts],
    }
