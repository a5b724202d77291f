"""By what network attempts are counted: whoever has one line has no more than one count."""

from __future__ import annotations

import ipaddress

import pytest

from idp.web.proxies import TrustedProxies
from idp.web.rate_limits import network_of


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:1:2:3"),  # RFC 6177 §2: a site gets a /64 at the very least, and chooses its addresses
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("fe80::1%eth0", "fe80::2%eth0"),
    ],
)
def test_addresses_of_one_line_count_together(one: str, other: str) -> None:
    assert network_of(one) == network_of(other)


@pytest.mark.parametrize(("one", "other"), [("2001:db8:1:2::1", "2001:db8:1:3::1"), ("198.51.100.7", "198.51.100.8"), ("unknown", "::")])
def test_addresses_of_different_lines_count_apart(one: str, other: str) -> None:
    assert network_of(one) != network_of(other)


def test_a_trusted_proxy_is_known_by_its_mapped_address_too() -> None:
    """RFC 4291 §2.5.5.2: a server that listens on both families sees an IPv4 peer as ::ffff:a.b.c.d."""
    proxies = TrustedProxies(None, [ipaddress.ip_network("10.0.0.0/8")])  # type: ignore[arg-type]
    scope: dict[str, object] = {"headers": [(b"x-forwarded-for", b"6.6.6.6, ::ffff:203.0.113.9, ::ffff:10.0.0.2")]}
    assert proxies._trusts("::ffff:10.0.0.1")
    proxies._rewrite(scope)
    assert scope["client"] == ("203.0.113.9", 0)
