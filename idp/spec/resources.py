"""RFC 8707 §2: the resources for which an access token is asked. Several travel as one parameter value, separated by spaces."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_RESOURCES = 10
_MAX_LENGTH = 1000


def joined(values: Iterable[str]) -> str:
    """Write several resources as one value: a URI holds no space (RFC 3986 §2)."""
    return " ".join(values)


def parse(text: str) -> tuple[str, ...] | None:
    """Read the resources asked for, each once; None when one is no absolute URI without a fragment, or there are too many.

    §2: "Its value MUST be an absolute URI, as specified by Section 4.3 of [RFC3986]. The URI MUST NOT include a fragment component."
    """
    values = tuple(dict.fromkeys(text.split(" "))) if text else ()
    return values if len(values) <= MAX_RESOURCES and all(map(_absolute, values)) else None


def _absolute(uri: str) -> bool:
    if not 0 < len(uri) <= _MAX_LENGTH or not uri.isascii() or not uri.isprintable() or "#" in uri:
        return False
    try:
        parts = urlsplit(uri)
    except ValueError:
        return False
    return bool(parts.scheme) and bool(parts.netloc or parts.path)


def unknown(asked: Iterable[str], registered: Iterable[str], issuer: str) -> tuple[str, ...]:
    """Name the resources that this client may not ask for: it has those it registered, and this provider's own userinfo."""
    known = {*registered, issuer}
    return tuple(value for value in asked if value not in known)


def narrowed(asked: str | None, granted: tuple[str, ...], issuer: str) -> tuple[str, ...] | None:
    """Give the audience of an access token: what was granted, or the part of it that is asked for now (§2.2); None for more than that."""
    have = granted or (issuer,)
    if asked is None:
        return have
    wanted = parse(asked)
    return wanted if wanted and set(wanted) <= set(have) else None
