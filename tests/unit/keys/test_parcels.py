"""What is encrypted to somebody in parts: their key alone opens it, whole, in order and in time; and which keys are taken."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519

from keys import parcels, recipients
from keys.parcels import Address, ParcelBroken, ParcelExpired
from keys.recipients import KeyFileRefused, Recipient, RecipientRefused

NOW = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)
UNTIL = NOW + dt.timedelta(days=7)
WORDS = "kuda baterai pas peniti"
HOLDS = "gerbang-openings"
Private = x25519.X25519PrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey
PEM, PUBLIC, PKCS8 = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo, serialization.PrivateFormat.PKCS8


@pytest.fixture(scope="module")
def pair() -> tuple[str, Recipient]:
    return recipients.new_pair(WORDS)


def public_pem(key: Private) -> str:
    return key.public_key().public_bytes(PEM, PUBLIC).decode()


def private_pem(key: Private, locked: str | None = None) -> str:
    lock = serialization.BestAvailableEncryption(locked.encode()) if locked else serialization.NoEncryption()
    return key.private_bytes(PEM, PKCS8, lock).decode()


def sealed(to: Recipient, *parts: bytes, parcel: str = "p", holds: str = HOLDS) -> list[bytes]:
    sealer = parcels.Sealer(Address(parcel, to, holds, UNTIL))
    return [sealer.part(part, last=number == len(parts)) for number, part in enumerate(parts, 1)]


def test_a_parcel_opens_part_by_part_and_only_whole_in_order_and_in_time(pair: tuple[str, Recipient]) -> None:
    key = recipients.read_private(pair[0], WORDS)
    lines = sealed(pair[1], b"head", b"one" * 100_000, b"two")
    assert list(parcels.open_parts(lines, key, HOLDS, NOW)) == [b"head", b"one" * 100_000, b"two"]
    other = sealed(pair[1], b"head", b"one", b"two", parcel="q")
    bent = lines[1][:-20] + (b"AAAA" if lines[1][-20:-16] != b"AAAA" else b"BBBB") + lines[1][-16:]
    for broken in (
        [], lines[:2], lines[1:], [lines[0], lines[2]], [lines[0], lines[2], lines[1]], [*lines, lines[2]], [lines[0], other[1], lines[2]],
        [lines[0], bent, lines[2]], [b"x"], [b"." * 4], [lines[0], b"\xff.a.b.c.d", lines[2]], [b"A" * (parcels.LONGEST + 1)],
    ):  # fmt: skip
        with pytest.raises(ParcelBroken):
            list(parcels.open_parts(broken, key, HOLDS, NOW))
    with pytest.raises(ParcelBroken, match="does not hold"):
        list(parcels.open_parts(lines, key, "other", NOW))
    with pytest.raises(ParcelExpired):
        list(parcels.open_parts(lines, key, HOLDS, UNTIL))
    with pytest.raises(ParcelBroken, match="encrypted to the key"):
        list(parcels.open_parts(lines, recipients.read_private(private_pem(ec.generate_private_key(ec.SECP256R1())), None), HOLDS, NOW))


def test_a_header_cannot_be_made_to_last_longer_and_other_encryption_is_not_opened(pair: tuple[str, Recipient]) -> None:
    from keys.encoding import decode, encode

    key = recipients.read_private(pair[0], WORDS)
    (line,) = sealed(pair[1], b"only")
    head, _, rest = line.decode().partition(".")
    header = json.loads(decode(head))
    for change in ({"exp": header["exp"] + 1}, {"alg": "dir"}, {"alg": "PBES2-HS512+A256KW"}, {"enc": "A128CBC-HS256"}, {"exp": "never"}):
        bent = encode(json.dumps(header | change).encode()) + "." + rest
        with pytest.raises(ParcelBroken):
            list(parcels.open_parts([bent.encode()], key, HOLDS, NOW))


def test_public_keys_on_p256_and_x25519_are_taken_as_jwk_set_or_pem() -> None:
    for key in (ec.generate_private_key(ec.SECP256R1()), x25519.X25519PrivateKey.generate()):
        found = recipients.read_recipient(public_pem(key))
        jwk = json.dumps({**found.jwk, "kid": "mine", "use": "enc"})
        assert recipients.read_recipient(f"\n {jwk} \n") == found == recipients.read_recipient(json.dumps({"keys": [json.loads(jwk)]}))
        own = recipients.read_private(private_pem(key), None)
        assert list(parcels.open_parts(sealed(found, b"a"), own, HOLDS, NOW)) == [b"a"]


def test_the_thumbprint_is_that_of_rfc_7638() -> None:
    jwk = {"kty": "OKP", "crv": "X25519", "x": "3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08"}  # RFC 8037 §A.6, thumbprint by hand
    import hashlib

    from keys.encoding import encode

    text = json.dumps({"crv": "X25519", "kty": "OKP", "x": jwk["x"]}, separators=(",", ":"))
    assert recipients.read_recipient(json.dumps(jwk)).thumbprint == encode(hashlib.sha256(text.encode()).digest())


def test_anything_else_is_refused_and_a_private_key_by_its_name(pair: tuple[str, Recipient]) -> None:
    p256 = ec.generate_private_key(ec.SECP256R1())
    own = recipients.read_private(pair[0], WORDS).as_dict(private=True)
    cases = {
        "private": [private_pem(p256), private_pem(p256, "x" * 12), json.dumps(own), json.dumps({"keys": [own]}), '{"kty":"oct","k":"AA"}'],
        "size": ["x" * 4097, "{" + " " * 5000 + "}"],
        "kind": [
            "{}", public_pem(ec.generate_private_key(ec.SECP384R1())), public_pem(ed25519.Ed25519PrivateKey.generate()),
            public_pem(rsa.generate_private_key(65537, 2048)), '{"kty":"RSA","n":"AA","e":"AQAB"}', '{"kty":["EC"],"crv":{}}',
            json.dumps({**pair[1].jwk, "use": "sig"}),
        ],
        "unreadable": [
            "", "[]", "key", "{" * 4000, "[" * 4000, "\ud800", '{"keys":[1]}', '{"kty":"EC","crv":"P-256","x":1,"y":2}',
            '{"kty":"EC","crv":"P-256"}', '{"kty":"EC","kty":"EC"}', "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
            json.dumps({"kty": "OKP", "crv": "X25519", "x": "A" * 43}),  # of low order: all that is agreed with it is zero
            json.dumps({"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 43}),  # not on the curve
        ],
    }  # fmt: skip
    for fault, texts in cases.items():
        for text in texts:
            with pytest.raises(RecipientRefused) as refused:
                recipients.read_recipient(text)
            assert refused.value.fault == fault, text[:80]


def test_the_private_half_rests_under_its_passphrase(pair: tuple[str, Recipient]) -> None:
    text, public = pair
    assert recipients.needs_passphrase(text)
    assert "kty" not in text
    assert recipients.read_private(text, WORDS).thumbprint() == public.thumbprint
    for wrong in ("", "kuda", WORDS + "!", None):
        with pytest.raises(KeyFileRefused):
            recipients.read_private(text, wrong)
    locked = private_pem(x25519.X25519PrivateKey.generate(), WORDS)
    assert recipients.needs_passphrase(locked)
    assert recipients.read_private(locked, WORDS).curve_name == "X25519"
    for other in ("", "{}", "x", json.dumps(dict(public.jwk)), private_pem(ed25519.Ed25519PrivateKey.generate()), public_pem(
        ed25519.Ed25519PrivateKey.generate())):  # fmt: skip
        with pytest.raises(KeyFileRefused):
            recipients.read_private(other, WORDS if recipients.needs_passphrase(other) else None)
