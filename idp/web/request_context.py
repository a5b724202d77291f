"""What is known of a request before any rule is applied: its id, the client's address, the language of its reader."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal, cast

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection
    from starlette.types import Scope

    from idp.settings import Settings

Language = Literal["id", "en"]
LANGUAGES: tuple[Language, ...] = ("id", "en")
LANGUAGE_COOKIE = "gerbang_language"

_ACCEPTED = re.compile(r"\s*([A-Za-z]{1,8})(?:-[A-Za-z0-9-]{1,35})?\s*(?:;\s*q=([01](?:\.\d{0,3})?))?\s*")


def settings_of(request: HTTPConnection) -> Settings:
    """Give the settings of the application that serves this request."""
    return cast("Settings", request.app.state.settings)


def state_of(scope: Scope) -> dict[str, Any]:
    """Give this request's own scratch space, the same that `request.state` shows."""
    return cast("dict[str, Any]", scope.setdefault("state", {}))


def request_id(request: HTTPConnection) -> str:
    """Give the random id under which this request stands in the program's log."""
    return str(state_of(request.scope).get("request_id", "-"))


def client_address(request: HTTPConnection) -> str:
    """Give the address of the client: the connection's peer, or what a trusted proxy stated (`idp.web.proxies`)."""
    return request.client.host if request.client else "unknown"


def wish_language(request: HTTPConnection, ui_locales: str | None) -> None:
    """Remember what the application wishes.

    OIDC Core §3.1.2.1: "a space-separated list of BCP47 [RFC5646] language tag values, ordered by preference".
    """
    for tag in (ui_locales or "").split(" "):
        wished = _supported(tag.partition("-")[0])
        if wished:
            state_of(request.scope)["wished_language"] = wished
            return


def chosen_language(request: HTTPConnection) -> Language | None:
    """Give the language that the reader chose on this very page (`?lang=en`), if any."""
    return _supported(request.query_params.get("lang", ""))


def language(request: HTTPConnection) -> Language:
    """Give the reader's language: chosen now, chosen before, wished by the application, preferred by the browser, else Indonesian."""
    return (
        chosen_language(request)
        or _supported(request.cookies.get(LANGUAGE_COOKIE, ""))
        or _supported(state_of(request.scope).get("wished_language", ""))
        or _preferred(request.headers.get("accept-language", ""))
        or "id"
    )


def _supported(tag: str) -> Language | None:
    return next((known for known in LANGUAGES if known == tag.lower()), None)


def _preferred(accept_language: str) -> Language | None:
    """RFC 9110 §12.5.4: the supported language with the highest weight."""
    weighed: list[tuple[float, Language]] = []
    for item in accept_language[:200].split(","):
        match = _ACCEPTED.fullmatch(item)
        known = _supported(match[1]) if match else None
        if match and known:
            weighed.append((float(match[2] or 1), known))
    best = max(weighed, key=lambda pair: pair[0], default=None)
    return best[1] if best and best[0] > 0 else None
