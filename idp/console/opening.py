"""Subject openings on the pages of proposals: what the form asks, what whoever decides is shown, making the package, and fetching it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import StreamingResponse

from consent.access_log.tree import TreeBroken
from consent.errors import LogUnavailable
from idp.console import opening_rules, rules
from idp.proposals.records import ProposalKind, ProposalState
from idp.protocol import openings, page_forms, staff
from idp.protocol.openings import Hand, TooMany, Unsettled
from idp.protocol.services import services
from idp.web.errors import PageError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import AsyncIterator, Mapping, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from idp.openings.records import Package
    from idp.proposals.records import Proposal
    from idp.protocol.services import Services

PACKAGE: Final = "/console/proposals/{proposal}/package"
FORM: Final = "opening-package"
NAME: Final = "gerbang-openings-{}.jwe"


async def about(found: Services, fields: Mapping[str, str]) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Read the form: what the proposal is about, and by field which sentence says what is wrong."""
    typed, key, wrong = opening_rules.read(fields)
    if key is None or wrong:
        return {}, wrong
    if typed["client"] and await found.clients.get(typed["client"]) is None:
        return {}, {"client": "staff.wrong.field"}
    return {**typed, "thumbprint": key.thumbprint, "key": json.dumps(dict(key.jwk), sort_keys=True)}, {}


def typed_again(fields: Mapping[str, str], wrong: Mapping[str, str]) -> Mapping[str, str]:
    """Give what is filled in once more after a mistake: a key that was refused is not sent back, whatever it holds."""
    return {**fields, "key": ""} if "key" in wrong else fields


async def applications(found: Services) -> Sequence[tuple[str, str]]:
    """Give the applications that openings may be restricted to."""
    return [(one.id, f"{one.name} ({one.id})") for one in await found.clients.list()]


async def shown(found: Services, proposal: Proposal, state: ProposalState) -> Mapping[str, Any]:
    """Give what the page of a proposal shows of it: the stretch and its size while it waits, the package once it is made."""
    if proposal.kind is not ProposalKind.OPENINGS:
        return {"opening": None}
    what = openings.asked(proposal)
    application = await found.clients.get(what.client) if what.client else None
    known: dict[str, Any] = {"asked": what, "application": application, "entries": None, "most": openings.MOST, "package": None}
    if state in {ProposalState.OPEN, ProposalState.CONFIRMED}:
        try:
            known["entries"] = (await openings.stretch(found, what)).entries
        except (LogUnavailable, TreeBroken):  # before the first checkpoint, or when it is broken, there is nothing to count
            known["entries"] = None
    elif state is ProposalState.DONE:
        known["package"] = await found.openings.get(proposal.id, found.clock())
    return {"opening": known}


async def carry_out(request: Request, proposal: Proposal) -> str | None:
    """Make the package, once, for who proposed it and is an auditor still; or give the name of the sentence why not.

    Raises: LogUnavailable, LogBusy, StoreUnavailable, TreeBroken: nothing was released, and it may be tried again.
    """
    duty = await staff.required(request, *rules.PROPOSERS[ProposalKind.OPENINGS], within=rules.RECENT)
    found = services(request)
    try:
        async with found.proposals.carrying_out(proposal.id, found.clock(), by=duty.member.pseudonym) as taken:
            if taken is None:
                return "late"
            made = await openings.kept(found, taken, Hand(duty.actor, agency=duty.appointment.agency, acr=duty.session.acr))
            if isinstance(made, TooMany):
                await found.proposals.give_back(taken)
                return "many"
    except Unsettled:
        return "unsettled"
    except TreeBroken:
        raise PageError("unavailable", 503) from None
    return None


async def fetch(request: Request) -> Response:
    """Answer POST /console/proposals/<id>/package with the package: to who proposed it and is an auditor still, on record before."""
    duty = await staff.required(request, *rules.PROPOSERS[ProposalKind.OPENINGS], within=rules.RECENT)
    await page_forms.read(request, FORM)
    found, now = services(request), services(request).clock()
    package = await found.openings.get(request.path_params["proposal"], now)
    if package is None or package.by != duty.member.pseudonym:
        raise PageError("not_found", 404)
    await staff.enter(found, duty, f"[fetches openings {package.proposal}: {package.opened} entries of {package.people} people]")
    headers = {"content-disposition": f'attachment; filename="{NAME.format(package.proposal[:8])}"', "cache-control": "no-store"}
    return StreamingResponse(_parts(found, package, now), media_type="application/octet-stream", headers=headers)


async def _parts(found: Services, package: Package, now: dt.datetime) -> AsyncIterator[bytes]:
    """Give the parts; one that is gone meanwhile ends the file, which then does not open as whole."""
    for number in range(package.parts):
        part = await found.openings.part(package.proposal, number, package.by, now)
        if part is None:
            return
        yield part
