"""Whatever anybody sends as a DPoP proof, assertion or certificate is read or refused: no other exception, and nothing forged passes."""

from __future__ import annotations

import base64
import datetime as dt
import ipaddress
import json
from typing import Any

import pytest
from cryptography import x509
from hypothesis import example, given
from hypothesis import strategies as st
from joserfc.jwk import ECKey

from idp.protocol.destinations import FetchRefused, is_public, read_url
from idp.spec import client_assertion, dpop
from idp.web.certificates import read_header
from keys.errors import TokenInvalid
from keys.proofs import verify_possession
from tests.support.certificates import issue
from tests.support.proofs import encode, sign

KEY = ECKey.generate_key("P-256", private=True)
HEADER = {"typ": "dpop+jwt", "alg": "ES256", "jwk": KEY.as_dict(private=False)}
NOW = 1_795_000_000
CLAIMS = {"jti": "j", "htm": "GET", "htu": "https://op.test/userinfo", "iat": NOW, "ath": dpop.hash_of("token")}
GOOD = sign(KEY, HEADER, CLAIMS)
EXPECTED = dpop.Expected("GET", ["https://op.test/userinfo"], "token")
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
ANYTHING = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3))


def _verify(token: str) -> None:
    verify_possession(token, algorithms=dpop.ALGORITHMS, type=dpop.TYPE)


@given(st.text(max_size=300) | st.lists(st.text(alphabet="ABCabc012_-=", max_size=40), max_size=6).map(".".join))
@example("..")
@example("\ud800.\ud800.")
def test_any_text_is_refused(text: str) -> None:
    with pytest.raises(TokenInvalid):
        _verify(text)


@given(st.dictionaries(st.sampled_from(["typ", "alg", "jwk", "crit", "kid", "b64", "x"]), ANYTHING))
def test_any_header_over_a_good_signature_is_refused(header: dict[str, Any]) -> None:
    _, body, signature = GOOD.split(".")
    with pytest.raises(TokenInvalid):
        _verify(f"{encode(json.dumps(HEADER | header | {'x': 1}).encode())}.{body}.{signature}")


@given(st.dictionaries(st.sampled_from(["kty", "crv", "x", "y", "n", "e", "d", "k", "alg", "use", "key_ops"]), ANYTHING))
def test_any_key_in_the_header_is_refused_or_fails(jwk: dict[str, Any]) -> None:
    _, body, signature = GOOD.split(".")
    with pytest.raises(TokenInvalid):
        _verify(f"{encode(json.dumps({**HEADER, 'jwk': jwk}).encode())}.{body}.{signature}")


@given(st.integers(min_value=0, max_value=len(GOOD) - 1), st.sampled_from("ABCDabcd0189_-.=+/ "))
def test_no_letter_can_be_changed(place: int, letter: str) -> None:
    changed = GOOD[:place] + letter + GOOD[place + 1 :]
    if changed == GOOD:
        _verify(changed)
        return
    with pytest.raises(TokenInvalid):
        _verify(changed)


@given(st.dictionaries(st.sampled_from([*CLAIMS, "nonce", "exp", "nbf"]), ANYTHING))
def test_any_claims_are_read_or_refused_in_words(changes: dict[str, Any]) -> None:
    claims = CLAIMS | changes
    found = dpop.read(claims, EXPECTED, now=NOW)
    if isinstance(found, str):
        assert found
        return
    assert abs(int(claims["iat"]) - NOW) <= dpop.FRESH
    assert (claims["htm"], claims["ath"]) == ("GET", CLAIMS["ath"])
    assert dpop.normalized(claims["htu"]) == "https://op.test/userinfo"
    assert found.until >= NOW


@given(st.text(max_size=80) | st.from_regex(r"\Ahttps?://[a-zA-Z0-9.\[\]:@%-]{0,30}(/[a-z?#%]{0,10})?\Z"))
def test_normalising_an_address_never_fails_and_is_done_after_once(htu: str) -> None:
    once = dpop.normalized(htu)
    assert once is None or dpop.normalized(once) == once


@given(st.dictionaries(st.sampled_from(["iss", "sub", "aud", "exp", "iat", "nbf", "jti"]), ANYTHING), st.booleans())
def test_any_assertion_is_read_or_refused_in_words(changes: dict[str, Any], single: bool) -> None:  # noqa: FBT001 - drawn
    claims = {"iss": "app", "sub": "app", "aud": "https://op.test", "exp": NOW + 60, "jti": "j"} | changes
    found = client_assertion.read(claims, client_id="app", audiences=["https://op.test"], now=NOW, single=single)
    if not isinstance(found, str):
        assert (claims["iss"], claims["sub"]) == ("app", "app")
        assert claims["aud"] in ("https://op.test", ["https://op.test"]) or not single
        assert found.expires > NOW - client_assertion.LEEWAY


@given(st.text(max_size=200))
@example(":" + base64.b64encode(b"\x30\x82" + b"\xff" * 200).decode() + ":")
@example("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----")
@example("%2D%2D%FF")
def test_any_certificate_header_is_read_or_nobody(text: str) -> None:
    assert read_header(text) is None


@given(st.binary(max_size=400))
def test_any_bytes_as_a_certificate_are_nobody(der: bytes) -> None:
    assert read_header(f":{base64.b64encode(der).decode()}:") is None


CERTIFICATE = issue(
    "Mesin", names=[x509.DNSName("mesin.test"), x509.RFC822Name("a@mesin.test")], extensions=[(x509.OCSPNoCheck(), True)]
).der


@given(st.lists(st.tuples(st.integers(min_value=0, max_value=len(CERTIFICATE) - 1), st.integers(min_value=0, max_value=255)), max_size=4))
def test_a_certificate_with_any_bytes_changed_is_read_or_nobody(changes: list[tuple[int, int]]) -> None:
    changed = bytearray(CERTIFICATE)
    for place, byte in changes:
        changed[place] = byte
    found = read_header(f":{base64.b64encode(bytes(changed)).decode()}:")
    if found is not None:
        found.names("CN=Mesin")
        assert not found.issued_by([found], dt.datetime.now(dt.UTC))


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_as_public_in_every_notation(address: ipaddress.IPv4Address) -> None:
    public, number = is_public(str(address)), int(address)
    mapped = ipaddress.IPv6Address((0xFFFF << 32) | number)
    nat64 = ipaddress.IPv6Address((0x64FF9B << 96) | number)
    six_to_four = ipaddress.IPv6Address((0x2002 << 112) | (number << 80))
    assert {is_public(str(one)) for one in (mapped, nat64, six_to_four)} == {public}
    assert not public or address.is_global
    assert not is_public(str(ipaddress.IPv6Address(number)))  # ::a.b.c.d, which nothing routes


@given(st.text(max_size=100) | st.from_regex(r"\A(https|http|ftp)://[^/]{0,30}(:[0-9]{0,7})?/?\Z"))
def test_an_address_to_fetch_from_is_https_without_a_user_or_refused(url: str) -> None:
    try:
        read = read_url(url)
    except FetchRefused:
        return
    assert (read.scheme, read.userinfo) == ("https", b"")
    assert read.host
