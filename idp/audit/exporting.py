"""The export as one file: what `idp audit export` writes. Nothing in it tells a person, and it is an entry first."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from starlette.background import BackgroundTask
from starlette.responses import FileResponse

from consent import export as exporting
from consent.access_log.tree import TreeBroken
from consent.signer import SignerRefused
from idp.audit import rules
from idp.audit.desk import on_duty, page
from idp.audit.offline_page import NAME, offline_page
from idp.pages.formats import local_date
from idp.protocol import page_forms, staff
from idp.protocol.services import services
from idp.web import cookies
from idp.web.errors import PageError

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from idp.protocol.services import Services

PATH: Final = "/audit/export"
FORM: Final = "audit-export"
MOST: Final = 200_000
"""How many entries a browser may fetch at once; a larger log is exported on the command line."""


async def form(request: Request) -> Response:
    """Answer GET /audit/export."""
    duty = await on_duty(request)
    cookies.ensure_browser(request)
    status = await services(request).consent.access_log.status()
    return page(request, duty, "audit/export.html", errors={}, fields={}, size=status.size, most=MOST)


async def submit(request: Request) -> Response:
    """Answer POST /audit/export with a .tar.gz; the reason is on record before."""
    duty = await on_duty(request)
    fields = await page_forms.read(request, FORM)
    found = services(request)
    reason = rules.reason_of(fields.get("reason", ""))
    size = (await found.consent.access_log.status()).size
    if reason is None or size > MOST:
        errors = {"reason": found.renderer.t(request, "staff.wrong.reason")} if reason is None else {}
        return page(request, duty, "audit/export.html", status=422, errors=errors, fields=fields, size=size, most=MOST)
    await staff.enter(found, duty, f"{reason} [export]")
    folder = Path(tempfile.mkdtemp(prefix="gerbang-export-"))
    try:
        packed = await _packed(found, folder)
    except (exporting.ExportRefused, TreeBroken):
        shutil.rmtree(folder, ignore_errors=True)
        raise PageError("unavailable", 503) from None
    except BaseException:  # the store or the disk is away, or the browser is: records must not be left lying about
        shutil.rmtree(folder, ignore_errors=True)
        raise
    name = f"gerbang-log-{local_date(found.clock()).isoformat()}.tar.gz"
    response = FileResponse(packed, filename=name, media_type="application/gzip", background=BackgroundTask(shutil.rmtree, folder, True))
    response.headers["cache-control"] = "no-store"
    return response


async def _packed(found: Services, folder: Path) -> str:
    """Write the export and pack it. Raises: ExportRefused, TreeBroken, StoreUnavailable."""
    key = await found.consent.verifier_key()
    if key is None:
        raise exporting.ExportRefused("no checkpoint was signed yet")
    if found.consent.signer is not None and found.settings.log_signer == "embedded":
        with contextlib.suppress(SignerRefused):  # another signer is at work: what it signed is exported
            await found.consent.signer.sign_once()  # so that the newest entries are in it
    await exporting.export(found.consent.database, folder / "gerbang-log", key)
    (folder / "gerbang-log" / NAME).write_bytes(offline_page())
    return await asyncio.to_thread(shutil.make_archive, str(folder / "gerbang-log"), "gztar", folder, "gerbang-log")
