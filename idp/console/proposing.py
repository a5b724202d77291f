"""Proposals: the list, making one, and deciding (UU 27/2022 Art. 31). What is done stands in the access log before it is done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from idp.console import acts, delaying, opening, rules
from idp.console.rules import EVERYBODY, PROPOSERS, RECENT
from idp.proposals.records import ProposalKind, ProposalState
from idp.protocol import page_forms, staff
from idp.protocol.services import services
from idp.web import cookies
from idp.web.errors import PageError
from keys.opaque import new_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from idp.proposals.records import Proposal
    from idp.protocol.staff import OnDuty

LIST: Final = "/console/proposals"
NEW: Final = "/console/proposals/new/{kind}"
ONE: Final = "/console/proposals/{proposal}"
FORM: Final = "proposal"


async def show_all(request: Request) -> Response:
    """Answer GET /console/proposals."""
    duty = await staff.required(request, *EVERYBODY)
    found, now = services(request), services(request).clock()
    listed = [(one, one.state(now)) for one in await found.proposals.newest()]
    kinds = [kind for kind, roles in PROPOSERS.items() if duty.member.appointment(*roles)]
    return _page(request, duty, "console/proposals.html", listed=listed, kinds=kinds)


async def form(request: Request) -> Response:
    """Answer GET /console/proposals/new/<kind>."""
    kind = _kind(request)
    return await _form(request, await staff.required(request, *PROPOSERS[kind], within=RECENT), kind, {}, {})


async def propose(request: Request) -> Response:
    """Answer POST /console/proposals/new/<kind>."""
    kind = _kind(request)
    duty = await staff.required(request, *PROPOSERS[kind], within=RECENT)
    fields = await page_forms.read(request, FORM)
    found = services(request)
    if kind is ProposalKind.DELAY:
        number, wrong = await delaying.propose(found, duty, fields)
        shown = {**fields, "identifier": ""}  # what was typed of a citizen is not sent back
        return await _form(request, duty, kind, shown, wrong, status=422) if wrong else page_forms.see_other(f"{LIST}/{number}")
    reason = rules.reason_of(fields.get("reason", ""))
    about, wrong = await acts.about(found, kind, fields)
    wrong = {**wrong, **({} if reason else {"reason": "staff.wrong.reason"})}
    if wrong or reason is None:
        return await _form(request, duty, kind, opening.typed_again(fields, wrong), wrong, status=422)
    number, about = new_id(), await acts.pinned(found, kind, about)
    await staff.enter(found, duty, f"{reason} {rules.on_record('proposes', None, kind, about, number)}")
    await found.proposals.propose(kind, about, reason, duty.member.pseudonym, found.clock(), proposal=number)
    return page_forms.see_other(f"{LIST}/{number}")


async def show(request: Request) -> Response:
    """Answer GET /console/proposals/<id>."""
    duty = await staff.required(request, *EVERYBODY, within=RECENT)
    return await _one(request, duty, await _proposal(request))


async def decide(request: Request) -> Response:
    """Answer POST /console/proposals/<id>: confirm, refuse, or carry out."""
    duty = await staff.required(request, *EVERYBODY, within=RECENT)
    fields = await page_forms.read(request, FORM)
    proposal = await _proposal(request)
    if proposal.kind is ProposalKind.DELAY and fields.get("decision") in {"confirm", "open", "end"}:
        said = await delaying.decide(services(request), duty, proposal, fields)
        if said:
            return await _one(request, duty, await _proposal(request), status=delaying.STATUS[said], said=said)
        return page_forms.see_other(f"{LIST}/{proposal.id}")
    steps = {"confirm": _confirm, "refuse": _refuse, "open": _open}
    step = steps.get(fields.get("decision", ""))
    if step is None:
        raise PageError("bad_form", 400)
    return await step(request, duty, proposal)


async def _confirm(request: Request, duty: OnDuty, proposal: Proposal) -> Response:
    found, now = services(request), services(request).clock()
    if rules.barred(proposal, duty.member.pseudonym):
        return await _one(request, duty, proposal, status=403, said="own")
    if proposal.state(now) is not ProposalState.OPEN:
        return await _one(request, duty, proposal, status=409, said="late")
    await _enter(request, duty, "confirms", proposal)
    confirmed = await found.proposals.confirm(proposal.id, duty.member.pseudonym, now)
    if confirmed is None:  # somebody was faster, and the entry is to say so
        await _enter(request, duty, "came too late to confirm", proposal)
        return await _one(request, duty, await _proposal(request), status=409, said="late")
    if confirmed.kind is ProposalKind.PURPOSE:
        return await _approve(request, duty, confirmed)
    return page_forms.see_other(f"{LIST}/{proposal.id}")


async def _refuse(request: Request, duty: OnDuty, proposal: Proposal) -> Response:
    found, now = services(request), services(request).clock()
    if not rules.may_refuse(proposal, duty.member.pseudonym):
        return await _one(request, duty, proposal, status=403, said="own")
    if proposal.state(now) is not ProposalState.OPEN:
        return await _one(request, duty, proposal, status=409, said="late")
    await _enter(request, duty, "refuses", proposal)
    if await found.proposals.refuse(proposal.id, duty.member.pseudonym, now) is None:
        return await _one(request, duty, await _proposal(request), status=409, said="late")
    return page_forms.see_other(f"{LIST}/{proposal.id}")


async def _open(request: Request, duty: OnDuty, proposal: Proposal) -> Response:
    """Carry out what was confirmed: the proposer sees the name once, or a purpose that a crash left waiting is approved."""
    if proposal.kind is ProposalKind.PURPOSE:
        return await _approve(request, duty, proposal)
    if proposal.kind is ProposalKind.OPENINGS:
        said = await opening.carry_out(request, proposal)
        return await _one(request, duty, proposal, status=409, said=said) if said else page_forms.see_other(f"{LIST}/{proposal.id}")
    found = services(request)
    async with found.proposals.carrying_out(proposal.id, found.clock(), by=duty.member.pseudonym) as taken:
        if taken is None:
            return await _one(request, duty, proposal, status=409, said="late")
        name = await acts.name_behind(found, duty, taken)
    return await _one(request, duty, taken, name=name)


async def _approve(request: Request, duty: OnDuty, proposal: Proposal) -> Response:
    """Approve, then mark it done: doing it again after a crash does no harm."""
    found = services(request)
    if proposal.state(found.clock()) is not ProposalState.CONFIRMED:
        return await _one(request, duty, proposal, status=409, said="late")
    if not await acts.approve(found, duty, proposal):
        return await _one(request, duty, proposal, status=409, said="gone")
    await found.proposals.carry_out(proposal.id, found.clock())
    return page_forms.see_other(f"{LIST}/{proposal.id}")


async def _enter(request: Request, duty: OnDuty, did: str, proposal: Proposal) -> None:
    """Put a decision on record. Raises: LogUnavailable, LogBusy."""
    await staff.enter(services(request), duty, rules.on_record(did, proposal, proposal.kind, proposal.subject, proposal.id))


def _kind(request: Request) -> ProposalKind:
    kind = request.path_params["kind"]
    if kind not in set(ProposalKind):
        raise PageError("not_found", 404)
    return ProposalKind(kind)


async def _proposal(request: Request) -> Proposal:
    proposal = await services(request).proposals.get(request.path_params["proposal"])
    if proposal is None:
        raise PageError("not_found", 404)
    return proposal


async def _form(
    request: Request, duty: OnDuty, kind: ProposalKind, fields: Mapping[str, str], wrong: Mapping[str, str], *, status: int = 200
) -> Response:
    found = services(request)
    cookies.ensure_browser(request)
    errors = {name: found.renderer.t(request, sentence) for name, sentence in wrong.items()}
    offered = await acts.offered(found, kind)
    return _page(request, duty, "console/propose.html", status=status, kind=kind.value, fields=fields, errors=errors, offered=offered)


async def _one(
    request: Request, duty: OnDuty, proposal: Proposal, *, status: int = 200, said: str | None = None, name: str | None = None
) -> Response:
    state = proposal.state(services(request).clock())
    mine = duty.member.pseudonym == proposal.by
    may = {
        "confirm": state is ProposalState.OPEN and not rules.barred(proposal, duty.member.pseudonym),
        "refuse": state is ProposalState.OPEN and rules.may_refuse(proposal, duty.member.pseudonym),
        "open": state is ProposalState.CONFIRMED and (mine or proposal.kind is ProposalKind.PURPOSE),
        "end": False,
    }
    applicant = await acts.applicant(services(request), proposal)
    context: dict[str, Any] = {"one": proposal, "state": state.value, "mine": mine, "may": may, "said": said, "name": name}
    context |= {"applicant": applicant, **await opening.shown(services(request), proposal, state)}
    order = await delaying.shown(services(request), duty, proposal, state)
    context |= {**order, "may": may | order.get("delay_may", {})}
    return _page(request, duty, "console/proposal.html", status=status, **context)


def _page(request: Request, duty: OnDuty, template: str, *, status: int = 200, **context: Any) -> Response:  # noqa: ANN401
    return services(request).renderer.page(request, template, status=status, desk=duty, **context)
