"""RFC 8725: attacks on the JWTs that are ours to verify: access tokens and id_token_hint. All of them, wherever one is taken.

Those that applications sign have tables of their own: request objects (RFC 9101), assertions (RFC 7523), proofs (RFC 9449).
"""

from __future__ import annotations

import hmac
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from joserfc.jwk import ECKey, RSAKey

from keys.encoding import encode
from keys.encryption import encrypt
from tests.support.application import AFTER_LOGOUT, AUTH, part
from tests.support.objects import signed

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.application import Application

    Forge = Callable[[str, dict[str, Any], dict[str, Any]], str]

STRANGERS: dict[str, Any] = {"ES256": ECKey.generate_key("P-256", private=True), "RS256": RSAKey.generate_key(2048, private=True)}


def with_header(token: str, **header: object) -> str:
    """Change the header and keep payload and signature."""
    whole = part(token, 0) | header
    return ".".join((encode(json.dumps(whole).encode()), *token.split(".")[1:]))


def by_stranger(token: str, **header: object) -> str:
    """Sign the same claims with another key, under our key's name."""
    told = part(token, 0)
    return signed(part(token, 1), STRANGERS[told["alg"]], told["alg"], kid=told["kid"], typ=told["typ"], **header)


def with_hmac(token: str, jwk: dict[str, Any]) -> str:
    """Take our public key for a shared secret."""
    message = ".".join((encode(json.dumps(part(token, 0) | {"alg": "HS256"}).encode()), token.split(".")[1]))
    return f"{message}.{encode(hmac.digest(json.dumps(jwk).encode(), message.encode(), 'sha256'))}"


def changed(token: str) -> str:
    header, _, signature = token.split(".")
    claims = json.dumps(part(token, 1) | {"sub": "another"}).encode()
    return f"{header}.{encode(claims)}.{signature}"


FORGED: dict[str, Forge] = {
    "alg none": lambda token, _key, _jwks: with_header(token, alg="none").rpartition(".")[0] + ".",
    "alg None": lambda token, _key, _jwks: with_header(token, alg="None").rpartition(".")[0] + ".",
    "alg switched to HMAC": lambda token, key, _jwks: with_hmac(token, key),
    "alg of another key": lambda token, _key, _jwks: with_header(token, alg="PS256"),
    "claims changed": lambda token, _key, _jwks: changed(token),
    "signature gone": lambda token, _key, _jwks: token.rpartition(".")[0] + ".",
    "signed by a stranger": lambda token, _key, _jwks: by_stranger(token),
    "key in the header": lambda token, _key, _jwks: by_stranger(token, jwk=STRANGERS[part(token, 0)["alg"]].as_dict(private=False)),
    "certificate in the header": lambda token, _key, _jwks: by_stranger(token, x5c=["MIIB"]),
    "address of keys in the header": lambda token, _key, _jwks: by_stranger(token, jku="https://evil.test/jwks"),
    "kid that leads elsewhere": lambda token, _key, _jwks: with_header(token, kid="' OR 1=1 --"),
    "kid that is a path": lambda token, _key, _jwks: with_header(token, kid="../../../../dev/null"),
    "no kid": lambda token, _key, _jwks: with_header(token, kid=None),
    "critical extension": lambda token, _key, _jwks: with_header(token, crit=["exp"]),
    "payload that is not encoded": lambda token, _key, _jwks: with_header(token, b64=False, crit=["b64"]),
    "header that names alg twice": lambda token, _key, _jwks: (
        encode(b'{"alg":"none","alg":"RS256"}') + "." + ".".join(token.split(".")[1:])
    ),
    "encrypted to us": lambda token, _key, jwks: encrypt(token, jwks, algorithm="ECDH-ES"),
    "huge": lambda token, _key, _jwks: token + "A" * 9000,
    "deeply nested header": lambda token, _key, _jwks: encode(b'{"a":' * 1200 + b"1" + b"}" * 1200) + "." + token.partition(".")[2],
    "another alphabet": lambda token, _key, _jwks: token.replace("-", "+").replace("_", "/") + "=",
}


async def own(app: Application, claims: dict[str, Any], type_: str, algorithm: str = "ES256") -> str:
    """Sign anything with our own key: what only a fault of ours could issue."""
    token: str = await app.provider.services.keyring.signing.sign(claims, algorithm=algorithm, type=type_)
    return token


@pytest.fixture
async def tokens(app: Application) -> dict[str, Any]:
    return await app.tokens()


async def every(app: Application, token: str) -> list[str]:
    jwks = (await app.http.get("/jwks.json")).json()
    key = next(key for key in jwks["keys"] if key["kid"] == part(token, 0)["kid"])
    return [forge(token, key, jwks) for forge in FORGED.values()]


async def test_forged_access_tokens_read_nothing_and_are_not_active(app: Application, tokens: dict[str, Any]) -> None:
    good = tokens["access_token"]
    wrong = []
    for name, forged in zip(FORGED, await every(app, good), strict=True):
        response = await app.userinfo(forged)
        told = await app.http.post("/introspect", data={"token": forged}, auth=AUTH)
        if response.status_code != 401 or told.json() != {"active": False}:
            wrong.append(name)
    assert wrong == []
    assert (await app.userinfo(good)).status_code == 200


async def test_forged_hints_are_refused_and_never_end_a_session_unasked(app: Application, tokens: dict[str, Any]) -> None:
    good = tokens["id_token"]
    wrong = []
    for name, forged in zip(FORGED, await every(app, good), strict=True):
        asked = await app.ask(prompt="none", id_token_hint=forged)
        out = await app.visitor.get(f"/logout?{urlencode({'id_token_hint': forged, 'post_logout_redirect_uri': AFTER_LOGOUT})}")
        if asked.answer.get("error") != "invalid_request" or out.left is not None:
            wrong.append(name)
    assert wrong == []
    assert "code" in (await app.ask(prompt="none", id_token_hint=good)).answer


async def test_typ_confusion_among_our_own_tokens(app: Application, tokens: dict[str, Any]) -> None:
    jarm = (await app.through(response_mode="jwt", prompt="none"))["response"]
    access, id_token = tokens["access_token"], tokens["id_token"]
    for other in (id_token, jarm, tokens["refresh_token"]):
        assert (await app.userinfo(other)).status_code == 401
    for other in (access, jarm, tokens["refresh_token"]):
        assert (await app.ask(prompt="none", id_token_hint=other)).answer["error"] == "invalid_request"
    claims = part(access, 1)
    for type_ in ("JWT", "logout+jwt", "secevent+jwt", "consent-receipt+jwt", "token-introspection+jwt"):
        assert (await app.userinfo(await own(app, claims, type_))).status_code == 401
    assert (await app.userinfo(await own(app, claims, "at+jwt", "RS256"))).status_code == 401
    assert (await app.userinfo(await own(app, claims, "at+jwt"))).status_code == 200


async def test_claims_of_access_tokens_that_must_not_be_believed(app: Application, tokens: dict[str, Any]) -> None:
    claims = part(tokens["access_token"], 1)
    now = claims["iat"]
    changes: list[dict[str, object]] = [
        {"iss": "https://other.test"}, {"aud": "https://other.test"}, {"aud": []},
         {"exp": now - 1}, {"exp": "soon"}, {"sub": 7}, {"jti": None},
        {"client_id": "other"}, {"authorization_id": "unknown"}, {"nbf": now + 600},
    ]  # fmt: skip
    for change in changes:
        forged = await own(app, {name: value for name, value in (claims | change).items() if value is not None}, "at+jwt")
        assert (await app.userinfo(forged)).status_code == 401, change
