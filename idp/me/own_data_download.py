"""/me/data/file (law.md R15): one's own data to take away, as one file for people and one for programs. Taking it is an entry first.

The answer to the form is the file: nothing is kept to be fetched a second time, and no address leads to it. A sign-in of the last
minutes is asked for, since the file holds what pages show by its ends only, and its owner is told at once.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from consent.disclosure import Withheld
from consent.errors import LogUnavailable
from idp.me import own_data, own_data_file, own_data_sheet, taking
from idp.protocol import current_session, page_forms
from idp.protocol.services import services
from idp.web.errors import PageError
from idp.web.request_context import language

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from idp.me.own_data import Kept
    from idp.protocol.services import Services

PATH: Final = "/me/data/file"
FORM: Final = "own-data-file"
CHANNEL: Final = "own_data"


async def show(request: Request) -> Response:
    """Answer GET /me/data/file: the two files, and what is in them."""
    await current_session.fresh(request)
    return _page(request)


async def download(request: Request) -> Response:
    """Answer POST /me/data/file. Raises: LogUnavailable (503) when the export cannot be entered; then nothing is opened."""
    session = await current_session.fresh(request)
    kind = (await page_forms.read(request, FORM)).get("kind", "")
    found = services(request)
    if kind not in taking.MEDIA:
        return _page(request)
    wait = await taking.must_wait(request, session.person)
    if wait:
        return _page(request, wait, status=429)
    account = await found.accounts.get(session.person)
    if account is None:
        raise PageError("not_found", 404)
    kept = await own_data.gather(found, account)
    opened = await found.consent.disclosure.to_self_export(session.person, kept.cells, CHANNEL)
    if isinstance(opened, Withheld):
        raise LogUnavailable(opened.reason)
    await found.courier.tell(session.person, "data_taken")
    content = await asyncio.to_thread(_write, found, kept, list(opened.values), kind, language(request))
    return taking.as_file(request, content, "gerbang-data", kind)


def _write(found: Services, kept: Kept, opened: list[str], kind: str, spoken: str) -> bytes:
    settings = found.settings
    issued = own_data_file.Issued(settings.issuer, settings.operator_name, settings.dpo_contact, found.clock())
    content = own_data_file.content_of(kept, opened, issued)
    if kind == "json":
        return own_data_file.write(content)
    values = {cell.claim: value for cell, value in zip(kept.cells, opened, strict=True)}
    return own_data_sheet.write(content, values, spoken)


def _page(request: Request, problem: str | None = None, *, status: int = 200) -> Response:
    found = services(request)
    return found.renderer.page(request, "me/own_data_file.html", status=status, problem=problem, kinds=taking.MEDIA)
