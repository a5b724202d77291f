"""RFC 7523 §2.2, §3, OIDC Core §9: private_key_jwt."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from idp.spec import client_assertion

if TYPE_CHECKING:
    from tests.support.application import Application

EC = ECKey.generate_key("P-256", {"kid": "ec-1", "use": "sig", "alg": "ES256"}, private=True)
STRANGER = ECKey.generate_key("P-256", {"kid": "ec-1"}, private=True)
RSA = RSAKey.generate_key(2048, {"kid": "rsa-1"}, private=True)


@pytest.fixture
async def machine(app: Application) -> Application:
    jwks = {"keys": [EC.as_dict(private=False), RSA.as_dict(private=False)]}
    more: dict[str, Any] = {"grant_types": ["client_credentials"], "redirect_uris": None, "purposes": None, "scope": "laporan"}
    await app.register("machine", secret=None, token_endpoint_auth_method="private_key_jwt", jwks=jwks, **more)
    return app


def claims(app: Application, **changes: object) -> dict[str, Any]:
    now = int(app.provider.clock().timestamp())
    usual: dict[str, object] = {
        "iss": "machine",
        "sub": "machine",
        "aud": app.provider.issuer,
        "exp": now + 60,
        "iat": now,
        "jti": uuid4().hex,
    }
    return {name: value for name, value in (usual | changes).items() if value is not None}


def signed(payload: dict[str, Any], key: Any = EC, algorithm: str = "ES256", **header: object) -> str:
    return jwt.encode({"alg": algorithm, "kid": key.kid, **header}, payload, key, algorithms=[algorithm])


async def send(app: Application, assertion: str, **more: object) -> httpx2.Response:
    form = {"grant_type": "client_credentials", "client_assertion_type": client_assertion.TYPE, "client_assertion": assertion}
    return await app.token({**form, **more}, None)


async def test_an_assertion_with_the_issuer_or_the_token_endpoint_as_audience_is_accepted(machine: Application) -> None:
    issuer = machine.provider.issuer
    for aud in (issuer, f"{issuer}/token", [issuer], [issuer, f"{issuer}/token"]):
        assert (await send(machine, signed(claims(machine, aud=aud)))).status_code == 200
    assert (await send(machine, signed(claims(machine), RSA, "RS256"))).status_code == 200
    assert (await send(machine, signed(claims(machine), RSA, "PS256"), client_id="machine")).status_code == 200


async def test_3_wrong_claims_are_refused(machine: Application) -> None:
    now = int(machine.provider.clock().timestamp())
    cases: list[dict[str, object]] = [
        {"iss": None},
        {"iss": "other"},
        {"sub": None},
        {"sub": "other"},
        {"sub": ["machine"]},
        {"aud": None},
        {"aud": "https://other.test"},
        {"aud": [machine.provider.issuer, "https://other.test"]},
        {"aud": []},
        {"exp": None},
        {"exp": now - 61},
        {"exp": str(now + 60)},
        {"exp": True},
        {"exp": now + 86400 * 365},
        {"exp": 1e300},
        {"nbf": now + 600},
        {"iat": now + 600},
        {"iat": "now"},
        {"jti": None},
        {"jti": ""},
        {"jti": 5},
        {"jti": "x" * 500},
    ]
    for change in cases:
        response = await send(machine, signed(claims(machine, **change)))
        assert (response.status_code, response.json()["error"]) == (401, "invalid_client"), change


async def test_3_a_jti_is_used_once_also_when_many_race(machine: Application) -> None:
    assertion = signed(claims(machine))
    responses = await asyncio.gather(*(send(machine, assertion) for _ in range(20)))
    assert sorted(response.status_code for response in responses) == [200] + [401] * 19
    assert (await send(machine, assertion)).status_code == 401


async def test_3_a_jti_stays_used_until_the_assertion_could_not_be_accepted_any_more(machine: Application) -> None:
    assertion = signed(claims(machine))
    assert (await send(machine, assertion)).status_code == 200
    for _ in range(5):
        machine.provider.clock.move(seconds=29)
        await machine.provider.services.clients.sweep(machine.provider.clock())
        assert (await send(machine, assertion)).status_code == 401


def _encode(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


async def test_forged_assertions_are_refused(machine: Application) -> None:
    payload = claims(machine)
    public = json.dumps(EC.as_dict(private=False)).encode()
    good = signed(claims(machine))
    head, body, signature = good.split(".")
    attacks = {
        "none": f"{_encode({'alg': 'none'})}.{_encode(payload)}.",
        "stranger's key": signed(payload, STRANGER),
        "stranger's key in the header": signed(payload, STRANGER, jwk=STRANGER.as_dict(private=False)),
        "public key as HMAC secret": jwt.encode({"alg": "HS256", "kid": "ec-1"}, payload, OctKey.import_key(public), algorithms=["HS256"]),
        "unknown kid": signed(payload, kid="other"),
        "changed claims": f"{head}.{_encode(payload)}.{signature}",
        "cut": f"{head}.{body}.{signature[:-4]}",
        "not a JWT": "machine",
        "empty claims": f"{head}.{_encode({})}.{signature}",
        "claims are a list": f"{head}.{_encode([])}.{signature}",
        "unknown critical header": f"{_encode({'alg': 'ES256', 'kid': 'ec-1', 'crit': ['x'], 'x': 1})}.{body}.{signature}",
    }
    for name, assertion in attacks.items():
        response = await send(machine, assertion)
        assert (response.status_code, response.json()["error"]) == (401, "invalid_client"), name
    assert (await send(machine, good)).status_code == 200


async def test_rfc7521_4_2_the_type_is_demanded_and_client_id_must_agree(machine: Application) -> None:
    assert (await send(machine, signed(claims(machine)), client_assertion_type="other")).status_code == 400
    assert (await send(machine, signed(claims(machine)), client_assertion_type=None)).status_code == 400
    assert (await send(machine, signed(claims(machine)), client_id="app")).status_code == 401
    both = await send(machine, signed(claims(machine)), client_secret="x")
    assert (both.status_code, both.json()["error"]) == (400, "invalid_request")


async def test_a_client_of_another_method_cannot_use_assertions_nor_this_one_a_secret(machine: Application) -> None:
    payload = claims(machine, iss="app", sub="app")
    assert (await send(machine, signed(payload))).status_code == 401
    assert (await machine.token({"grant_type": "client_credentials"}, ("machine", "x"))).status_code == 401


# --- keys by reference (OIDC Registration §2, jwks_uri) ---------------------------------------------------------------------------------


class Keys:
    """What answers at the application's jwks_uri."""

    def __init__(self) -> None:
        self.keys: list[Any] = [EC]
        self.status = 200
        self.asked = 0

    def handle(self, request: httpx2.Request) -> httpx2.Response:
        assert (request.method, str(request.url)) == ("GET", "https://machine.test/jwks.json")
        self.asked += 1
        return httpx2.Response(self.status, json={"keys": [key.as_dict(private=False) for key in self.keys]})


