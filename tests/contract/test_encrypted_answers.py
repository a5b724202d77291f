"""OIDC Core §2, §5.3.2, §10, RFC 7516, RFC 9701: ID Tokens, UserInfo and introspection answers signed and encrypted as registered."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from joserfc import jwe, jwt
from joserfc.jwk import ECKey, JWKRegistry, KeySet, RSAKey

from tests.support.application import part

if TYPE_CHECKING:
    import httpx2

    from tests.support.application import Application

AUTH = ("sealed", "rahasia")
RSA, EC = RSAKey.generate_key(2048, {"use": "enc", "kid": "rsa"}), ECKey.generate_key("P-256", {"use": "enc", "kid": "ec"})
JWKS = {"keys": [RSA.as_dict(private=False), EC.as_dict(private=False)]}
MANAGEMENT = {"RSA-OAEP-256": RSA, "ECDH-ES": EC, "ECDH-ES+A256KW": EC}
REGISTRY = jwe.JWERegistry(algorithms=[*MANAGEMENT, "A256GCM"])


def opened(token: str, algorithm: str) -> str:
    """Open a JWE as the application does."""
    found = jwe.decrypt_compact(token, MANAGEMENT[algorithm], registry=REGISTRY)
    assert found.headers()["alg"] == algorithm
    assert found.headers()["enc"] == "A256GCM"
    return (found.plaintext or b"").decode()


async def signed_by_us(app: Application, token: str, algorithm: str) -> dict[str, Any]:
    """Verify a token with our published keys, as a stock client does."""
    keys = KeySet([JWKRegistry.import_key(key) for key in (await app.http.get("/jwks.json")).json()["keys"]])
    claims: dict[str, Any] = jwt.decode(token, keys, algorithms=[algorithm]).claims
    return claims


async def tokens(app: Application, **document: Any) -> dict[str, Any]:
    await app.register("sealed", jwks=JWKS, **document)
    code = (await app.through(client_id="sealed"))["code"]
    response = await app.redeem(code, AUTH)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated:joserfc.errors.SecurityWarning")  # stock clients know no other name
@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA"])
async def test_an_id_token_is_signed_as_registered(app: Application, algorithm: str) -> None:
    found = await tokens(app, id_token_signed_response_alg=algorithm)
    claims = await signed_by_us(app, found["id_token"], algorithm)
    assert claims["aud"] == "sealed"
    assert claims["at_hash"]


@pytest.mark.parametrize("algorithm", MANAGEMENT)
async def test_an_id_token_is_signed_and_then_encrypted(app: Application, algorithm: str) -> None:
    found = await tokens(app, id_token_encrypted_response_alg=algorithm)
    assert part(found["id_token"], 0)["cty"] == "JWT"
    claims = await signed_by_us(app, opened(found["id_token"], algorithm), "RS256")
    assert (claims["iss"], claims["aud"], claims["nonce"]) == ("http://localhost:8000", "sealed", "n-1")


async def test_a_refreshed_id_token_is_encrypted_as_well(app: Application) -> None:
    found = await tokens(app, id_token_encrypted_response_alg="ECDH-ES")
    again = (await app.refresh(found["refresh_token"], AUTH)).json()
    assert (await signed_by_us(app, opened(again["id_token"], "ECDH-ES"), "RS256"))["aud"] == "sealed"


async def test_5_3_2_a_signed_userinfo_answer_names_issuer_and_audience(app: Application) -> None:
    found = await tokens(app, userinfo_signed_response_alg="RS256")
    response = await app.userinfo(found["access_token"])
    assert response.headers["content-type"] == "application/jwt"
    assert response.headers["x-access-log-id"]
    assert response.headers["cache-control"] == "no-store"
    claims = await signed_by_us(app, response.text, "RS256")
    assert (claims["iss"], claims["aud"]) == ("http://localhost:8000", "sealed")
    assert claims["name"]
    assert claims["sub"] == part(found["id_token"], 1)["sub"]


async def test_5_3_2_a_userinfo_answer_may_be_encrypted_only(app: Application) -> None:
    found = await tokens(app, userinfo_encrypted_response_alg="RSA-OAEP-256")
    response = await app.userinfo(found["access_token"])
    assert response.headers["content-type"] == "application/jwt"
    claims = json.loads(opened(response.text, "RSA-OAEP-256"))
    assert claims["name"]


async def test_5_3_2_a_userinfo_answer_may_be_signed_and_encrypted(app: Application) -> None:
    found = await tokens(app, userinfo_signed_response_alg="ES256", userinfo_encrypted_response_alg="ECDH-ES")
    response = await app.userinfo(found["access_token"])
    assert (await signed_by_us(app, opened(response.text, "ECDH-ES"), "ES256"))["name"]


async def test_without_a_fitting_key_nothing_travels_in_clear(app: Application) -> None:
    signing = ECKey.generate_key("P-256", {"use": "sig", "kid": "s"}).as_dict(private=False)
    await app.register("keyless", jwks={"keys": [signing]}, id_token_encrypted_response_alg="RSA-OAEP-256")
    response = await app.redeem((await app.through(client_id="keyless"))["code"], ("keyless", "rahasia"))
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")
    assert "encrypted" in response.json()["error_description"]
    await app.register("keyless-userinfo", jwks={"keys": [signing]}, userinfo_encrypted_response_alg="RSA-OAEP-256")
    auth = ("keyless-userinfo", "rahasia")
    found = (await app.redeem((await app.through(client_id="keyless-userinfo"))["code"], auth)).json()
    refused = await app.userinfo(found["access_token"])
    assert refused.status_code == 400
    assert "Siti" not in refused.text


async def test_a_signed_userinfo_answer_is_no_id_token_hint(app: Application) -> None:
    found = await tokens(app, userinfo_signed_response_alg="RS256")
    answer = (await app.userinfo(found["access_token"])).text
    told = await app.ask(client_id="sealed", id_token_hint=answer)
    assert told.answer["error"] == "invalid_request"


async def test_the_metadata_names_the_algorithms(app: Application) -> None:
    document = (await app.http.get("/.well-known/openid-configuration")).json()
    for what in ("id_token", "userinfo"):
        assert set(document[f"{what}_encryption_alg_values_supported"]) == set(MANAGEMENT)
        assert document[f"{what}_encryption_enc_values_supported"] == ["A256GCM"]
        assert set(document[f"{what}_signing_alg_values_supported"]) == {"RS256", "PS256", "ES256", "EdDSA"}


async def jwt_of(app: Application, auth: tuple[str, str], token: str) -> httpx2.Response:
    accept = {"accept": "application/token-introspection+jwt"}
    return await app.http.post("/introspect", data={"token": token}, auth=auth, headers=accept)


async def test_rfc_9701_5_introspection_answers_with_a_jwt_where_one_is_asked_for(app: Application) -> None:
    found = await tokens(app)
    response = await jwt_of(app, AUTH, found["access_token"])
    assert response.headers["content-type"] == "application/token-introspection+jwt"
    assert part(response.text, 0)["typ"] == "token-introspection+jwt"
    claims = await signed_by_us(app, response.text, "RS256")
    assert set(claims) == {"iss", "aud", "iat", "token_introspection"}
    assert claims["aud"] == "sealed"
    assert claims["token_introspection"]["active"] is True
    assert claims["token_introspection"]["sub"] == part(found["id_token"], 1)["sub"]


async def test_rfc_9701_5_an_inactive_token_tells_nothing_more(app: Application) -> None:
    await app.register("sealed")
    response = await jwt_of(app, AUTH, "nonsense")
    assert (await signed_by_us(app, response.text, "RS256"))["token_introspection"] == {"active": False}


async def test_rfc_9701_6_the_caller_chooses_signature_and_encryption(app: Application) -> None:
    found = await tokens(app, introspection_signed_response_alg="ES256", introspection_encrypted_response_alg="ECDH-ES")
    response = await jwt_of(app, AUTH, found["access_token"])
    claims = await signed_by_us(app, opened(response.text, "ECDH-ES"), "ES256")
    assert claims["token_introspection"]["active"] is True


async def test_rfc_9701_8_1_an_introspection_answer_passes_for_no_other_token(app: Application) -> None:
    found = await tokens(app)
    answer = (await jwt_of(app, AUTH, found["access_token"])).text
    assert (await app.userinfo(answer)).status_code == 401
    assert (await app.introspect(answer)) == {"active": False}
    assert (await app.ask(client_id="sealed", id_token_hint=answer)).answer["error"] == "invalid_request"
