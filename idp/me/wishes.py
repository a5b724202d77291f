"""How the citizen is told of reads (ui.md), and the switch "Bekukan pemakaian data" (law.md R14, UU 27/2022 Art. 11)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from consent.decision import is_active
from idp.me.names import purpose_versions
from idp.protocol import current_session, page_forms
from idp.protocol.services import services
from idp.wishes.records import CHANNELS, Wishes

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
    session, _ = await current_session.owner(request)
    found = services(request)
    texts = [(channel, found.renderer.t(request, f"wishes.told.by_{channel}"), None) for channel in CHANNELS]
    done = request.query_params.get("done") == "kept"
    return found.renderer.page(request, "me/told.html", wishes=await found.wishes.of(session.person), channels=texts, done=done)


async def keep_told(request: Request) -> Response:
    """Answer POST /me/told, only after a fresh sign-in, and tell over every channel: nobody is to silence what tells of them.

    That officers looked is always told: there is no wish against it.
    """
    session, _ = await current_session.owner(request)
    fields = await page_forms.read(request, TOLD_FORM)
    found, wished = services(request), Wishes(fields.get("channel", ""), digest="digest" in fields)
    if wished.channel in CHANNELS and wished != await found.wishes.of(session.person):
        await found.wishes.tell_by(session.person, wished.channel, digest=wished.digest)
        await found.courier.tell(session.person, "told_changed")
    return page_forms.see_other(f"{TOLD}?done=kept")


async def show_freeze(request: Request) -> Response:
    """Answer GET /me/freeze: what it means, and for which services a law says otherwise."""
    session = await current_session.required(request)
    found = services(request)
    freeze = await found.consent.freezes.of(session.person)
    if freeze is not None:
        await current_session.owner(request)
    frozen_at = freeze.frozen_at if freeze else None
    return found.renderer.page(request, "me/freeze.html", frozen_at=frozen_at, mandatory=await _mandatory(found, session.person))


async def change_freeze(request: Request) -> Response:
    """Answer POST /me/freeze. Freezing works at once, even without the log; thawing is the owner's alone. Both are told; twice is once.

    Raises: LogUnavailable, LogBusy when the log cannot take the entry of a thaw: it stays frozen.
    """
    session = await current_session.required(request)
    wish = (await page_forms.read(request, FREEZE_FORM)).get("wish")
    found, person = services(request), session.person
    if wish == "on" and await found.consent.freezes.freeze(person):
        await found.courier.tell(person, "frozen")
    elif wish == "off":
        await current_session.owner(request)
        if await found.consent.freezes.thaw(person):
            await found.courier.tell(person, "thawed")
    return page_forms.see_other("/me/permissions")


async def _mandatory(found: Services, person: str) -> Sequence[tuple[str, str | None]]:
    """Name the connected services that read because a law or a public task says so."""
    now = found.clock()
    grants = [one for one in await found.consent.ledger.of_person(person) if is_active(one, now) and one.basis.value != "a"]
    purposes = await purpose_versions(found, ((one.purpose, one.purpose_version) for one in grants))
    named = {(one.client_name, purposes[key].legal_ref) for one in grants if (key := (one.purpose, one.purpose_version)) in purposes}
    return sorted(named, key=lambda pair: pair[0])
