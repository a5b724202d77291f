"""RFC 8725, RFC 7515 §10: attacks on JSON Web Tokens, at every place where one is accepted (tests/support/jwt_places.py)."""

from __future__ import annotations

import base64
import hmac
import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from joserfc.jwk import ECKey, RSAKey

from tests.support.jwt_places import PLACES, Place
from tests.support.proofs import encode, sign

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.application import Application

STRANGER = ECKey.generate_key("P-256", private=True)
STRANGER_RSA = RSAKey.generate_key(2048, private=True)
TYPES = (
    "", "jwt", "at+jwt", "dpop+jwt", "logout+jwt", "secevent+jwt", "oauth-authz-req+jwt", "token-introspection+jwt",
    "client-authentication+jwt", "consent-receipt+jwt", "jose", "jose+json",
)  # fmt: skip


@pytest.fixture(params=PLACES, ids=lambda one: one.__name__)
async def place(request: pytest.FixtureRequest, app: Application) -> Place:
    made: Place = await request.param(app)
    return made


def good(place: Place, *, header: dict[str, Any] | None = None, **claims: object) -> str:
    """A good token, changed; None takes something away."""
    whole = {**place.header, **(header or {})}
    payload = place.claims() | claims
    return sign(
        place.key,
        {name: value for name, value in whole.items() if value is not None},
        {name: value for name, value in payload.items() if value is not None},
    )


def parts(value: Any) -> str:
    return encode(json.dumps(value).encode())


def refused_by_signature(place: Place) -> Iterator[tuple[str, str]]:
    """Tokens that no key of the right signer made: none, other algorithms, other keys, keys and addresses of keys in the header."""
    token = good(place)
    head, body, signature = token.split(".")
    payload, public = json.dumps(place.claims() | {"changed": True}).encode(), place.key.as_dict(private=False)
    for none in ("none", "None", "NONE", "nOnE", ""):
        unsigned = parts({**place.header, "alg": none})
        yield f"alg {none or 'empty'}, no signature", f"{unsigned}.{encode(payload)}."
        yield f"alg {none or 'empty'}, old signature", f"{unsigned}.{body}.{signature}"
    secrets = {"JWK": json.dumps(public).encode(), "PEM": place.key.as_pem(private=False), "nothing": b"\0" * 32, "kid": b"k-1".ljust(32)}
    for name, secret in secrets.items():
        for size in ("256", "384", "512"):
            signed = f"{parts({**place.header, 'alg': f'HS{size}'})}.{encode(payload)}"
            yield f"HS{size} with the {name}", f"{signed}.{encode(hmac.digest(secret, signed.encode(), f'sha{size}'))}"
    for name, header in _injected(place).items():
        key, algorithm = (STRANGER, "ES256") if place.header["alg"] == "ES256" else (STRANGER_RSA, "RS256")
        yield name, sign(key, {**place.header, **header, "alg": algorithm}, payload)
    yield "signature of another algorithm", f"{parts({**place.header, 'alg': 'PS256'})}.{body}.{signature}"
    yield "signature of zeros (CVE-2022-21449)", f"{head}.{encode(payload)}.{encode(bytes(64))}"
    yield "changed claims", f"{head}.{encode(payload)}.{signature}"
    yield "changed header", f"{parts({**place.header, 'x': 1})}.{body}.{signature}"
    yield "no signature", f"{head}.{body}."
    yield "cut signature", f"{head}.{body}.{signature[:-4]}"
    yield "signature twice", f"{head}.{body}.{signature}{signature}"


def _injected(place: Place) -> dict[str, dict[str, Any]]:
    """Headers that would bring a stranger's key along, or point to it."""
    mine = STRANGER if place.header["alg"] == "ES256" else STRANGER_RSA
    kid = {} if place.carries_key else {"jwk": {**mine.as_dict(private=False), "kid": place.header["kid"]}}
    address = "https://evil.test/keys"
    found: dict[str, dict[str, Any]] = {
        "stranger's key": {}, "jku": {"jku": address}, "x5u": {"x5u": address}, "x5c": {"x5c": ["AAAA"]}, "jwk": kid,
        "kid a path": {"kid": "../../../../dev/null"}, "kid SQL": {"kid": "' OR '1'='1"}, "kid an address": {"kid": address},
        "kid empty": {"kid": ""}, "kid huge": {"kid": "k" * 400},
    }  # fmt: skip
    return found


