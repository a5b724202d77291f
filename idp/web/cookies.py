"""The cookies of this provider: the session, the browser's random id, the chosen language, and the browser state.

Over https their names carry `__Host-` (RFC 6265bis §4.1.3.2: Secure, no Domain, Path=/), so that no other host can set them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from idp.web.request_context import LANGUAGE_COOKIE, chosen_language, settings_of, state_of
from keys.opaque import new_id

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection
    from starlette.responses import Response

    from idp.settings import Settings

YEAR = 365 * 86400

_OPAQUE = re.compile(r"[A-Za-z0-9_-]{16,128}")


def session_token(request: HTTPConnection) -> str | None:
    """Give the opaque session token that the browser sent, if it has the shape of one."""
    return _opaque(request, "session")


def set_session(response: Response, settings: Settings, token: str, *, remembered: bool) -> None:
    """Hand the browser its session. A remembered one survives the browser's end; the other goes with it."""
    _set(response, settings, "session", token, max_age=settings.session_remembered_absolute if remembered else None)
    _set_state(response, settings, new_id())


def clear_session(response: Response, settings: Settings) -> None:
    """Take the session back."""
    response.delete_cookie(cookie_name(settings, "session"), path="/", secure=settings.secure, httponly=True, samesite="lax")
    _set_state(response, settings, new_id())


def browser(request: HTTPConnection) -> str | None:
    """Give the random id of this browser; None when it sent none (first visit, or cookies are off)."""
    return _opaque(request, "browser")


def ensure_browser(request: HTTPConnection) -> str:
    """Give the random id of this browser, making one on its first visit; `attach` sends it."""
    known = browser(request)
    if known is not None:
        return known
    state = state_of(request.scope)
    fresh: str = state.setdefault("fresh_browser", new_id())
    return fresh


def ensure_browser_state(request: HTTPConnection) -> str:
    """Give the state of this browser with us, making one where there is none; `attach` sends it."""
    state = state_of(request.scope)
    known: str | None = state.get("fresh_state") or _opaque(request, "state")
    return known or renew_browser_state(request)


def renew_browser_state(request: HTTPConnection) -> str:
    """Change the state of this browser: somebody signed in or out, or a session was found to be over. `attach` sends it."""
    fresh: str = state_of(request.scope).setdefault("fresh_state", new_id())
    return fresh


def attach(request: HTTPConnection, response: Response) -> None:
    """Set what this request made: a first browser id, a language chosen by the page's switch."""
    settings = settings_of(request)
    fresh = state_of(request.scope).get("fresh_browser")
    if fresh:
        _set(response, settings, "browser", fresh, max_age=YEAR)
    changed = state_of(request.scope).get("fresh_state")
    if changed:
        _set_state(response, settings, changed)
    chosen = chosen_language(request)
    if chosen:
        response.set_cookie(LANGUAGE_COOKIE, chosen, max_age=YEAR, path="/", secure=settings.secure, httponly=True, samesite="lax")


def cookie_name(settings: Settings, noun: str) -> str:
    """Name a cookie of ours."""
    return f"__Host-gerbang_{noun}" if settings.secure else f"gerbang_{noun}"


def _opaque(request: HTTPConnection, noun: str) -> str | None:
    value = request.cookies.get(cookie_name(settings_of(request), noun), "")
    return value if _OPAQUE.fullmatch(value) else None


def _set(response: Response, settings: Settings, noun: str, value: str, *, max_age: int | None) -> None:
    response.set_cookie(
        cookie_name(settings, noun), value, max_age=max_age, path="/", secure=settings.secure, httponly=True, samesite="lax"
    )


def _set_state(response: Response, settings: Settings, value: str) -> None:
    """Session Management §3.2: our script in a frame on an application's page reads it, so it is neither HttpOnly nor SameSite."""
    response.set_cookie(
        cookie_name(settings, "state"),
        value,
        max_age=YEAR,
        path="/",
        secure=settings.secure,
        httponly=False,
        samesite="none" if settings.secure else "lax",
    )
