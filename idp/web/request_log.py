"""One line and one count per request, and the last net under it: an unexpected exception becomes a page with a reference.

The line holds no personal data: the route's template instead of the path, no query, no address, no exception message (which may quote).
"""

from __future__ import annotations

import time
import traceback
from typing import TYPE_CHECKING

import structlog
from starlette.requests import Request
from starlette.routing import Route

from idp.web import errors, metrics
from idp.web.request_context import state_of
from keys.opaque import new_id

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger()

_QUIET = frozenset({"/healthz", "/readyz", "/metrics"})


class RequestLog:
    """Names each request, measures it, and answers what nobody else did."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; log when it is over."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state_of(scope)["request_id"] = reference = new_id()
        started = time.perf_counter()
        status = 0

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"].append((b"x-request-id", reference.encode()))
            await send(message)

        try:
            await self.app(scope, receive, send_and_note)
        except Exception as error:  # noqa: BLE001 - the last net: every accident is logged and answered
            _note_fault(error, reference, scope)
            if not status:
                await errors.refusal(Request(scope), 500)(scope, receive, send_and_note)
        finally:
            _note(scope, status, time.perf_counter() - started, reference)


def route_of(scope: Scope) -> str:
    """Give the template of the route that answered, never the path itself: paths may carry ids."""
    endpoint, app = scope.get("endpoint"), scope.get("app")
    if endpoint is None or app is None:
        return "unmatched"
    paths: dict[object, str] = getattr(app.state, "route_paths", None) or _index(app)
    return paths.get(endpoint, "unmatched")


def _index(app: Starlette) -> dict[object, str]:
    """Remember which endpoint answers which template: the router tells a request's endpoint, not its route."""
    paths: dict[object, str] = {route.endpoint: route.path for route in app.router.routes if isinstance(route, Route)}
    app.state.route_paths = paths
    return paths


def _note(scope: Scope, status: int, seconds: float, reference: str) -> None:
    route = route_of(scope)
    metrics.count(scope["method"], route, status, seconds)
    if route not in _QUIET:
        log.info("request", method=scope["method"], route=route, status=status, ms=round(seconds * 1000, 1), request_id=reference)


def _note_fault(error: Exception, reference: str, scope: Scope) -> None:
    frames = [
        f"{frame.filename.rpartition('site-packages/')[2]}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)
    ]
    causes = [type(cause).__name__ for cause in _chain(error)]
    log.error("unexpected", error=" < ".join(causes), frames=frames[-12:], route=route_of(scope), request_id=reference)


def _chain(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found
