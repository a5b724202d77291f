"""Who is allowed to say for whom a request comes: proxies in `IDP_TRUSTED_PROXIES`, and nobody else."""

from __future__ import annotations

import functools
import ipaddress
from typing import TYPE_CHECKING

from idp.web import certificates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import ASGIApp, Receive, Scope, Send

    from idp.setting_types import Network


class TrustedProxies:
    """Sets the client's address and scheme from `X-Forwarded-For` and `-Proto` when the peer is a trusted proxy.

    `certificate_header`: where such a proxy, and nobody else, puts the certificate that a client showed it (RFC 9440).
    """

    def __init__(self, app: ASGIApp, networks: Sequence[Network], certificate_header: str | None = None) -> None:
        self.app = app
        self._networks = tuple(networks)
        self._certificate_header = certificate_header.lower().encode() if certificate_header else None
        self._trusts = functools.lru_cache(maxsize=1024)(self._trusted)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Rewrite the scope, then pass on."""
        peer = scope.get("client")
        if scope["type"] == "http" and peer and self._trusts(peer[0]):
            self._rewrite(scope)
        await self.app(scope, receive, send)

    def _rewrite(self, scope: Scope) -> None:
        stated = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
        schemes = [value.decode("latin-1").strip() for name, value in scope["headers"] if name == b"x-forwarded-proto"]
        client = self._client(",".join(stated))
        if client:
            scope["client"] = (client, 0)
        if schemes and schemes[-1] in {"http", "https"}:
            scope["scheme"] = schemes[-1]
        certificates.remove(scope)
        self._put_certificate(scope)

    def _put_certificate(self, scope: Scope) -> None:
        """Take the one header there is; of two, one came from outside, and nobody can tell which."""
        stated = [value for name, value in scope["headers"] if name == self._certificate_header]
        certificate = certificates.read_header(stated[0].decode("latin-1")) if len(stated) == 1 else None
        if certificate is not None:
            certificates.put(scope, certificate)

    def _client(self, stated: str) -> str | None:
        """Give the nearest address that is not a proxy of ours; what stands left of it, or is no address, is hearsay."""
        nearest = None
        for item in reversed(stated.split(",")):
            address = _address(item.strip())
            if address is None:
                break
            nearest = address
            if not self._trusts(address):
                break
        return nearest

    def _trusted(self, address: str) -> bool:
        plain = _address(address)
        return plain is not None and any(ipaddress.ip_address(plain) in network for network in self._networks)


def _address(text: str) -> str | None:
    """Read an address; an IPv4 one that a socket for both families shows as ::ffff:a.b.c.d (RFC 4291 §2.5.5.2) is the IPv4 one."""
    try:
        parsed = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return str(mapped or parsed)
