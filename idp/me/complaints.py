"""What seems wrong (law.md R16): a complaint about one entry, with a number and a clock, and where the citizen's complaints stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from idp.complaints.records import LONGEST
from idp.me.complaint_rules import text_of
from idp.me.names import views
from idp.me.rules import is_id
from idp.protocol import complaints, current_session, page_forms
from idp.protocol.services import services
from idp.web.errors import PageError
from idp.web.rate_limits import Wait

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from consent.access_log.records import HistoryEntry
    from idp.complaints.records import Complaint

PATH: Final = "/me/complaints"
HISTORY: Final = "/me/history"
FORM, PASS_ON = "complaint", "complaint-pass-on"
_LONGEST_INDEX: Final = 10**15


async def ask(request: Request) -> Response:
    """Answer GET /me/history/{index}/wrong: what the entry says, and one field; to the complaint when there is one."""
    entry = await _own_entry(request)
    before = await _about(request, entry)
    return page_forms.see_other(f"{PATH}/{before.id}") if before else await _form(request, entry)


async def send(request: Request) -> Response:
    """Answer POST /me/history/{index}/wrong. Sent twice, it is one complaint."""
    entry = await _own_entry(request)
    fields = await page_forms.read(request, FORM)
    found, person = services(request), (await current_session.required(request)).person
    typed = fields.get("text", "")
    text = text_of(typed)
    if text is None:
        return await _form(request, entry, typed, found.renderer.t(request, "complaints.ask.wrong", most=LONGEST), status=422)
    before = await _about(request, entry)
    if before:
        return page_forms.see_other(f"{PATH}/{before.id}")
    taken = await found.limits.complaint(person)
    if isinstance(taken, Wait):
        return await _form(request, entry, typed, found.renderer.t(request, "complaints.ask.wait", wait=taken.lasting), status=429)
    complaint, _ = await complaints.submit(found, person, entry, text)
    return page_forms.see_other(f"{PATH}/{complaint.id}")


async def mine(request: Request) -> Response:
    """Answer GET /me/complaints."""
    session = await current_session.required(request)
    found = services(request)
    return found.renderer.page(request, "me/complaints.html", complaints=await found.complaints.of_person(session.person))


async def one(request: Request) -> Response:
    """Answer GET /me/complaints/{complaint}."""
    complaint = await _own(request)
    found = services(request)
    words = await complaints.own_words(found, complaint)
    entry = await complaints.entry_at(found, complaint.person or "", words.index)
    view = (await views(found, [entry]))[0] if entry else None
    return found.renderer.page(request, "me/complaint.html", complaint=complaint, words=words, entry=view)


async def pass_on(request: Request) -> Response:
    """Answer POST /me/complaints/{complaint}: whom the answer does not satisfy takes it to the data protection officer; twice is once."""
    complaint = await _own(request)
    await page_forms.read(request, PASS_ON)
    if complaint.may_escalate:
        await complaints.escalate(services(request), complaint)
    return page_forms.see_other(f"{PATH}/{complaint.id}")


async def _own_entry(request: Request) -> HistoryEntry:
    """Give the entry in the path if it is the citizen's own; anybody else's does not exist."""
    session = await current_session.required(request)
    index = request.path_params["index"]
    entry = await complaints.entry_at(services(request), session.person, index) if index < _LONGEST_INDEX else None
    if entry is None:
        raise PageError("no_entry", 404, href=HISTORY)
    return entry


async def _own(request: Request) -> Complaint:
    session = await current_session.required(request)
    asked = request.path_params["complaint"]
    complaint = await services(request).complaints.get(asked) if is_id(asked) else None
    if complaint is None or complaint.person != session.person:
        raise PageError("no_complaint", 404, href=PATH)
    return complaint


async def _about(request: Request, entry: HistoryEntry) -> Complaint | None:
    session = await current_session.required(request)
    return await services(request).complaints.about(session.person, entry.entry_id)


async def _form(request: Request, entry: HistoryEntry, typed: str = "", error: str | None = None, *, status: int = 200) -> Response:
    found = services(request)
    view = (await views(found, [entry]))[0]
    errors = {"text": error} if error else {}
    return found.renderer.page(request, "me/complaint_form.html", status=status, entry=view, typed=typed, errors=errors, most=LONGEST)
