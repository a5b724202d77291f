"""Tokens of others: one key, an allow-list, a type; everything that smuggles or confuses is refused (RFC 8725)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from joserfc.jws import JWSRegistry

from keys.algorithms import SIGNING, AsymmetricKey, generate, public_jwk, read_key
from keys.compact import LIMIT
from keys.encoding import encode
from keys.errors import TokenInvalid
from keys.verification import verify_with_jwks

KEY = generate("ES256")
JWK = public_jwk(KEY, "ES256")
JWKS = {"keys": [JWK]}


def _token(
    header: dict[str, Any] | bytes | None = None, payload: bytes = b'{"iss":"a"}', key: AsymmetricKey = KEY, alg: str = "ES256"
) -> str:
    head = header if isinstance(header, bytes) else json.dumps({"alg": alg, "kid": JWK["kid"], **(header or {})}).encode()
    message = f"{encode(head)}.{encode(payload)}"
    return f"{message}.{encode(JWSRegistry.algorithms[alg].sign(message.encode(), key))}"


@pytest.mark.parametrize("algorithm", SIGNING)
def test_each_algorithm_verifies_what_it_signed(algorithm: str) -> None:
    key = generate(algorithm)
    jwk = public_jwk(key, algorithm)
    token = _token({"kid": jwk["kid"]}, key=key, alg=algorithm)
    assert verify_with_jwks(token, {"keys": [jwk]}, algorithms=[algorithm]).claims == {"iss": "a"}
    assert jwk["kid"] == key.thumbprint()
    assert not {"d", "p", "q"} & set(jwk)


def test_every_changed_character_of_a_token_is_noticed() -> None:
    token = _token()
    for place, old in enumerate(token):
        changed = token[:place] + ("A" if old != "A" else "B") + token[place + 1 :]
        with pytest.raises(TokenInvalid):
            verify_with_jwks(changed, JWKS, algorithms=["ES256"])


@pytest.mark.parametrize(
    "extra",
    [
        {"crit": ["exp"]},
        {"jwk": JWK},
        {"jku": "https://evil.example/jwks"},
        {"x5u": "https://evil.example/x"},
        {"x5c": ["AA"]},
        {"b64": False},
        {"zip": "DEF"},
        {"cty": "JWT"},
        {"enc": "A256GCM"},
    ],
)
def test_a_header_that_brings_its_own_key_or_rules_is_refused(extra: dict[str, Any]) -> None:
    with pytest.raises(TokenInvalid, match=f"carries {next(iter(extra))}"):
        verify_with_jwks(_token(extra), JWKS, algorithms=["ES256"])


@pytest.mark.parametrize("alg", ["none", "HS256", "RS256", "es256", 5, None])
def test_an_algorithm_outside_the_list_is_refused(alg: object) -> None:
    with pytest.raises(TokenInvalid, match="algorithm"):
        verify_with_jwks(_token({"alg": alg}), JWKS, algorithms=["ES256"])


def test_no_caller_can_allow_none_or_a_symmetric_algorithm() -> None:
    for alg in ("none", "HS256"):
        with pytest.raises(TokenInvalid, match="algorithm"):
            verify_with_jwks(_token({"alg": alg}), JWKS, algorithms=["none", "HS256"])


@pytest.mark.parametrize("payload", [b'{"a":1,"a":2}', b'{"a":{"b":1,"b":2}}', b"[]", b"{", b"\xff", b'{"a":NaN}', b'"x"', b"[" * 5000])
def test_claims_that_are_no_clean_object_are_refused(payload: bytes) -> None:
    with pytest.raises(TokenInvalid):
        verify_with_jwks(_token(payload=payload), JWKS, algorithms=["ES256"])


def test_a_header_with_a_name_twice_is_refused() -> None:
    with pytest.raises(TokenInvalid, match="twice"):
        verify_with_jwks(_token(b'{"alg":"ES256","alg":"none"}'), JWKS, algorithms=["ES256"])


@pytest.mark.parametrize("token", ["", "a.b", "a.b.c.d", "a.b.c.d.e", "é.b.c", "..", "=.=.="])
def test_what_is_no_compact_jws_is_refused(token: str) -> None:
    with pytest.raises(TokenInvalid):
        verify_with_jwks(token, JWKS, algorithms=["ES256"])


def test_a_huge_token_is_refused_before_it_is_read() -> None:
    with pytest.raises(TokenInvalid, match="16 KiB"):
        verify_with_jwks("a" * (LIMIT + 1), JWKS, algorithms=["ES256"])


@pytest.mark.parametrize(
    ("typ", "allowed"), [("at+jwt", True), ("application/at+jwt", True), ("AT+JWT", True), ("JWT", False), (None, False)]
)
def test_the_type_is_checked(typ: str | None, *, allowed: bool) -> None:
    token = _token({} if typ is None else {"typ": typ})
    if allowed:
        assert verify_with_jwks(token, JWKS, algorithms=["ES256"], type="at+jwt").header["typ"] == typ
    else:
        with pytest.raises(TokenInvalid, match="type"):
            verify_with_jwks(token, JWKS, algorithms=["ES256"], type=["at+jwt"])


def test_the_kid_chooses_one_key_and_no_other_is_tried() -> None:
    other = public_jwk(generate("ES256"), "ES256")
    assert verify_with_jwks(_token(), {"keys": [other, JWK]}, algorithms=["ES256"])
    with pytest.raises(TokenInvalid, match="no key"):
        verify_with_jwks(_token({"kid": "unknown"}), JWKS, algorithms=["ES256"])
    with pytest.raises(TokenInvalid, match="signature"):
        verify_with_jwks(_token({"kid": other["kid"]}), {"keys": [other, JWK]}, algorithms=["ES256"])


def test_without_a_kid_only_a_lone_fitting_key_is_used() -> None:
    token = _token(b'{"alg":"ES256"}')
    rsa = public_jwk(generate("RS256"), "RS256")
    assert verify_with_jwks(token, {"keys": [rsa, JWK]}, algorithms=["ES256"])
    with pytest.raises(TokenInvalid, match="several"):
        verify_with_jwks(token, {"keys": [JWK, public_jwk(generate("ES256"), "ES256")]}, algorithms=["ES256"])


@pytest.mark.parametrize(
    "change", [{"use": "enc"}, {"alg": "RS256"}, {"kty": "oct", "k": "AAAA"}, {"x": "AA"}, {"crv": "P-384"}, {"kty": None}]
)
def test_a_key_for_something_else_or_damaged_does_not_verify(change: dict[str, Any]) -> None:
    with pytest.raises(TokenInvalid, match="no key"):
        verify_with_jwks(_token(), {"keys": [{**JWK, **change}]}, algorithms=["ES256"])


@pytest.mark.parametrize("jwks", [{}, {"keys": None}, {"keys": ["x"]}, {"keys": []}])
def test_a_malformed_set_has_no_key(jwks: dict[str, Any]) -> None:
    with pytest.raises(TokenInvalid, match="no key"):
        verify_with_jwks(_token(), jwks, algorithms=["ES256"])


@pytest.mark.parametrize(
    ("n", "e"), [(2**1023 + 1, 65537), (2**9000 + 1, 65537), (2**2047 + 1, 2**64 + 1)], ids=["small", "huge", "huge exponent"]
)
def test_weak_and_enormous_rsa_keys_are_not_read(n: int, e: int) -> None:
    numbers = {name: encode(value.to_bytes(value.bit_length() // 8 + 1, "big").lstrip(b"\0")) for name, value in (("n", n), ("e", e))}
    with pytest.raises(ValueError, match="2048"):
        read_key({"kty": "RSA", **numbers})
    with pytest.raises(ValueError, match="without"):
        read_key({"kty": "RSA"})
