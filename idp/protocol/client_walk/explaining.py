"""RFC 6749 §3.1.2.4, §4.1.2.1: why a request ended at a page instead of going back: sentences for the programmer. Pure.

What strangers send is not repeated on our page, but for what could be a client_id or the name of a parameter.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from idp.clients.records import Client
    from idp.protocol.asked import Asked, PageCode

_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SHOWN: Final = 5
_PROBLEMS: Final = {
    "encoding": "A parameter is not percent-encoded UTF-8.",
    "oversized": "A parameter is longer than this provider takes.",
    "too_many": "There are too many parameters.",
    "content_type": "Send the form as application/x-www-form-urlencoded.",
}


def why(asked: Asked, code: PageCode) -> Sequence[str]:
    """Explain a refusal that is shown as a page."""
    if code in {"bad_request", "request_object"}:
        return tuple(_unreadable(asked))
    if code == "service_unknown":
        return (_unknown(asked.get("client_id")),)
    if code == "service_address" and asked.client is not None:
        return (_address(asked.get("redirect_uri"), asked.client),)
    return ()


def _unreadable(asked: Asked) -> Iterator[str]:
    if asked.parameters.problem:
        yield _PROBLEMS[asked.parameters.problem]
    twice = sorted(name for name in asked.parameters.repeated if _NAME.fullmatch(name))
    if twice:
        yield f"Send each parameter once; these came more than once: {', '.join(twice[:_SHOWN])}."
    if asked.problem is not None:
        yield asked.problem.description


def _unknown(client_id: str | None) -> str:
    if client_id is None:
        return "client_id is missing."
    if not _NAME.fullmatch(client_id):
        return "client_id is not one that this provider gives: letters, digits, dots, hyphens and underscores."
    return f"No application is registered under client_id {client_id}. Sandbox and production have different ones."


def _address(uri: str | None, client: Client) -> str:
    if uri is None:
        return "redirect_uri is missing: send one that is registered, also when there is only one."
    if not client.redirect_uris:
        return "The application has registered no redirect_uri."
    nearest = min((_differences(uri, known) for known in client.redirect_uris), key=len)
    return f"redirect_uri differs from the registered one nearest to it in: {', '.join(nearest)}. Every letter counts."


def _differences(sent: str, known: str) -> list[str]:
    """Name the parts that differ; the registered address itself is the application's affair, and not told to strangers."""
    first, second = _split(sent), _split(known)
    if first is None or second is None:
        return ["scheme", "host", "port", "path", "query", "characters that no URI has"]
    different = [
        name for name in ("scheme", "hostname", "port", "path", "query", "fragment") if getattr(first, name) != getattr(second, name)
    ]
    if different == ["path"] and first.path.rstrip("/") == second.path.rstrip("/"):
        return ["the final slash"]
    if different == ["path"] and first.path.lower() == second.path.lower():
        return ["capital letters of the path"]
    return ["host" if name == "hostname" else name for name in different] or ["capital letters, or a default port"]


def _split(uri: str) -> SplitResult | None:
    try:
        parts = urlsplit(uri)
        parts.port  # noqa: B018 - reading it checks it
    except ValueError:
        return None
    return parts