KEYS = Keys()


@pytest.fixture
async def remote(app: Application) -> Application:
    KEYS.__init__()  # type: ignore[misc]
    more: dict[str, Any] = {"grant_types": ["client_credentials"], "redirect_uris": None, "purposes": None, "scope": "laporan"}
    uri = "https://machine.test/jwks.json"
    await app.register("machine", secret=None, token_endpoint_auth_method="private_key_jwt", jwks_uri=uri, **more)
    return app


NETWORK = pytest.mark.parametrize("provider_network", [httpx2.MockTransport(KEYS.handle)])


@NETWORK
async def test_oidcc_registration_jwks_uri(remote: Application) -> None:
    for _ in range(5):
        assert (await send(remote, signed(claims(remote)))).status_code == 200
    assert KEYS.asked == 1


@NETWORK
async def test_oidcc_refresh_token_rp_key_rotation(remote: Application) -> None:
    """A new kid is looked up again; a second one within half a minute is not, whoever sends it."""
    assert (await send(remote, signed(claims(remote)))).status_code == 200
    new = ECKey.generate_key("P-256", {"kid": "ec-2", "use": "sig", "alg": "ES256"}, private=True)
    KEYS.keys = [new]
    remote.provider.clock.move(seconds=60)
    assert (await send(remote, signed(claims(remote), new))).status_code == 200
    assert KEYS.asked == 2
    assert (await send(remote, signed(claims(remote)))).status_code == 401  # the old key is gone
    for number in range(20):
        assert (await send(remote, signed(claims(remote), STRANGER, kid=f"k{number}"))).status_code == 401
    assert KEYS.asked == 2


