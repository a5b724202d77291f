"""How the citizen is told of reads (ui.md), and the switch "Bekukan pemakaian data" (law.md R14, UU 27/2022 Art. 11)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from consent.access_log.records import Actor, Denied, Entry, Record, Subject
from consent.decision import is_active
from consent.errors import LogUnavailable
from idp.me.names import purpose_versions
from idp.protocol import current_session, page_forms
from idp.protocol.services import services
from idp.wishes.records import CHANNELS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from idp.protocol.services import Services

TOLD: Final = "/me/told"
FREEZE: Final = "/me/freeze"
TOLD_FORM, FREEZE_FORM = "told", "freeze"


async def show_told(request: Request) -> Response:
    """Answer GET /me/told."""
    session = await current_session.required(request)
    found = services(request)
    texts = [(channel, found.renderer.t(request, f"wishes.told.by_{channel}"), None) for channel in CHANNELS]
    done = request.query_params.get("done") == "kept"
    return found.renderer.page(request, "me/told.html", wishes=await found.wishes.of(session.person), channels=texts, done=done)


async def keep_told(request: Request) -> Response:
    """Answer POST /me/told. That officers looked is always told: there is no wish against it."""
    session = await current_session.required(request)
    fields = await page_forms.read(request, TOLD_FORM)
    channel = fields.get("channel", "")
    if channel in CHANNELS:
        await services(request).wishes.tell_by(session.person, channel, digest="digest" in fields)
    return page_forms.see_other(f"{TOLD}?done=kept")


async def show_freeze(request: Request) -> Response:
    """Answer GET /me/freeze: what it means, and for which services a law says otherwise."""
    session = await current_session.required(request)
    found = services(request)
    wishes = await found.wishes.of(session.person)
    return found.renderer.page(request, "me/freeze.html", wishes=wishes, mandatory=await _mandatory(found, session.person))


async def change_freeze(request: Request) -> Response:
    """Answer POST /me/freeze. Freezing works at once, and its entry follows; thawing stands in the history first. Twice is once."""
    session = await current_session.required(request)
    wish = (await page_forms.read(request, FREEZE_FORM)).get("wish")
    found, person = services(request), session.person
    frozen = (await found.wishes.of(person)).frozen_at is not None
    if wish == "on" and not frozen:
        await found.wishes.freeze(person, found.clock())
        await _enter(found, person, "frozen")
    elif wish == "off" and frozen:
        await _enter(found, person, "unfrozen")
        await found.wishes.unfreeze(person)
    return page_forms.see_other("/me/permissions")


async def _enter(found: Services, person: str, outcome: str) -> None:
    record = Record(action="update", legal_ref="UU 27/2022 Art. 11", channel="self", outcome=outcome)
    if isinstance(await found.consent.access_log.append(Entry(record, Subject(person, actor=Actor("citizen")))), Denied):
        raise LogUnavailable("the entry was denied")


async def _mandatory(found: Services, person: str) -> Sequence[tuple[str, str | None]]:
    """Name the connected services that read because a law or a public task says so."""
    now = found.clock()
    grants = [one for one in await found.consent.ledger.of_person(person) if is_active(one, now) and one.basis.value != "a"]
    purposes = await purpose_versions(found, ((one.purpose, one.purpose_version) for one in grants))
    named = {(one.client_name, purposes[key].legal_ref) for one in grants if (key := (one.purpose, one.purpose_version)) in purposes}
    return sorted(named, key=lambda pair: pair[0])
