"""Complaints as staff see them: a list without texts; a text only for a reason that its citizen reads; one answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from starlette.routing import Route

from consent.errors import ChainClosed
from idp.complaints.records import LONGEST, ComplaintState
from idp.handling import rules
from idp.pages.formats import local_date
from idp.protocol import complaints, page_forms, staff
from idp.protocol.services import services
from idp.staff.records import Role
from idp.web import cookies
from idp.web.errors import PageError
from idp.web.request_context import language
from keys.errors import KeyDestroyed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from idp.complaints.records import Complaint
    from idp.protocol.staff import OnDuty

PATH: Final = "/complaints"
OPEN, ANSWER = "complaint-open", "complaint-answer"
_WAITING: Final = (ComplaintState.RECEIVED, ComplaintState.ESCALATED)
_LONGEST_ID: Final = 22


async def waiting(request: Request) -> Response:
    """Answer GET /complaints: what waits for an answer, the one that is due first before others."""
    duty = await _on_duty(request)
    found = services(request)
    agency = None if duty.role is Role.DPO else duty.appointment.agency or ""
    rows = [one for one in await found.complaints.list(*_WAITING, agency=agency) if rules.may_handle(duty.appointment, one)]
    return await _page(request, duty, "list", complaints=rows, now=found.clock(), numbers=await found.complaints.statistics(found.clock()))


async def ask(request: Request) -> Response:
    """Answer GET /complaints/{complaint}: what it is about, and the reason for opening it."""
    duty, complaint = await _theirs(request)
    return await _one(request, duty, complaint)


async def show(request: Request) -> Response:
    """Answer POST /complaints/{complaint}: the text, after the entry that its citizen sees. Raises: LogUnavailable (503)."""
    duty, complaint = await _theirs(request)
    fields = await page_forms.read(request, OPEN)
    reason = rules.reason_of(fields.get("reason", ""))
    if reason is None:
        errors = {"reason": services(request).renderer.t(request, "handling.wrong.reason")}
        return await _one(request, duty, complaint, status=422, errors=errors, fields=fields)
    return await _opened(request, duty, complaint, reason)


async def answer(request: Request) -> Response:
    """Answer POST /complaints/{complaint}/answer; sent twice, the first one stands."""
    duty, complaint = await _theirs(request)
    fields = await page_forms.read(request, ANSWER)
    text = rules.answer_of(fields.get("answer", ""))
    if text is None:
        errors = {"answer": services(request).renderer.t(request, "handling.wrong.answer", most=LONGEST)}
        return await _one(request, duty, complaint, status=422, errors=errors, fields=fields, writing=True)
    if await complaints.is_about(services(request), complaint, duty.actor):
        return await _one(request, duty, complaint, status=403, own=True)
    if complaint.open:
        await complaints.answer(services(request), duty.actor, complaint, text)
    return page_forms.see_other(f"{PATH}/{complaint.id}")


async def _on_duty(request: Request) -> OnDuty:
    duty = await staff.required(request, Role.DPO, Role.OFFICER)
    cookies.ensure_browser(request)
    return duty


async def _theirs(request: Request) -> tuple[OnDuty, Complaint]:
    """Give the complaint in the path if it is theirs to handle; any other does not exist."""
    duty = await _on_duty(request)
    asked = request.path_params["complaint"]
    complaint = await services(request).complaints.get(asked) if len(asked) == _LONGEST_ID and asked.isascii() else None
    own = complaint is not None and complaint.person == duty.session.person  # nobody handles a complaint of their own
    if complaint is None or own or complaint.person is None or not rules.may_handle(duty.appointment, complaint):
        raise PageError("no_complaint", 404, href=PATH)
    return duty, complaint


async def _opened(request: Request, duty: OnDuty, complaint: Complaint, reason: str) -> Response:
    found = services(request)
    try:
        words = await complaints.shown(found, duty.actor, complaint, reason)
        entry = await complaints.entry_at(found, complaint.person or "", words.index)
    except (ChainClosed, KeyDestroyed):  # erased since the list was shown
        raise PageError("no_complaint", 404, href=PATH) from None
    return await _one(request, duty, complaint, words=words, entry=entry, writing=complaint.open)


async def _one(request: Request, duty: OnDuty, complaint: Complaint, *, status: int = 200, **more: Any) -> Response:  # noqa: ANN401
    shown = {"words": None, "entry": None, "writing": False, "own": False, "errors": {}, "fields": {}, "most": LONGEST} | more
    return await _page(request, duty, "one", status=status, complaint=complaint, **shown)


async def _page(request: Request, duty: OnDuty, name: str, *, status: int = 200, **context: Any) -> Response:  # noqa: ANN401
    found, tongue = services(request), language(request)

    def local(text: Mapping[str, str]) -> str:
        return text.get(tongue) or text["id"]

    agencies = {agency.code: local(agency.name) for agency in await found.clients.agencies()}
    purposes = {purpose.id: local(purpose.title) for purpose in await found.consent.purposes.list()}
    context |= {"today": local_date(found.clock()), "agencies": agencies, "purposes": purposes}
    return found.renderer.page(request, f"handling/{name}.html", status=status, desk=duty, **context)


routes = [
    Route(PATH, waiting, methods=["GET"]),
    Route(f"{PATH}/{{complaint}}", ask, methods=["GET"]),
    Route(f"{PATH}/{{complaint}}", show, methods=["POST"]),
    Route(f"{PATH}/{{complaint}}/answer", answer, methods=["POST"]),
]
