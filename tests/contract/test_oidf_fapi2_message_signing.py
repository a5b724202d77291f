"""FAPI 2.0 Message Signing: signed requests and JARM; twins of the certification suite's modules, named after them.

Left out: the modules of Australia's ConnectID (`…-exp-over-10-fails`, `…-nbf-over-15-fails`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from keys.encoding import encode
from tests.support.fapi import FapiClient
from tests.support.objects import claims, signed

if TYPE_CHECKING:
    import httpx2

    from tests.support.application import Application

NONE = encode(b'{"alg":"none"}')
RSA = RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"}, private=True)


@pytest.fixture
async def fapi(app: Application) -> FapiClient:
    client = FapiClient(app, "fapi")
    keys = {"keys": [client.key.as_dict(private=False), RSA.as_dict(private=False)]}
    return await client.register(jwks=keys, require_signed_request_object=True, authorization_signed_response_alg="PS256")


async def push(fapi: FapiClient, token: str | None = None, **changes: object) -> httpx2.Response:
    object_ = token or signed(claims(fapi.app, "fapi", **changes), fapi.key)
    return await fapi.app.http.post("/par", data={"client_id": "fapi", "request": object_, **fapi.credentials()})


async def refused(fapi: FapiClient, token: str | None = None, **changes: object) -> str:
    response = await push(fapi, token, **changes)
    assert response.status_code == 400, response.text
    error: str = response.json()["error"]
    return error


def now(fapi: FapiClient) -> int:
    return int(fapi.app.provider.clock().timestamp())


async def test_the_whole_way_signed_request_and_signed_answer(fapi: FapiClient) -> None:
    pushed = await push(fapi, response_mode="jwt")
    assert pushed.status_code == 201, pushed.text
    visitor = fapi.app.visitor
    page = await visitor.get(f"/authorize?{urlencode({'client_id': 'fapi', 'request_uri': pushed.json()['request_uri']})}")
    page = await visitor.allow(await visitor.sign_in(page, fapi.app.provider.person()))
    assert page.answer.keys() == {"response"}
    keys = KeySet.import_key_set((await fapi.app.http.get("/jwks.json")).json())
    answer = jwt.decode(page.answer["response"], keys, algorithms=["PS256"])
    assert (answer.claims["iss"], answer.claims["aud"], answer.claims["state"]) == (fapi.app.provider.issuer, "fapi", "st-1")
    assert (await fapi.redeem(answer.claims["code"])).status_code == 200


async def test_fapi2_security_profile_final_ensure_request_object_with_multiple_aud_succeeds(fapi: FapiClient) -> None:
    assert (await push(fapi, aud=["https://other.test", fapi.app.provider.issuer])).status_code == 201


async def test_fapi2_security_profile_final_ensure_request_object_with_nbf_8_seconds_in_the_future_is_accepted(fapi: FapiClient) -> None:
    assert (await push(fapi, nbf=now(fapi) + 8)).status_code == 201


@pytest.mark.parametrize("typ", ["oauth-authz-req+jwt", "application/oauth-authz-req+jwt", None])
async def test_typ_is_that_of_request_objects_or_absent(fapi: FapiClient, typ: str | None) -> None:
    assert (await push(fapi, signed(claims(fapi.app, "fapi"), fapi.key, typ=typ))).status_code == 201


async def test_fapi2_security_profile_final_ensure_request_object_without_exp_fails(fapi: FapiClient) -> None:
    assert await refused(fapi, exp=None) == "invalid_request_object"


async def test_fapi2_security_profile_final_ensure_request_object_without_nbf_fails(fapi: FapiClient) -> None:
    assert await refused(fapi, nbf=None) == "invalid_request_object"


async def test_fapi2_security_profile_final_ensure_expired_request_object_fails(fapi: FapiClient) -> None:
    assert await refused(fapi, nbf=now(fapi) - 900, exp=now(fapi) - 300) == "invalid_request_object"


async def test_fapi2_security_profile_final_ensure_request_object_with_bad_aud_fails(fapi: FapiClient) -> None:
    assert await refused(fapi, aud="https://other.test") == "invalid_request_object"


async def test_fapi2_security_profile_final_ensure_request_object_with_exp_over_60_fails(fapi: FapiClient) -> None:
    assert await refused(fapi, nbf=now(fapi), exp=now(fapi) + 70 * 60) == "invalid_request_object"


async def test_fapi2_security_profile_final_ensure_request_object_with_nbf_over_60_fails(fapi: FapiClient) -> None:
    assert await refused(fapi, nbf=now(fapi) - 70 * 60, exp=now(fapi) + 60) == "invalid_request_object"


async def test_nbf_over_60_seconds_in_the_future_fails(fapi: FapiClient) -> None:
    assert await refused(fapi, nbf=now(fapi) + 70) == "invalid_request_object"


async def test_fapi2_security_profile_final_ensure_signed_request_object_with_rs256_fails(fapi: FapiClient) -> None:
    payload = claims(fapi.app, "fapi")
    assert await refused(fapi, signed(payload, RSA, "RS256")) == "invalid_request_object"
    assert (await push(fapi, signed(payload, RSA, "PS256"))).status_code == 201


async def test_fapi2_security_profile_final_ensure_request_object_signature_algorithm_is_not_none(fapi: FapiClient) -> None:
    good = signed(claims(fapi.app, "fapi"), fapi.key).split(".")
    assert await refused(fapi, f"{NONE}.{good[1]}.") == "invalid_request_object"


async def test_fapi2_security_profile_final_ensure_request_object_with_invalid_signature_fails(fapi: FapiClient) -> None:
    good = signed(claims(fapi.app, "fapi"), fapi.key)
    assert await refused(fapi, good[:-6] + "AAAAAA") == "invalid_request_object"


async def test_fapi2_security_profile_final_ensure_matching_key_in_authorization_request(fapi: FapiClient) -> None:
    """Signed by the key of another client."""
    other = ECKey.generate_key("P-256", {"kid": "fapi"}, private=True)
    assert await refused(fapi, signed(claims(fapi.app, "fapi"), other)) == "invalid_request_object"


async def test_fapi2_security_profile_final_ensure_unsigned_request_at_par_endpoint_fails(fapi: FapiClient) -> None:
    response = await fapi.push()
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


async def test_fapi2_security_profile_final_par_authorization_request_containing_request_uri(fapi: FapiClient) -> None:
    assert await refused(fapi, request_uri="urn:ietf:params:oauth:request_uri:x") == "invalid_request_object"


async def test_fapi2_security_profile_final_ensure_request_object_without_redirect_uri_fails(fapi: FapiClient) -> None:
    assert await refused(fapi, redirect_uri=None) == "invalid_request"


async def test_every_algorithm_that_is_advertised_is_taken(fapi: FapiClient) -> None:
    document: dict[str, Any] = (await fapi.app.http.get("/.well-known/openid-configuration")).json()
    assert {"PS256", "ES256"} <= set(document["request_object_signing_alg_values_supported"])
    assert {"PS256", "ES256"} <= set(document["authorization_signing_alg_values_supported"])
    assert {"jwt", "query.jwt", "form_post.jwt"} <= set(document["response_modes_supported"])
