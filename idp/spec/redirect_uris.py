"""RFC 6749 §3.1.2, RFC 8252 §7, RFC 9700 §2.1: which redirect URIs may be registered, and when a request's one is a registered one."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_LENGTH = 2000
_ALLOWED = re.compile(r"[A-Za-z0-9\-._~:/?\[\]@!$&'()*+,;=%]+")  # RFC 3986 §2: no space, quote, backslash or control character
_HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+")  # RFC 1123 §2.1, RFC 3986 §3.2.2: what stands in it stands in our CSP
_PRIVATE_SCHEME = re.compile(r"[a-z][a-z0-9+\-]*(\.[a-z0-9+\-]+)+")  # RFC 8252 §7.1: a reversed domain name


def why_not(uri: str, *, native: bool) -> str | None:
    """Say why a URI may not be registered; None when it may."""
    if "#" in uri:
        return "it has a fragment (RFC 6749 §3.1.2: the endpoint URI must not include one)"
    if len(uri) > MAX_LENGTH or not _ALLOWED.fullmatch(uri):
        return "it is too long, or has characters that must be percent-encoded"
    parts = _split(uri)
    if parts is None or not parts.scheme:
        return "it is not an absolute URI"
    if parts.username is not None or "*" in parts.netloc:
        return "it names a user, or a wildcard"
    return _scheme_problem(parts, native=native)


def _scheme_problem(parts: SplitResult, *, native: bool) -> str | None:
    if parts.scheme in {"http", "https"} and not _HOST.fullmatch(parts.hostname or ""):
        return "it names no host, or one with characters that no host has"
    if parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname)):
        return None
    if parts.scheme == "http":
        return "it is not https (http is allowed on this machine's own address only)"
    if native and _PRIVATE_SCHEME.fullmatch(parts.scheme):
        return None
    return "its scheme is neither https nor, for a native application, a reversed domain name like id.go.kota.aplikasi"


def is_loopback(host: str | None) -> bool:
    """Tell whether a host is this machine: localhost, 127.0.0.0/8 or ::1."""
    if host == "localhost":
        return True
    try:
        return host is not None and ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def registered(uri: str, redirect_uris: Iterable[str], *, native: bool) -> bool:
    """Tell whether a request's redirect URI is a registered one, letter by letter.

    RFC 9700 §2.1: "authorization servers MUST utilize exact string matching except for port numbers in localhost redirection URIs of native
    apps". RFC 8252 §7.3 grants it to loopback IP literals, and advises against the name localhost.
    """
    known = list(redirect_uris)
    if uri in known:
        return True
    return native and any(_same_but_port(uri, candidate) for candidate in known)


def _same_but_port(uri: str, candidate: str) -> bool:
    asked, known = _split(uri), _split(candidate)
    if asked is None or known is None or known.scheme != "http" or known.hostname == "localhost" or not is_loopback(known.hostname):
        return False
    return _without_port(asked) == _without_port(known)


def _without_port(parts: SplitResult) -> tuple[str, str | None, str | None, str, str, str]:
    return parts.scheme, parts.username, parts.hostname, parts.path, parts.query, parts.fragment


def _split(uri: str) -> SplitResult | None:
    try:
        parts = urlsplit(uri)
        parts.port  # noqa: B018 - reading it checks it
    except ValueError:
        return None
    return parts


def origin_of(uri: str) -> str | None:
    """Give the web origin of an http(s) URI as a browser writes it (RFC 6454 §6.2), None for another scheme."""
    parts = _split(uri)
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    default = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port not in {None, default} else "")
