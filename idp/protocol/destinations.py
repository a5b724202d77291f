"""Where requests of ours may go: public addresses of https URLs. OpenID Connect Core §6.2, RFC 9101 §10.4 and RFC 9700 §4 warn of the rest.

Whoever registers an application names addresses that we fetch from: without this, from inside our own network (SSRF). A name is resolved
once, every address it has must be public, and the connection is made to the very address that was checked, so that a second answer of the
same name (DNS rebinding) decides nothing.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import TYPE_CHECKING, Final

import httpx2

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
    """(host, port) to addresses in text. Raises: OSError."""

    Address = ipaddress.IPv4Address | ipaddress.IPv6Address

HTTPS: Final = 443
LAST_PORT: Final = 65535
MAX_URL: Final = 2048
RESOLVING: Final = 32
"""Names that are asked for at once, each in a thread that waits as long as the system does: twice as many as notices are on their way."""
_GLOBAL_UNICAST: Final = ipaddress.ip_network("2000::/3")  # RFC 4291 §2.5.4, IANA: all that was ever handed out
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052 §2.1: the last 32 bits are an IPv4 address
_IPV4: Final = 0xFFFFFFFF


class FetchRefused(Exception):
    """A request of ours that was not made, or whose answer was not taken; its text is a sentence for the programmer at the other end."""


async def resolve(host: str, port: int) -> Sequence[str]:
    """Ask the system's resolver, in threads of its own: names that never answer must not hold up what else resolves. Raises: OSError."""
    loop = asyncio.get_running_loop()
    found = await loop.run_in_executor(_threads(), partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM))
    return [str(item[4][0]) for item in found]


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(RESOLVING, thread_name_prefix="resolver")


def is_public(text: str) -> bool:
    """Tell whether an address is one of the public internet, whatever notation hides an IPv4 address in it."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv4Address):
        return _plainly_public(address)
    hidden = _hidden(address)
    if hidden is not None:
        return _plainly_public(hidden)
    return address in _GLOBAL_UNICAST and _plainly_public(address)


def _plainly_public(address: Address) -> bool:
    """`is_global` alone would let multicast pass."""
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _hidden(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Give the IPv4 address that an IPv6 one leads to: mapped (RFC 4291 §2.5.5.2), 6to4 (RFC 3056 §2), NAT64 (RFC 6052 §2.1)."""
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & _IPV4)
    return address.ipv4_mapped or address.sixtofour


def read_url(url: str) -> httpx2.URL:
    """Read an address to fetch from, with the parser that also makes the request. Raises: FetchRefused."""
    try:
        read = httpx2.URL(url) if len(url) <= MAX_URL else None
    except (httpx2.InvalidURL, ValueError):
        read = None
    if read is None or not read.host:
        raise FetchRefused("The address is no URL, or longer than 2048 characters.")
    if read.scheme != "https":
        raise FetchRefused("The address must start with https://.")
    if not 0 < (read.port or HTTPS) <= LAST_PORT:
        raise FetchRefused("The address names a port that does not exist.")
    if read.userinfo:
        raise FetchRefused("The address must not carry a user name or password.")
    return read


async def address_of(url: httpx2.URL, resolver: Resolver, *, anywhere: bool = False) -> str:
    """Give the one address to connect to. `anywhere`: also in private networks and on this machine.

    Raises: FetchRefused, when the name has no address, or any that is not public: who mixes them tries something.
    """
    try:
        found = await resolver(url.host, url.port or HTTPS)
    except (OSError, UnicodeError):
        found = ()
    if not found:
        raise FetchRefused(f"The host {url.host[:100]} has no address.")
    if not anywhere and not all(is_public(address) for address in found):
        raise FetchRefused(f"The host {url.host[:100]} is not on the public internet.")
    return found[0]


class Pinned(httpx2.AsyncBaseTransport):
    """Connects to the address in the request's extension `address`; TLS and `Host` keep the name of the URL."""

    def __init__(self, inner: httpx2.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request; it must have been given an address."""
        name = request.url.host
        request.extensions = {**request.extensions, "sni_hostname": name}
        request.url = request.url.copy_with(host=request.extensions["address"])
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        """Close what is inside."""
        await self._inner.aclose()
