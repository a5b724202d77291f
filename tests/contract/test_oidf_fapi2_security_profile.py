"""FAPI 2.0 Security Profile at the token endpoint and the resource: twins of the certification suite's modules, named after them.

The modules about pushed requests are in test_oidf_fapi2_pushed.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from joserfc.jwk import RSAKey

from tests.support.application import AUTH, part
from tests.support.fapi import FapiClient
from tests.support.proofs import Holder, sign

if TYPE_CHECKING:
    import httpx2

    from tests.support.application import Application


@pytest.fixture
async def fapi(app: Application) -> FapiClient:
    return await FapiClient(app, "fapi").register()


def error(response: httpx2.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]


INVALID_CLIENT = (401, "invalid_client")
INVALID_GRANT = (400, "invalid_grant")


async def test_fapi2_security_profile_final_happy_flow(app: Application, fapi: FapiClient) -> None:
    second = await FapiClient(app, "fapi-2").register()
    for client in (fapi, second):
        answer = await client.tokens()
        assert answer["token_type"] == "DPoP"
        assert part(answer["access_token"], 1)["cnf"] == {"jkt": client.holder.thumbprint}
        assert part(answer["id_token"], 0)["alg"] in {"PS256", "ES256", "EdDSA"}
        assert min(len(answer["refresh_token"]), len(answer["access_token"])) >= 43
        assert (await client.holder.userinfo(app.http, answer["access_token"])).status_code == 200


async def test_fapi2_security_profile_final_discovery_end_point_verification(app: Application) -> None:
    document = (await app.http.get("/.well-known/openid-configuration")).json()
    assert set(document["dpop_signing_alg_values_supported"]) == {"PS256", "ES256", "EdDSA"}
    assert "private_key_jwt" in document["token_endpoint_auth_methods_supported"]
    assert {"PS256", "ES256"} <= set(document["token_endpoint_auth_signing_alg_values_supported"])
    assert document["authorization_response_iss_parameter_supported"] is True
    assert document["pushed_authorization_request_endpoint"]


# --- holders of keys ----------------------------------------------------------------------------------------------------------------------


async def test_fapi2_security_profile_final_ensure_holder_of_key_required(fapi: FapiClient) -> None:
    assert error(await fapi.redeem(await fapi.code(), proof=None)) == (400, "invalid_dpop_proof")


async def test_fapi2_security_profile_final_ensure_mismatched_dpop_jkt_fails(app: Application, fapi: FapiClient) -> None:
    other = Holder(app.provider).thumbprint
    response = await fapi.push(proof=fapi.holder.proof("POST", "/par"), dpop_jkt=other)
    assert error(response) == (400, "invalid_dpop_proof")


async def test_fapi2_security_profile_final_ensure_token_endpoint_fails_with_mismatched_dpop_proof_jkt(
    app: Application, fapi: FapiClient
) -> None:
    code = await fapi.code(proof=fapi.holder.proof("POST", "/par"))
    assert error(await fapi.redeem(code, proof=Holder(app.provider).proof())) == INVALID_GRANT


async def test_fapi2_security_profile_final_ensure_token_endpoint_fails_with_mismatched_dpop_jkt(
    app: Application, fapi: FapiClient
) -> None:
    code = await fapi.code(dpop_jkt=Holder(app.provider).thumbprint)
    assert error(await fapi.redeem(code)) == INVALID_GRANT


async def test_fapi2_security_profile_final_ensure_dpopproof_at_par_endpoint_binding_success(fapi: FapiClient) -> None:
    code = await fapi.code(proof=fapi.holder.proof("POST", "/par"))
    assert (await fapi.redeem(code)).status_code == 200


async def test_fapi2_security_profile_final_ensure_dpop_auth_code_binding_success(fapi: FapiClient) -> None:
    code = await fapi.code(proof=fapi.holder.proof("POST", "/par"), dpop_jkt=fapi.holder.thumbprint)
    assert (await fapi.redeem(code)).status_code == 200


async def proofs_from(fapi: FapiClient, away: int) -> None:
    """Prove at all three places by a clock that is `away` seconds off."""
    iat = int(fapi.app.provider.clock().timestamp()) + away
    code = await fapi.code(proof=fapi.holder.proof("POST", "/par", iat=iat))
    token = (await fapi.redeem(code, proof=fapi.holder.proof(iat=iat))).json()["access_token"]
    proof = fapi.holder.proof("GET", "/userinfo", token, iat=iat)
    assert (await fapi.holder.userinfo(fapi.app.http, token, proof)).status_code == 200


async def test_fapi2_security_profile_final_ensure_dpopproof_with_iat_10seconds_before_succeeds(fapi: FapiClient) -> None:
    await proofs_from(fapi, -10)


async def test_fapi2_security_profile_final_ensure_dpopproof_with_iat_10seconds_after_succeeds(fapi: FapiClient) -> None:
    await proofs_from(fapi, 10)


async def test_fapi2_security_profile_final_check_dpop_proof_nbf_exp(app: Application, fapi: FapiClient) -> None:
    token, now = (await fapi.tokens())["access_token"], int(app.provider.clock().timestamp())
    good = fapi.holder.proof("GET", "/userinfo", token, nbf=now - 5, exp=now + 60)
    assert (await fapi.holder.userinfo(app.http, token, good)).status_code == 200
    late = fapi.holder.proof("GET", "/userinfo", token, exp=now - 120)
    assert (await fapi.holder.userinfo(app.http, token, late)).status_code == 401


async def test_fapi2_security_profile_final_access_token_type_header_case_sensitivity(app: Application, fapi: FapiClient) -> None:
    token = (await fapi.tokens())["access_token"]
    for scheme in ("DPoP", "dpop", "DPOP"):
        assert (await fapi.holder.userinfo(app.http, token, scheme=scheme)).status_code == 200


# --- client authentication ----------------------------------------------------------------------------------------------------------------


async def test_fapi2_security_profile_final_ensure_client_assertion_in_token_endpoint(fapi: FapiClient) -> None:
    assert error(await fapi.redeem(await fapi.code(), credentials={"client_id": "fapi"})) == INVALID_CLIENT


async def test_fapi2_security_profile_final_ensure_signed_client_assertion_with_rs256_fails(app: Application) -> None:
    key = RSAKey.generate_key(2048, {"kid": "fapi"}, private=True)
    client = await FapiClient(app, "fapi").register(jwks={"keys": [key.as_dict(private=False)]})
    form: dict[str, object] = {"grant_type": "refresh_token", "refresh_token": "x"}
    for algorithm, expected in (("RS256", INVALID_CLIENT), ("PS256", INVALID_GRANT)):
        assertion = sign(key, {"alg": algorithm, "kid": "fapi"}, client.claims())
        assert error(await client.send(form, credentials=client.credentials(assertion))) == expected


async def refused_assertion(fapi: FapiClient, **changes: object) -> None:
    """At the token endpoint and at PAR alike."""
    form: dict[str, object] = {"grant_type": "refresh_token", "refresh_token": "x"}
    assert error(await fapi.send(form, credentials=fapi.credentials(**changes))) == INVALID_CLIENT, changes
    assert error(await fapi.push(credentials=fapi.credentials(**changes))) == INVALID_CLIENT, changes


async def test_fapi2_security_profile_final_ensure_client_assertion_with_exp_is_5_minutes_in_past_fails(fapi: FapiClient) -> None:
    await refused_assertion(fapi, exp=int(fapi.app.provider.clock().timestamp()) - 300)


async def test_fapi2_security_profile_final_ensure_client_assertion_with_wrong_aud_fails(fapi: FapiClient) -> None:
    issuer = fapi.app.provider.issuer
    for aud in ("https://other.test", [issuer], [issuer, f"{issuer}/token"], f"{issuer}/token", f"{issuer}/par", f"{issuer}/"):
        await refused_assertion(fapi, aud=aud)


async def test_fapi2_security_profile_final_ensure_client_assertion_with_no_sub_fails(fapi: FapiClient) -> None:
    await refused_assertion(fapi, sub=None)


async def test_assertions_lack_nothing_and_are_of_this_minute(fapi: FapiClient) -> None:
    now = int(fapi.app.provider.clock().timestamp())
    for changes in ({"exp": None}, {"jti": None}, {"iss": None}, {"nbf": now + 65}, {"iat": now + 65}):
        await refused_assertion(fapi, **changes)
    form: dict[str, object] = {"grant_type": "refresh_token", "refresh_token": "x"}
    assert error(await fapi.send(form, credentials=fapi.credentials(nbf=now + 8, iat=now + 8))) == INVALID_GRANT


async def test_fapi2_security_profile_final_ensure_client_id_in_token_endpoint(app: Application, fapi: FapiClient) -> None:
    await FapiClient(app, "fapi-2").register()
    response = await fapi.redeem(await fapi.code(), client_id="fapi-2")
    assert error(response) == INVALID_CLIENT


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "none"])
async def test_5_3_2_1_no_other_method_authenticates_a_client_of_this_profile(app: Application, method: str) -> None:
    """Registration refuses it already; a row that says so all the same is not served."""
    from dataclasses import replace

    await FapiClient(app, "fapi").register()
    clients = app.provider.services.clients
    known = await clients.get("fapi")
    assert known is not None
    clients._cached["fapi"] = (float("inf"), replace(known, auth_method=method))
    auth = ("fapi", AUTH[1]) if method == "client_secret_basic" else None
    form: dict[str, object] = {"grant_type": "refresh_token", "refresh_token": "x", "client_id": "fapi"}
    assert error(await app.token(form, auth)) == INVALID_CLIENT


# --- codes and refresh tokens -------------------------------------------------------------------------------------------------------------


async def test_fapi2_security_profile_final_ensure_authorization_code_is_bound_to_client(app: Application, fapi: FapiClient) -> None:
    second = await FapiClient(app, "fapi-2").register()
    assert error(await second.redeem(await fapi.code())) == INVALID_GRANT


async def test_fapi2_security_profile_final_attempt_reuse_authorization_code_after_one_second(app: Application, fapi: FapiClient) -> None:
    code = await fapi.code()
    token = (await fapi.redeem(code)).json()["access_token"]
    app.provider.clock.move(seconds=1)
    assert error(await fapi.redeem(code)) == INVALID_GRANT
    assert (await fapi.holder.userinfo(app.http, token)).status_code == 401


@pytest.mark.parametrize("provider_settings", [{"code_lifetime": 600}])
async def test_fapi2_security_profile_final_ensure_token_endpoint_fails_with_expired_auth_code(app: Application, fapi: FapiClient) -> None:
    """60 seconds at most, whatever the settings say."""
    code = await fapi.code()
    app.provider.clock.move(seconds=61)
    assert error(await fapi.redeem(code)) == INVALID_GRANT


async def test_fapi2_security_profile_final_ensure_pkce_code_verifier_required(fapi: FapiClient) -> None:
    assert error(await fapi.redeem(await fapi.code(), code_verifier=None)) == INVALID_GRANT


async def test_fapi2_security_profile_final_incorrect_pkce_code_verifier_rejected(fapi: FapiClient) -> None:
    assert error(await fapi.redeem(await fapi.code(), code_verifier="x" * 43)) == INVALID_GRANT


async def test_fapi2_security_profile_final_refresh_token(app: Application, fapi: FapiClient) -> None:
    """It works, is not rotated, is bound to the client, needs authentication and a proof; the key may change (RFC 9449 §5)."""
    second = await FapiClient(app, "fapi-2").register()
    first = await fapi.tokens()
    token = first["refresh_token"]
    for _ in range(3):
        answer = (await fapi.refresh(token)).json()
        assert answer.get("refresh_token", token) == token
        assert part(answer["id_token"], 1)["sub"] == part(first["id_token"], 1)["sub"]
        assert (await fapi.holder.userinfo(app.http, answer["access_token"])).status_code == 200
    assert error(await second.refresh(token)) == INVALID_GRANT
    assert error(await fapi.refresh(token, credentials={"client_id": "fapi"})) == INVALID_CLIENT
    assert error(await fapi.refresh(token, proof=None)) == (400, "invalid_dpop_proof")
    other = Holder(app.provider)
    assert part((await fapi.refresh(token, proof=other.proof())).json()["access_token"], 1)["cnf"] == {"jkt": other.thumbprint}


async def test_a_refresh_token_that_is_not_rotated_ends_with_its_authorization(app: Application, fapi: FapiClient) -> None:
    token = (await fapi.tokens())["refresh_token"]
    form: dict[str, Any] = {"token": token, **fapi.credentials()}
    assert (await app.http.post("/revoke", data=form)).status_code == 200
    assert error(await fapi.refresh(token)) == INVALID_GRANT
    again = (await fapi.tokens())["refresh_token"]
    app.provider.clock.move(days=31)
    assert error(await fapi.refresh(again)) == INVALID_GRANT
