"""Forms of our own pages: read strictly, and only from the browser that the page was shown to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse

from idp.protocol.services import services
from idp.web import cookies
from idp.web.errors import PageError
from idp.web.parameters import page_form

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

OWN_PAGES = ("/me", "/security", "/audit", "/console", "/purposes", "/enrol")
LONGEST_PATH = 300


async def read(request: Request, purpose: str) -> Mapping[str, str]:
    """Give the fields of a form whose token fits this page's purpose and this browser.

    Raises: PageError ("cookies_off", "form_expired", and those of an unreadable body).
    """
    fields = await page_form(request)
    browser = cookies.browser(request)
    if browser is None:
        raise PageError("cookies_off", 400)
    if not services(request).forms.check(purpose, browser, fields.get("form_token")):
        raise PageError("form_expired", 403)
    return fields


def local_path(value: str | None) -> str:
    """Give a path of our own that a sign-in may lead back to; anything else leads home, never to a stranger."""
    if not value or len(value) > LONGEST_PATH or not value.isascii() or not value.isprintable() or "\\" in value:
        return "/"
    path = value.partition("?")[0]
    known = any(path == own or path.startswith(f"{own}/") for own in OWN_PAGES)
    return value if known and "//" not in path and ".." not in path else "/"


def see_other(target: str) -> Response:
    """Lead on after a form (RFC 9110 §15.4.4), so that a reload repeats nothing."""
    return RedirectResponse(target, 303)