@NETWORK
async def test_keys_exchanged_without_new_names_are_found_too(remote: Application) -> None:
    assert (await send(remote, signed(claims(remote)))).status_code == 200
    KEYS.keys = [STRANGER]  # the same kid
    remote.provider.clock.move(seconds=31)
    assert (await send(remote, signed(claims(remote), STRANGER))).status_code == 200


@NETWORK
async def test_a_jwks_uri_that_does_not_answer_is_named(remote: Application) -> None:
    KEYS.status = 503
    response = await send(remote, signed(claims(remote)))
    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")
    assert "jwks_uri" in response.json()["error_description"]
    assert "503" in response.json()["error_description"]


# --- what was registered ----------------------------------------------------------------------------------------------------------------


async def test_only_the_registered_algorithm_is_taken(app: Application) -> None:
    jwks = {"keys": [EC.as_dict(private=False), RSA.as_dict(private=False)]}
    more: dict[str, Any] = {"grant_types": ["client_credentials"], "redirect_uris": None, "purposes": None, "scope": "laporan"}
    more |= {"token_endpoint_auth_method": "private_key_jwt", "token_endpoint_auth_signing_alg": "PS256"}
    await app.register("machine", secret=None, jwks=jwks, **more)
    assert (await send(app, signed(claims(app), RSA, "PS256"))).status_code == 200
    assert (await send(app, signed(claims(app), RSA, "RS256"))).status_code == 401
    assert (await send(app, signed(claims(app)))).status_code == 401


async def test_nbf_and_iat_may_be_some_seconds_ahead_but_not_a_minute(machine: Application) -> None:
    now = int(machine.provider.clock().timestamp())
    assert (await send(machine, signed(claims(machine, nbf=now + 8, iat=now + 8)))).status_code == 200
    assert (await send(machine, signed(claims(machine, nbf=now + 65)))).status_code == 401
    assert (await send(machine, signed(claims(machine, iat=now + 65)))).status_code == 401


async def test_rfc8725_3_11_a_jwt_of_another_type_is_no_assertion(machine: Application) -> None:
    for kind in ("JWT", "jwt", "application/jwt", "client-authentication+jwt"):
        assert (await send(machine, signed(claims(machine), typ=kind))).status_code == 200, kind
    for other in ("at+jwt", "dpop+jwt", "logout+jwt", "oauth-authz-req+jwt", "secevent+jwt"):
        assert (await send(machine, signed(claims(machine), typ=other))).status_code == 401, other


async def test_there_is_no_client_secret_jwt(app: Application) -> None:
    """It would demand secrets that can be read again; ours rest as digests."""
    document = (await app.http.get("/.well-known/openid-configuration")).json()
    assert "client_secret_jwt" not in document["token_endpoint_auth_methods_supported"]
    secret = OctKey.import_key("rahasia".ljust(32, "."))
    assertion = jwt.encode({"alg": "HS256"}, claims(app, iss="app", sub="app"), secret, algorithms=["HS256"])
    assert (await send(app, assertion)).status_code == 401
