"""The history to take away (law.md R10, R15): a file with proofs, a sheet, a page to print. Taking it is an entry before it is given."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from consent import history_file
from consent.access_log.leaf import parse_timestamp
from consent.access_log.records import HistoryEntry
from consent.disclosure import Withheld
from consent.errors import LogUnavailable
from idp.me import history_sheet, taking
from idp.me.names import views
from idp.protocol import current_session, page_forms
from idp.protocol.services import services

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from consent.history_file import ProvedEntry
    from consent.own_history import OwnHistory

PATH: Final = "/me/history/file"
FORM: Final = "history-file"
CHANNEL: Final = "history"
KINDS: Final = ("json", "csv", "print")


async def show(request: Request) -> Response:
    """Answer GET /me/history/file: the three ways to take it, and how anybody checks it."""
    await current_session.required(request)
    return _page(request)


async def download(request: Request) -> Response:
    """Answer POST /me/history/file. Raises: LogUnavailable (503) when the export cannot be entered; then nothing is given."""
    session = await current_session.required(request)
    kind = (await page_forms.read(request, FORM)).get("kind", "")
    found = services(request)
    if kind not in KINDS:
        return _page(request)
    wait = await taking.must_wait(request, session.person)
    if wait:
        return _page(request, wait, status=429)
    history = await found.consent.own_histories.of(session.person)
    if history is None:
        return _page(request, found.renderer.t(request, "history.file.early"), status=503)
    entered = await found.consent.disclosure.to_self_export(session.person, [], CHANNEL)
    if isinstance(entered, Withheld):
        raise LogUnavailable(entered.reason)
    if kind == "print":
        return await _printable(request, history)
    writers: dict[str, Callable[[OwnHistory], bytes]] = {"json": _json, "csv": history_sheet.write}
    content = await asyncio.to_thread(writers[kind], history)  # beside the event loop: a long history is work
    return taking.as_file(request, content, "gerbang-riwayat", kind)


def _json(history: OwnHistory) -> bytes:
    return history_file.write(history.entries, history.checkpoint.note, history.key)


async def _printable(request: Request, history: OwnHistory) -> Response:
    found = services(request)
    shown = await views(found, [_entry(proved) for proved in history.entries])
    return found.renderer.page(
        request,
        "me/history_print.html",
        entries=list(zip(shown, history.entries, strict=True)),
        history=history,
        vkey=str(history.key),
        at=found.clock(),
    )


def _entry(proved: ProvedEntry) -> HistoryEntry:
    subject, record = proved.subject, proved.record
    time = parse_timestamp(str(record["time"]))
    return HistoryEntry(proved.index, str(subject["entry_id"]), int(subject["n"]), time, record, subject)


def _page(request: Request, problem: str | None = None, *, status: int = 200) -> Response:
    found = services(request)
    return found.renderer.page(request, "me/history_file.html", status=status, problem=problem, kinds=KINDS)
