"""The kinds of values that settings have: each says what it accepts, and tells what is wrong in a sentence."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import NoDecode

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _issuer(value: str) -> str:
    """OIDC Discovery §3: "URL using the https scheme with no query or fragment component"; http only where no network is crossed."""
    parts = urlsplit(value)
    host = parts.hostname or ""
    if parts.scheme not in {"http", "https"} or not host or parts.query or parts.fragment or parts.username or "?" in value or "#" in value:
        raise ValueError("must be an https URL without query, fragment or user, like https://masuk.balikpapan.go.id")
    if value.endswith("/"):
        raise ValueError("must not end with a slash: clients compare it letter by letter")
    if parts.scheme == "http" and not _is_local(host):
        raise ValueError("must use https: http is allowed for localhost only")
    return value


def _is_local(host: str) -> bool:
    """RFC 6761 §6: names that never leave the machine."""
    return host == "localhost" or host.endswith((".localhost", ".test")) or _is_loopback(host)


def for_trials(host: str) -> bool:
    """Tell whether no citizen can reach a host of this name: this machine, `.test` (RFC 6761 §6.2), `.internal` (ICANN, private use)."""
    return _is_local(host) or host.endswith(".internal")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _database(value: str) -> str:
    if not value.startswith(("sqlite:///", "postgresql://", "postgres://")):
        raise ValueError("must start with sqlite:/// or postgresql://")
    return "postgresql" + value.removeprefix("postgres") if value.startswith("postgres://") else value


def _absolute(value: Path) -> Path:
    return value.expanduser().absolute()


def _networks(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return tuple(ipaddress.ip_network(item.strip()) for item in value.split(",") if item.strip())
    except ValueError as error:
        raise ValueError(f"{error}; write networks like 10.0.0.0/8, ::1") from error


def scheme(*schemes: str) -> AfterValidator:
    """Accept URLs of these schemes only."""

    def check(value: str) -> str:
        if urlsplit(value).scheme not in schemes or not urlsplit(value).hostname:
            raise ValueError(f"must be a URL that starts with {' or '.join(f'{scheme}://' for scheme in schemes)}")
        return value

    return AfterValidator(check)


def _rates(value: object) -> object:
    """Read attempts per seconds: "10/900, 50/86400" is ten in a quarter of an hour and fifty in a day."""
    if not isinstance(value, str):
        return value
    try:
        pairs = [item.split("/") for item in value.split(",") if item.strip()]
        found = tuple((int(allowed), int(window)) for allowed, window in pairs)
    except ValueError:
        found = ()
    if not found or min(min(pair) for pair in found) < 1:
        raise ValueError("must be attempts/seconds, one or several separated by commas, like 10/900, 50/86400")
    if len({window for _, window in found}) < len(found):
        raise ValueError("names one window twice")
    return found


Place = Annotated[Path, AfterValidator(_absolute)]
DatabaseUrl = Annotated[str, AfterValidator(_database)]
Seconds = Annotated[int, Field(gt=0)]
Count = Annotated[int, Field(gt=0)]
Networks = Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_networks)]
Issuer = Annotated[str, AfterValidator(_issuer)]
HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$")]
Rates = Annotated[tuple[tuple[int, int], ...], NoDecode, BeforeValidator(_rates)]
"""Pairs of attempts and a window in seconds, as `10/900, 50/86400`."""
