"""`/healthz` (this process lives) and `/readyz` (it can serve: stores reachable and migrated, the log beyond doubt)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

from idp.protocol import erasure
from idp.protocol.erasure_journal import JournalBroken
from idp.protocol.services import services
from keys.errors import StoreUnavailable
from migrations import standing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from idp.protocol.services import Services
    from keys.database import Database, StoreName


async def healthz(request: Request) -> Response:
    """Answer as long as the event loop turns."""
    del request
    return JSONResponse({"status": "ok"})


async def readyz(request: Request) -> Response:
    """Answer 200, or 503 with every reason and how to mend it."""
    found = services(request)
    reasons = await unready(found)
    if not reasons:
        return JSONResponse({"status": "ready"} | await _notices(found))
    return JSONResponse({"status": "not ready", "reasons": reasons}, 503, {"retry-after": "5"})


async def _notices(found: Services) -> dict[str, list[str]]:
    """Tell what does not keep this process from serving, and must not be forgotten: entries of the log that were lost."""
    try:
        status = await found.consent.access_log.status()
    except StoreUnavailable:  # it went away this very moment: the next question tells
        return {}
    told = [str(said) for said in status.successions if said.kind == "lost"]
    return {"notices": told} if told else {}


async def unready(found: Services) -> list[str]:
    """Say what keeps this process from serving."""
    stores: dict[StoreName, Database] = {"idp": found.database, "consent": found.consent.database, "keys": found.keyring.database}
    reasons = [reason for name, store in stores.items() if (reason := await _store(name, store))]
    if not reasons:
        reasons += await _inside(found)
    if found.consent.access_log.in_doubt:
        reasons.append(f"the access log is in doubt: {found.consent.access_log.in_doubt}; run: idp audit status")
    return reasons


async def _inside(found: Services) -> Sequence[str]:
    """Look at what only whole stores can tell. Files may be put away under a running process, and an open connection still sees them."""
    try:
        return await erasure.unready(found)
    except StoreUnavailable as error:
        return [f"the {error} was there and is gone: put its data back, or start again"]
    except JournalBroken as error:
        return [f"the erasure journal cannot be read at {error}; put a whole copy of it back"]
    except OSError as error:
        return [f"{error.filename or 'the data folder'}: {error.strerror}"]


async def _store(name: StoreName, store: Database) -> str | None:
    if store.replaced and not store.absent:
        return f"the {name} store is another file than this process opened; start again"
    try:
        await standing.require(name, store)
    except standing.NotMigrated as error:
        return f"{error}; run: {error.mend}"
    except StoreUnavailable:
        return f"the {name} store cannot be reached"
    return None
