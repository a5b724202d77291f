"""FAPI 2.0 Security Profile, authorization requests: twins of the certification suite's modules, named after them.

Left out: the modules of other countries' profiles (Australia, Brazil, United Kingdom).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from tests.support.application import CALLBACK, parameters, part
from tests.support.fapi import FapiClient
from tests.support.objects import claims, signed

if TYPE_CHECKING:
    import httpx2

    from tests.support.application import Application
    from tests.support.visitor import Page

LONG = "n" * 384


@pytest.fixture
async def fapi(app: Application) -> FapiClient:
    return await FapiClient(app, "fapi").register()


def error(response: httpx2.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]


async def opened(fapi: FapiClient, uri: str, client_id: str = "fapi", **more: str) -> Page:
    return await fapi.app.visitor.get(f"/authorize?{urlencode({'client_id': client_id, 'request_uri': uri, **more})}")


async def uri_of(fapi: FapiClient, **changes: Any) -> str:
    response = await fapi.push(**changes)
    assert response.status_code == 201, response.text
    uri: str = response.json()["request_uri"]
    return uri


async def walked(fapi: FapiClient, page: Page) -> dict[str, str]:
    visitor = fapi.app.visitor
    page = await visitor.sign_in(page, fapi.app.provider.person()) if page.path == "/login" else page
    return (await visitor.allow(page) if page.path == "/approve" else page).answer


async def answer_of(fapi: FapiClient, **changes: Any) -> dict[str, str]:
    return await walked(fapi, await opened(fapi, await uri_of(fapi, **changes)))


async def test_fapi2_security_profile_final_user_rejects_authentication(fapi: FapiClient) -> None:
    page = await fapi.app.visitor.sign_in(await opened(fapi, await uri_of(fapi)), fapi.app.provider.person())
    assert (await fapi.app.visitor.deny(page)).answer["error"] == "access_denied"


async def test_fapi2_security_profile_final_ensure_authorization_request_without_state_success(fapi: FapiClient) -> None:
    answer = await answer_of(fapi, state=None)
    assert "state" not in answer
    assert "s_hash" not in part((await fapi.redeem(answer["code"])).json()["id_token"], 1)


async def nonce_of(fapi: FapiClient, nonce: str | None) -> str | None:
    """Give the nonce that comes back for this one."""
    tokens = (await fapi.redeem((await answer_of(fapi, nonce=nonce))["code"])).json()
    returned: str | None = part(tokens["id_token"], 1).get("nonce")
    return returned


async def test_fapi2_security_profile_final_ensure_authorization_request_without_nonce_success(fapi: FapiClient) -> None:
    assert await nonce_of(fapi, None) is None


async def test_fapi2_security_profile_final_ensure_authorization_request_with_64_char_nonce_success(fapi: FapiClient) -> None:
    assert await nonce_of(fapi, "n" * 64) == "n" * 64


async def test_fapi2_security_profile_final_ensure_authorization_request_with_long_nonce(fapi: FapiClient) -> None:
    assert await nonce_of(fapi, LONG) == LONG


async def test_fapi2_security_profile_final_ensure_authorization_request_with_long_state(fapi: FapiClient) -> None:
    assert (await answer_of(fapi, state=LONG))["state"] == LONG


async def test_fapi2_security_profile_final_ensure_other_scope_order_succeeds(fapi: FapiClient) -> None:
    assert "code" in await answer_of(fapi, scope="email profile openid")


async def test_fapi2_security_profile_final_test_claims_parameter_identity_claims(fapi: FapiClient) -> None:
    answer = await answer_of(fapi, claims='{"userinfo":{"email":null,"unknown":{"essential":true}},"id_token":{"name":null}}')
    assert part((await fapi.redeem(answer["code"])).json()["id_token"], 1)["name"]


async def test_fapi2_security_profile_final_ensure_different_nonce_inside_and_outside_request_object(fapi: FapiClient) -> None:
    answer = await walked(fapi, await opened(fapi, await uri_of(fapi), nonce="outside"))
    assert part((await fapi.redeem(answer["code"])).json()["id_token"], 1)["nonce"] == "n-1"


async def test_fapi2_security_profile_final_ensure_different_state_inside_and_outside_request_object(fapi: FapiClient) -> None:
    assert (await walked(fapi, await opened(fapi, await uri_of(fapi), state="outside")))["state"] == "st-1"


async def test_fapi2_security_profile_final_state_only_outside_request_object_not_used(fapi: FapiClient) -> None:
    assert "state" not in await walked(fapi, await opened(fapi, await uri_of(fapi, state=None), state="outside"))


@pytest.mark.parametrize("redirect_uri", ["https://evil.test/cb", f"{CALLBACK}/"])
async def test_fapi2_security_profile_final_ensure_registered_redirect_uri(fapi: FapiClient, redirect_uri: str) -> None:
    assert error(await fapi.push(redirect_uri=redirect_uri)) == (400, "invalid_request")


async def test_fapi2_security_profile_final_plain_fapi_tolerate_unregistered_redirect_uri(fapi: FapiClient) -> None:
    """RFC 9126 §2.4 lets a server allow it; this one does not."""
    assert error(await fapi.push(redirect_uri="https://app.test/cb-of-another-day")) == (400, "invalid_request")


async def test_fapi2_security_profile_final_ensure_redirect_uri_in_authorization_request(fapi: FapiClient) -> None:
    assert error(await fapi.push(redirect_uri=None)) == (400, "invalid_request")


async def test_fapi2_security_profile_final_ensure_request_object_without_redirect_uri_fails(fapi: FapiClient) -> None:
    inside = signed(claims(fapi.app, "fapi", redirect_uri=None), fapi.key, kid="fapi")
    sent = {"client_id": "fapi", "request": inside, "redirect_uri": CALLBACK, **fapi.credentials()}
    assert error(await fapi.app.http.post("/par", data=sent))[0] == 400


async def test_fapi2_security_profile_final_ensure_unsigned_authorization_request_without_using_par_fails(fapi: FapiClient) -> None:
    page = await fapi.app.visitor.get(f"/authorize?{urlencode(parameters(client_id='fapi'))}")
    assert page.answer["error"] == "invalid_request"


async def test_fapi2_security_profile_final_ensure_response_type_code_idtoken_fails(fapi: FapiClient) -> None:
    assert error(await fapi.push(response_type="code id_token")) == (400, "unsupported_response_type")


async def test_fapi2_security_profile_final_ensure_response_type_token_fails(fapi: FapiClient) -> None:
    assert error(await fapi.push(response_type="token")) == (400, "unsupported_response_type")
    assert error(await fapi.push(response_type="id_token")) == (400, "unsupported_response_type")


async def test_fapi2_security_profile_final_par_ensure_reused_request_uri_prior_to_auth_completion_succeeds(fapi: FapiClient) -> None:
    uri = await uri_of(fapi)
    assert (await opened(fapi, uri)).path == "/login"
    assert "code" in await walked(fapi, await opened(fapi, uri))


async def test_fapi2_security_profile_final_par_attempt_reuse_request_uri(fapi: FapiClient) -> None:
    uri = await uri_of(fapi)
    await walked(fapi, await opened(fapi, uri))
    page = await opened(fapi, uri)
    assert (page.status, page.left) == (400, None)


async def test_fapi2_security_profile_final_par_attempt_to_use_expired_request_uri(fapi: FapiClient) -> None:
    response = await fapi.push()
    fapi.app.provider.clock.move(seconds=response.json()["expires_in"] + 1)
    page = await opened(fapi, response.json()["request_uri"])
    assert (page.status, page.left) == (400, None)


async def test_fapi2_security_profile_final_par_attempt_to_use_request_uri_for_different_client(fapi: FapiClient) -> None:
    await FapiClient(fapi.app, "fapi-2").register()
    page = await opened(fapi, await uri_of(fapi), "fapi-2")
    assert (page.status, page.left) == (400, None)


async def test_fapi2_security_profile_final_par_authorization_request_containing_request_uri_form_param(fapi: FapiClient) -> None:
    assert error(await fapi.push(request_uri=await uri_of(fapi))) == (400, "invalid_request")


async def test_fapi2_security_profile_final_par_attempt_invalid_http_method(fapi: FapiClient) -> None:
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        assert (await fapi.app.http.request(method, "/par")).status_code == 405


async def test_fapi2_security_profile_final_par_ensure_pkce_required(fapi: FapiClient) -> None:
    assert error(await fapi.push(code_challenge=None, code_challenge_method=None)) == (400, "invalid_request")


async def test_fapi2_security_profile_final_par_plain_pkce_rejected(fapi: FapiClient) -> None:
    """Also where nothing is said, for that means plain (RFC 7636 §4.3)."""
    for method in ("plain", None):
        assert error(await fapi.push(code_challenge_method=method)) == (400, "invalid_request")


async def test_fapi2_security_profile_final_par_without_duplicate_parameters(fapi: FapiClient) -> None:
    assert "code" in await answer_of(fapi)


async def test_fapi2_security_profile_final_par_ensure_jwt_client_assertions_nbf_8_seconds_in_the_future_is_accepted(
    fapi: FapiClient,
) -> None:
    now = int(fapi.app.provider.clock().timestamp())
    assert (await fapi.push(credentials=fapi.credentials(nbf=now + 8, iat=now + 8))).status_code == 201


async def test_fapi2_security_profile_final_par_ensure_jwt_client_assertions_nbf_over_60_seconds_in_the_future_fails(
    fapi: FapiClient,
) -> None:
    now = int(fapi.app.provider.clock().timestamp())
    assert error(await fapi.push(credentials=fapi.credentials(nbf=now + 70, iat=now + 70))) == (401, "invalid_client")


async def refused_audience(fapi: FapiClient, aud: object) -> None:
    """FAPI 2.0 §5.3.2.1 (8): only the issuer as a string is right."""
    assert error(await fapi.push(credentials=fapi.credentials(aud=aud))) == (401, "invalid_client")


async def test_fapi2_security_profile_final_par_test_array_as_audience_fails(fapi: FapiClient) -> None:
    await refused_audience(fapi, [fapi.app.provider.issuer])


async def test_fapi2_security_profile_final_par_test_par_endpoint_url_as_audience_fails(fapi: FapiClient) -> None:
    await refused_audience(fapi, f"{fapi.app.provider.issuer}/par")


async def test_fapi2_security_profile_final_par_test_token_endpoint_url_as_audience_fails(fapi: FapiClient) -> None:
    await refused_audience(fapi, f"{fapi.app.provider.issuer}/token")
