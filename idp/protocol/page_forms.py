"""Forms of our own pages: read strictly, and only from the browser that the page was shown to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse
from starlette.routing import Route

from idp.protocol.services import services
from idp.web import cookies
from idp.web.errors import PageError
from idp.web.parameters import page_form

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

OWN_PAGES = ("/me", "/security", "/audit", "/console", "/purposes", "/enrol", "/complaints")
LONGEST_PATH = 300


async def read(request: Request, purpose: str) -> Mapping[str, str]:
    """Give the fields of a form whose token fits this page's purpose and this browser.

    Raises: PageError ("cookies_off", "form_expired", and those of an unreadable body).
    """
    try:
        fields = await page_form(request)
    except PageError as error:
        raise PageError(error.code, error.status, **{"href": its_page(request)} | error.values) from None
    browser = cookies.browser(request)
    if browser is None:
        raise PageError("cookies_off", 400, href=its_page(request))
    if not services(request).forms.check(purpose, browser, fields.get("form_token")):
        raise PageError("form_expired", 403, href=its_page(request))
    return fields


def its_page(request: Request) -> str:
    """Give the address where the form stands, to be filled in once more: its own where that is a page too, else the page above it."""
    path = request.url.path
    if not any("GET" in (route.methods or ()) for route in _routes_of(request, path)):
        return next((own for own in OWN_PAGES if path.startswith(f"{own}/")), "/")
    return f"{path}?{request.url.query}" if request.url.query else path


def _routes_of(request: Request, path: str) -> list[Route]:
    return [route for route in request.app.router.routes if isinstance(route, Route) and route.path_regex.match(path)]


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
