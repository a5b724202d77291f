"""How a request that cannot be answered is answered: a page that leads on for people, one JSON object for programs.

Which texts a page shows is decided in the catalogues by its code (`error.<code>.title`, `.text`, `.way_on`), not here.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.routing import Route

from consent.errors import ChainClosed, LogBusy, LogUnavailable
from idp.web.request_context import request_id
from keys.errors import PoolFull, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

API_PATHS = (
    "/token",
    "/par",
    "/userinfo",
    "/introspect",
    "/report-access",
    "/v2/",
    "/revoke",
    "/device_authorization",
    "/backchannel_authentication",
    "/openapi.json",
    "/register",
    "/register/",
    "/signals/",
    "/log/",
    "/jwks.json",
    "/.well-known/",
    "/healthz",
    "/readyz",
    "/metrics",
)
RETRY_AFTER = 5

_API_CODES = {503: "temporarily_unavailable", 500: "server_error"}
_DESCRIPTIONS = {
    404: "There is nothing at this address.",
    405: "This method is not allowed here; the Allow header names those that are.",
    413: "The request is too large.",
    415: "Send parameters as application/x-www-form-urlencoded in UTF-8.",
    500: "The request could not be completed. Quote the reference to the operator.",
    503: "The service cannot answer right now. Try again after the seconds in Retry-After.",
}
_PAGE_CODES = {404: "not_found", 405: "method", 413: "too_large", 415: "content_type", 500: "unexpected", 503: "unavailable"}


class PageError(Exception):
    """Show the error page `code` with `status`. `values` fill its text; they may hold no personal data and no secrets."""

    def __init__(self, code: str, status: int = 400, **values: Any) -> None:  # noqa: ANN401 - whatever a text shows
        super().__init__(code)
        self.code = code
        self.status = status
        self.values = values


def speaks_json(request: Request) -> bool:
    """Say whether a program asks: a protocol endpoint, or one that accepts JSON and no page."""
    path = request.scope["path"]
    if any(path == api or (api.endswith("/") and path.startswith(api)) for api in API_PATHS):
        return True
    accept = request.headers.get("accept", "")
    return "application/json" in accept and "text/html" not in accept


def refusal(request: Request, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with a plain refusal of the right kind."""
    reference = request_id(request)
    if speaks_json(request):
        description = _DESCRIPTIONS.get(status, "The request cannot be answered as it is.")
        content = {"error": _API_CODES.get(status, "invalid_request"), "error_description": description}
        if status >= 500:  # noqa: PLR2004 - RFC 9110 §15.6: server errors
            content["reference"] = reference
        return JSONResponse(content, status, headers)
    response = _page(request, _PAGE_CODES.get(status, "bad_request"), status, reference=reference)
    response.headers.update(headers or {})
    return response


def _page(request: Request, code: str, status: int, **values: Any) -> Response:  # noqa: ANN401 - as PageError
    page: Response = request.app.state.renderer.page(request, "error/error.html", status=status, code=code, values=values)
    return page


async def _greet(request: Request) -> None:
    """Put the name and the way out of whoever is signed in on a refusal too; it shows without when the stores are away."""
    greet = getattr(request.app.state, "greet", None)
    if greet is None or speaks_json(request) or hasattr(request.state, "viewer"):
        return
    with contextlib.suppress(StoreUnavailable, LogUnavailable, LogBusy):
        await greet(request)


async def page_error(request: Request, error: Exception) -> Response:
    """Answer a PageError; one with `retry_after` says so to programs too."""
    if not isinstance(error, PageError):
        raise error
    await _greet(request)
    response = _page(request, error.code, error.status, **({"reference": request_id(request)} | error.values))
    if "retry_after" in error.values:
        response.headers["retry-after"] = str(error.values["retry_after"])
    return response


async def http_error(request: Request, error: Exception) -> Response:
    """Answer what the router found out (404, 405) or an endpoint raised as HTTPException."""
    if not isinstance(error, HTTPException):
        raise error
    if "location" not in (error.headers or {}):
        await _greet(request)
    if error.status_code == 405:  # noqa: PLR2004 - Method Not Allowed
        return refusal(request, 405, {"allow": ", ".join(sorted(_allowed(request)))})
    return refusal(request, error.status_code, error.headers)


def _allowed(request: Request) -> set[str]:
    """Collect the methods of all routes at this path (RFC 9110 §10.2.1); the router names those of the first one only."""
    routes = [route for route in request.app.router.routes if isinstance(route, Route) and route.path_regex.match(request.scope["path"])]
    return {method for route in routes for method in route.methods or ()}


async def validation_error(request: Request, error: Exception) -> Response:
    """Answer a path or query that a FastAPI operation could not read: what was sent is not repeated."""
    del error
    return refusal(request, 400)


async def unavailable(request: Request, error: Exception) -> Response:
    """Answer 503: nothing was disclosed. RFC 9110 §10.2.3: Retry-After says when to come again."""
    retry_after = getattr(error, "retry_after", RETRY_AFTER)
    return refusal(request, 503, {"retry-after": str(retry_after)})


async def erased(request: Request, error: Exception) -> Response:
    """Answer 404: the account that this was about was erased while the request was on its way."""
    del error
    return refusal(request, 404)


def install(app: Starlette, greet: Callable[[Request], Awaitable[object]] | None = None) -> None:
    """Register the handlers; `greet` finds out whose name stands on a page. Unexpected exceptions are caught by `idp.web.request_log`."""
    app.state.greet = greet
    app.add_exception_handler(PageError, page_error)
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(ChainClosed, erased)
    for error in (StoreUnavailable, LogUnavailable, LogBusy, PoolFull):
        app.add_exception_handler(error, unavailable)
