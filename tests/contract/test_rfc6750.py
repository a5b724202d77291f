"""RFC 6750: bearer tokens."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from idp.spec import at_jwt
from tests.support.application import SECRET, part

if TYPE_CHECKING:
    import httpx2

    from tests.support.application import Application


def challenge(response: httpx2.Response) -> str:
    return str(response.headers["www-authenticate"])


async def test_2_1_the_header_is_taken_in_any_case_of_its_scheme(app: Application) -> None:
    cases: Any = ["Bearer", "bearer", "BEARER"]
    for scheme in cases:
        token = (await app.tokens())["access_token"]
        for method in ("GET", "POST"):
            response = await app.http.request(method, "/userinfo", headers={"authorization": f"{scheme} {token}"})
            assert response.status_code == 200


async def test_2_2_a_form_body_is_taken_with_post_only(app: Application) -> None:
    token = (await app.tokens())["access_token"]
    assert (await app.http.post("/userinfo", data={"access_token": token})).status_code == 200
    assert (await app.http.request("GET", "/userinfo", data={"access_token": token})).status_code == 401
    assert (await app.http.post("/userinfo", json={"access_token": token})).status_code == 401
    assert (
        await app.http.post(
            "/userinfo", content=f"access_token={token}&access_token={token}", headers={"content-type": "application/x-www-form-urlencoded"}
        )
    ).status_code == 400


async def test_2_3_a_token_in_the_query_is_not_taken(app: Application) -> None:
    token = (await app.tokens())["access_token"]
    assert (await app.http.get("/userinfo", params={"access_token": token})).status_code == 401


async def test_2_two_methods_in_one_request_are_refused(app: Application) -> None:
    token = (await app.tokens())["access_token"]
    both = await app.http.post("/userinfo", data={"access_token": token}, headers={"authorization": f"Bearer {token}"})
    assert both.status_code == 400
    assert 'error="invalid_request"' in challenge(both)
    twice = await app.http.get("/userinfo", headers=[("authorization", f"Bearer {token}"), ("authorization", f"Bearer {token}")])
    assert twice.status_code == 400


async def test_3_1_without_a_token_the_challenge_has_no_error(app: Application) -> None:
    response = await app.http.get("/userinfo")
    assert response.status_code == 401
    assert challenge(response) == 'Bearer realm="gerbang", DPoP realm="gerbang", algs="ES256 PS256 EdDSA"'


async def test_3_1_a_token_that_is_none_is_invalid_token(app: Application) -> None:
    cases: Any = ["x", "a.b.c", "....", "é", "x" * 20000, "null"]
    for token in cases:
        response = await app.http.get("/userinfo", headers=[(b"authorization", b"Bearer " + token.encode())])
        assert response.status_code == 401
        assert 'error="invalid_token"' in challenge(response)
        assert "x-access-log-id" not in response.headers


async def test_3_1_an_expired_token_is_invalid_token(app: Application) -> None:
    token = (await app.tokens())["access_token"]
    app.provider.clock.move(seconds=301)
    assert 'error="invalid_token"' in challenge(await app.userinfo(token))


async def test_3_1_a_token_without_openid_is_insufficient_scope(app: Application) -> None:
    token = (await app.tokens(scope="profile"))["access_token"]
    response = await app.userinfo(token)
    assert response.status_code == 403
    assert 'error="insufficient_scope"' in challenge(response)
    assert 'scope="openid"' in challenge(response)


async def test_3_1_a_clients_own_token_reads_nobody(app: Application) -> None:
    await app.register("machine", grant_types=["client_credentials"], redirect_uris=None, purposes=None, scope="openid laporan")
    token = (await app.token({"grant_type": "client_credentials"}, ("machine", SECRET))).json()["access_token"]
    assert (await app.userinfo(token)).status_code == 403


async def test_a_token_of_a_removed_client_is_invalid(app: Application) -> None:
    token = (await app.tokens())["access_token"]
    await app.provider.services.clients.remove("app")
    assert (await app.userinfo(token)).status_code == 401


def _encode(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


async def test_forged_access_tokens_are_refused(app: Application) -> None:
    cases: Any = ["none", "None", "hs256-with-public-key", "type-jwt", "no-type", "other-kid", "jwk-header", "flipped", "id-token", "crit"]
    for attack in cases:
        tokens = await app.tokens()
        head, body, signature = tokens["access_token"].split(".")
        header = part(tokens["access_token"], 0)
        forged = {
            "none": f"{_encode({**header, 'alg': 'none'})}.{body}.",
            "None": f"{_encode({**header, 'alg': 'None'})}.{body}.",
            "hs256-with-public-key": f"{_encode({**header, 'alg': 'HS256'})}.{body}.{signature}",
            "type-jwt": f"{_encode({**header, 'typ': 'JWT'})}.{body}.{signature}",
            "no-type": f"{_encode({k: v for k, v in header.items() if k != 'typ'})}.{body}.{signature}",
            "other-kid": f"{_encode({**header, 'kid': 'other'})}.{body}.{signature}",
            "jwk-header": f"{_encode({**header, 'jwk': {'kty': 'EC'}})}.{body}.{signature}",
            "flipped": f"{head}.{body}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}",
            "id-token": tokens["id_token"],
            "crit": f"{_encode({**header, 'crit': ['exp']})}.{body}.{signature}",
        }[attack]
        assert (await app.userinfo(forged)).status_code == 401
        assert await app.introspect(forged) == {"active": False}


async def test_tokens_signed_by_us_with_wrong_claims_are_refused(app: Application) -> None:
    cases: Any = [
        {"iss": "https://other.test"},
        {"aud": "https://other.test"},
        {"exp": 1},
        {"exp": "x"},
        {"jti": None},
        {"client_id": "other"},
        {"authorization_id": "other"},
    ]
    for change in cases:
        claims = part((await app.tokens())["access_token"], 1)
        changed = {name: value for name, value in {**claims, **change}.items() if value is not None}
        token = await app.provider.services.keyring.signing.sign(changed, algorithm=at_jwt.ALGORITHM, type=at_jwt.TYPE)
        assert (await app.userinfo(token)).status_code == 401


async def test_other_methods_are_405_json(app: Application) -> None:
    cases: Any = ["PUT", "DELETE"]
    for method in cases:
        response = await app.http.request(method, "/userinfo")
        assert response.status_code == 405
        assert response.json()["error"] == "invalid_request"
