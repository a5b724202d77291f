"""RFC 7636: PKCE, S256 only."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.application import CHALLENGE, SECRET, VERIFIER, Application


@pytest.fixture
async def secure(app: Application) -> Application:
    await app.register("secure", profile="secure")
    await app.register("public", token_endpoint_auth_method="none")
    return app


async def test_appendix_b_the_specifications_example_fits() -> None:
    from idp.spec import pkce

    assert pkce.matches("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")


async def test_4_4_1_a_missing_challenge_is_told_with_the_line_to_add(secure: Application) -> None:
    cases: Any = ["secure", "public"]
    for client in cases:
        answer = (await secure.ask(client_id=client, code_challenge=None, code_challenge_method=None)).answer
        assert answer["error"] == "invalid_request"
        assert "code_challenge_method=S256" in answer["error_description"]


async def test_profile_openid_does_not_demand_it_of_confidential_clients(app: Application) -> None:
    code = (await app.through(code_challenge=None, code_challenge_method=None))["code"]
    assert (await app.redeem(code, code_verifier=None)).status_code == 200


async def test_4_3_plain_and_malformed_challenges_are_refused(app: Application) -> None:
    cases: Any = [
        (CHALLENGE, "plain"),
        (CHALLENGE, None),
        (VERIFIER, "plain"),
        (CHALLENGE, "s256"),
        (None, "S256"),
        ("short", "S256"),
        (CHALLENGE + "=", "S256"),
        (CHALLENGE[:-1] + "+", "S256"),
    ]
    for challenge, method in cases:
        assert (await app.ask(code_challenge=challenge, code_challenge_method=method)).answer["error"] == "invalid_request"


async def test_4_6_a_missing_or_wrong_verifier_is_invalid_grant(app: Application) -> None:
    cases: Any = [None, "x" * 43, VERIFIER + "x", VERIFIER[:42], CHALLENGE, "é" * 43, "x" * 200]
    for verifier in cases:
        code = (await app.through())["code"]
        response = await app.redeem(code, code_verifier=verifier)
        assert (response.status_code, response.json()["error"]) == (400, "invalid_grant")


async def test_rfc9700_2_1_1_a_verifier_without_a_challenge_is_a_downgrade(app: Application) -> None:
    code = (await app.through(code_challenge=None, code_challenge_method=None))["code"]
    assert (await app.redeem(code)).json()["error"] == "invalid_grant"


async def test_a_public_client_redeems_with_its_verifier_alone(secure: Application) -> None:
    code = (await secure.through(client_id="public"))["code"]
    response = await secure.redeem(code, None, client_id="public")
    assert response.status_code == 200
    refreshed = await secure.refresh(response.json()["refresh_token"], None, client_id="public")
    assert refreshed.status_code == 200
    assert (await secure.redeem(code, ("public", SECRET))).status_code == 401
