"""What taking one's own files away has in common: how often one may, and the answer that is the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.responses import Response

from idp.pages.formats import local_date
from idp.protocol.services import services
from idp.web.rate_limits import Wait

if TYPE_CHECKING:
    from starlette.requests import Request

MEDIA: Final = {"csv": "text/csv; charset=utf-8; header=present", "json": "application/json"}
"""The kinds of file, with their media types."""


async def must_wait(request: Request, person: str) -> str | None:
    """Count one more file of a person; when these are too many in an hour, give the sentence that says so."""
    found = services(request)
    taken = await found.limits.export(person)
    return found.renderer.t(request, "history.file.wait", wait=taken.lasting) if isinstance(taken, Wait) else None


def as_file(request: Request, content: bytes, stem: str, kind: str) -> Response:
    """Answer with a file that bears the day in its name, and that nobody between keeps."""
    name = f"{stem}-{local_date(services(request).clock()).isoformat()}.{kind}"
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return Response(content, media_type=MEDIA[kind], headers=headers)
