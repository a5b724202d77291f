"""Headers of every answer: what a browser must not do with our pages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from idp.web.request_context import state_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.requests import HTTPConnection
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

PERMISSIONS = "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()"
_SOURCE = re.compile(r"https?:(//[A-Za-z0-9.\[\]:-]+)?")
HSTS = "max-age=63072000; includeSubDomains"


def allow_form_targets(request: HTTPConnection, uris: Iterable[str]) -> None:
    """Let forms of the page being answered end at these URIs.

    CSP Level 3 §6.4.1: `form-action` governs redirects after a POST too (Chromium blocks them), so the page must name the redirect origin.
    """
    state_of(request.scope).setdefault("form_targets", []).extend(form_target(uri) for uri in uris)


def allow_frames(request: HTTPConnection, uris: Iterable[str]) -> None:
    """Let the page being answered load these URIs in frames: their origins, and no others."""
    state_of(request.scope)["frames"] = [form_target(uri) for uri in uris]


def allow_framing(request: HTTPConnection, origins: Iterable[str]) -> None:
    """Let pages of these origins (CSP sources) frame the page being answered, which must have nothing to click on."""
    state_of(request.scope)["framed_by"] = list(origins)


def form_target(uri: str) -> str:
    """Give the CSP source of a redirect URI: its origin, or its bare scheme for a native application's own one."""
    parts = urlsplit(uri)
    if parts.scheme in {"http", "https"} and parts.hostname:
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else "")
    return f"{parts.scheme}:"


def content_security_policy(form_targets: Iterable[str] = (), *, frames: Iterable[str] = (), framed_by: Iterable[str] = ()) -> str:
    """Write the policy of a page: nothing inline, nothing from elsewhere but `frames`, framed by nobody but `framed_by`."""
    forms = " ".join(dict.fromkeys(("'self'", *form_targets)))
    framed = " ".join(_sources(framed_by)) or "'none'"
    loaded = " ".join(_sources(frames))
    return (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
        f"form-action {forms}; base-uri 'none'; frame-ancestors {framed}{f'; frame-src {loaded}' if loaded else ''}"
    )


def _sources(origins: Iterable[str]) -> Iterable[str]:
    """Keep what can stand in a policy: registered addresses are checked, but one that holds a semicolon would end the directive."""
    return dict.fromkeys(origin for origin in origins if _SOURCE.fullmatch(origin))


class SecurityHeaders:
    """Adds the headers. Endpoints may set their own `Cache-Control` (static files, discovery); everything else is not stored.

    It works on raw header pairs, for it stands in the way of every request.
    """

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        self.app = app
        self._always = [*_ALWAYS, *([(b"strict-transport-security", HSTS.encode())] if secure else [])]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wrap `send`."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._add(message["headers"], scope)
            await send(message)

        await self.app(scope, receive, send_with_headers)

    def _add(self, headers: list[tuple[bytes, bytes]], scope: Scope) -> None:
        given = dict(headers)
        headers.extend(pair for pair in self._always if pair[0] not in given)
        if given.get(b"content-type", b"").startswith(b"text/html"):
            state = state_of(scope)
            framed_by = state.get("framed_by", ())
            policy = content_security_policy(state.get("form_targets", ()), frames=state.get("frames", ()), framed_by=framed_by)
            pages = _FRAMED if framed_by else _PAGES
            headers.extend(pair for pair in ((b"content-security-policy", policy.encode()), *pages) if pair[0] not in given)


_ALWAYS = [(b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer"), (b"cache-control", b"no-store")]
_FRAMED = [(b"permissions-policy", PERMISSIONS.encode())]
_PAGES = [(b"x-frame-options", b"DENY"), *_FRAMED, (b"cross-origin-opener-policy", b"same-origin")]