def refused_by_form(place: Place) -> Iterator[tuple[str, str]]:
    """Tokens of the right signer in a form that must not be read."""
    token = good(place)
    head, body, signature = token.split(".")
    payload = json.dumps(place.claims()).encode()

    def made(header: dict[str, Any] | None = None, content: bytes = payload) -> str:
        return sign(place.key, {**place.header, **(header or {})}, content)

    header = json.dumps(dict(place.header)).encode()
    yield "crit unknown", f"{parts({**place.header, 'crit': ['x'], 'x': 1})}.{body}.{signature}"
    yield "crit b64", f"{parts({**place.header, 'crit': ['b64'], 'b64': False})}.{payload.decode()}.{signature}"
    yield "b64 false", f"{parts({**place.header, 'b64': False})}.{body}.{signature}"
    yield "zip", made({"zip": "DEF"})
    yield "enc", made({"enc": "A256GCM"})
    yield "nested", made({"cty": "JWT"}, token.encode())
    yield "nested without cty", made(content=token.encode())
    yield "header names twice", f"{encode(header[:-1] + b', ' + header[1:])}.{body}.{signature}"
    yield "claims names twice", made(content=payload[:-1] + b", " + payload[1:])
    yield "one claim twice", made(content=payload[:-1] + b', "iat": 1}')
    for content in (b"", b"null", b"[]", b"1", b'"text"', b"{", b"\xff\xfe{}", b'{"iat": NaN}', b"[" * 5000, payload + b"}"):
        yield f"claims {content[:14]!r}", made(content=content)
    yield "claims in UTF-16", made(content=payload.decode().encode("utf-16"))
    yield "huge claims", made(content=payload[:-1] + b', "x": "' + b"x" * 20000 + b'"}')
    yield "huge header", made({"x": "x" * 3000})
    yield "deep claims", made(content=payload[:-1] + b', "x": ' + b"[" * 3000 + b"]" * 3000 + b"}")
    yield "JSON serialisation", json.dumps({"payload": body, "protected": head, "signature": signature})
    yield "general serialisation", json.dumps({"payload": body, "signatures": [{"protected": head, "signature": signature}]})
    yield "five parts", f"{token}.{signature}.{signature}"
    yield "four parts", f"{token}.{signature}"
    yield "two parts", f"{head}.{body}"
    yield "padded", f"{head}=.{body}.{signature}"
    yield "spaces within", f"{head}. {body}.{signature}"
    yield "other base64", f"{base64.b64encode(header).decode()}.{body}.{signature}+/"
    yield "loose bits", f"{head}.{body}.{signature[:-1]}{'B' if signature[-1] != 'B' else 'C'}"
    yield "empty", "..."
    yield "dots", ".." * 400
    yield "not ASCII", f"{head}.{body}.\u017f{signature[1:]}"


def refused_by_claims(place: Place) -> Iterator[tuple[str, str]]:
    """Well-signed tokens that are meant for others, or for other times."""
    now = int(place.app.provider.clock().timestamp())
    if place.audience:
        for audience in ("https://other.test", ["https://other.test"], [], "", 1, None, {"a": 1}):
            if audience is not None or place.header.get("typ") != "oauth-authz-req+jwt":  # RFC 9101 §4: aud SHOULD be in it
                yield f"aud {audience}", good(place, aud=audience)
    if "iss" in place.claims():
        yield "iss somebody else", good(place, iss="https://other.test")
        yield "iss a list", good(place, iss=[place.claims()["iss"]])
    if place.expires:
        for exp in (now - 3600, "soon", True, [now + 60]):
            yield f"exp {exp}", good(place, exp=exp)
    if place.carries_key:
        yield "iat long ago", good(place, iat=now - 3600)
        yield "exp past", good(place, exp=now - 3600)
    if not {"jwt", "at+jwt"} & {str(place.header.get("typ")).lower()}:  # our own tokens have no time before which they are not good
        yield "nbf ahead", good(place, nbf=now + 3600)
        yield "iat ahead", good(place, iat=now + 3600)


async def test_attacks_are_refused_and_a_good_token_is_accepted(place: Place) -> None:
    assert await place.accepts(good(place))
    for attacks in (refused_by_signature, refused_by_form, refused_by_claims):
        for name, token in attacks(place):
            before = time.perf_counter()
            assert not await place.accepts(token), name
            assert time.perf_counter() - before < 5, name
    assert await place.accepts(good(place))


async def test_rfc8725_3_11_a_token_of_another_type_is_refused(place: Place) -> None:
    for kind in TYPES:
        for spelled in {kind, f"application/{kind}" if kind else ""}:
            expected = kind in place.types
            assert await place.accepts(good(place, header={"typ": spelled or None})) == expected, spelled


async def test_tokens_of_every_other_place_are_refused(app: Application) -> None:
    """Cross-place confusion (RFC 8725 §3.12): what is good at one place is good at no other."""
    places = [(make.__name__, await make(app)) for make in PLACES]
    for name, place in places:
        for other_name, other in places:
            if name.partition("_at_")[0] != other_name.partition("_at_")[0]:
                assert not await place.accepts(good(other)), (name, other_name)
