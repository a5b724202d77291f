"""RFC 7516, compact JWE: what we encrypt opens, what is not as it should be does not."""

from __future__ import annotations

import base64
import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwe
from joserfc.jwk import ECKey, OctKey, RSAKey

from keys import encryption
from keys.errors import EncryptionKeyMissing, TokenInvalid
from keys.verification import read_unsigned, verify_with_jwks

RSA = RSAKey.generate_key(2048, {"kid": "r", "use": "enc"}, private=True)
EC = ECKey.generate_key("P-256", {"kid": "e", "use": "enc"}, private=True)
KEYS: dict[str, Any] = {"RSA-OAEP-256": RSA, "ECDH-ES": EC, "ECDH-ES+A256KW": EC}
JWKS = {"keys": [RSA.as_dict(private=False), EC.as_dict(private=False)]}


def header(token: str) -> dict[str, Any]:
    part = token.split(".", maxsplit=1)[0]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


@pytest.mark.parametrize("algorithm", sorted(KEYS))
def test_what_is_encrypted_to_a_key_opens_with_it(algorithm: str) -> None:
    token = encryption.encrypt("a.b.c", JWKS, algorithm=algorithm)
    told = header(token)
    assert (told["alg"], told["enc"], told["cty"], told["kid"]) == (algorithm, "A256GCM", "JWT", KEYS[algorithm].kid)
    sealed = encryption.take_apart(token)
    assert encryption.decrypt(sealed, KEYS[algorithm]) == b"a.b.c"


def test_without_a_key_meant_for_it_nothing_is_encrypted() -> None:
    signing = {**RSA.as_dict(private=False), "use": "sig"}
    wrong: list[dict[str, Any]] = [{"keys": []}, {"keys": [signing]}, {"keys": "x"}, {"keys": [{"kty": "RSA", "n": "AQAB"}]}, {}]
    for jwks in wrong:
        with pytest.raises(EncryptionKeyMissing):
            encryption.encrypt("x", jwks, algorithm="RSA-OAEP-256")


def test_every_changed_part_is_refused() -> None:
    token = encryption.encrypt("x", JWKS, algorithm="ECDH-ES+A256KW")
    parts = token.split(".")
    for number, part in enumerate(parts):
        changed = [*parts]
        changed[number] = ("B" if part[:1] == "A" else "A") + part[1:]
        with pytest.raises(TokenInvalid):
            encryption.decrypt(encryption.take_apart(".".join(changed)), EC)


@pytest.mark.parametrize(
    "changed",
    [
        {"alg": "dir"},
        {"alg": "RSA1_5"},
        {"alg": "RSA-OAEP"},
        {"alg": "none"},
        {"alg": "PBES2-HS256+A128KW"},
        {"enc": "A128CBC-HS256"},
        {"zip": "DEF"},
        {"crit": ["x"]},
        {"jwk": {}},
        {"kid": 7},
    ],
)
def test_headers_that_are_not_allowed(changed: dict[str, Any]) -> None:
    good = encryption.encrypt("x", JWKS, algorithm="RSA-OAEP-256").split(".")
    told = json.dumps({"alg": "RSA-OAEP-256", "enc": "A256GCM", **changed})
    good[0] = base64.urlsafe_b64encode(told.encode()).rstrip(b"=").decode()
    with pytest.raises(TokenInvalid):
        encryption.take_apart(".".join(good))


def test_an_ephemeral_key_off_the_curve_is_refused() -> None:
    token = encryption.encrypt("x", JWKS, algorithm="ECDH-ES").split(".")
    told = header(".".join(token))
    told["epk"]["x"] = told["epk"]["y"]
    token[0] = base64.urlsafe_b64encode(json.dumps(told).encode()).rstrip(b"=").decode()
    with pytest.raises(TokenInvalid):
        encryption.decrypt(encryption.take_apart(".".join(token)), EC)


def test_a_secret_that_both_know_opens_nothing() -> None:
    shared = OctKey.generate_key(256)
    token = jwe.encrypt_compact({"alg": "dir", "enc": "A256GCM"}, "x", shared, algorithms=["dir", "A256GCM"])
    with pytest.raises(TokenInvalid):
        encryption.take_apart(token)


def test_sizes_are_bounded() -> None:
    with pytest.raises(TokenInvalid):
        encryption.take_apart("." * 4 + "x" * encryption.LIMIT)
    with pytest.raises(TokenInvalid):
        encryption.take_apart("e" * 2000 + "....")


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=200) | st.text(alphabet="eyJ.-_Aa1=", max_size=200))
def test_whatever_comes_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(TokenInvalid):
        encryption.take_apart(text)
    with contextlib.suppress(TokenInvalid):
        read_unsigned(text)
    with contextlib.suppress(TokenInvalid):
        verify_with_jwks(text, JWKS, algorithms=("ES256", "RS256"))
