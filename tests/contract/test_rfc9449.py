"""RFC 9449: tokens that are good only for the holder of a key (DPoP)."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from joserfc.jwk import ECKey, OKPKey, RSAKey

from idp.spec import dpop
from tests.support.application import AUTH, CALLBACK, VERIFIER, part
from tests.support.proofs import Holder, encode, hash_of, sign

if TYPE_CHECKING:
    import httpx2

    from tests.support.application import Application

RSA = RSAKey.generate_key(2048, private=True)
BIG_RSA = RSAKey.generate_key(4096, private=True)


@pytest.fixture
def holder(app: Application) -> Holder:
    return Holder(app.provider)


async def redeem(app: Application, code: str, proof: str | None, auth: tuple[str, str] | None = AUTH, **more: object) -> httpx2.Response:
    form: dict[str, object] = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    return await app.token(form | more, auth, headers={"dpop": proof} if proof else {})


async def refresh(app: Application, token: str, proof: str | None, auth: tuple[str, str] | None = AUTH, **more: object) -> httpx2.Response:
    form: dict[str, object] = {"grant_type": "refresh_token", "refresh_token": token}
    return await app.token(form | more, auth, headers={"dpop": proof} if proof else {})


async def tokens(app: Application, holder: Holder) -> dict[str, Any]:
    response = await redeem(app, (await app.through())["code"], holder.proof())
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


# --- issuing ------------------------------------------------------------------------------------------------------------------------


async def test_5_a_proof_binds_the_token_to_its_key_and_says_so(app: Application, holder: Holder) -> None:
    answer = await tokens(app, holder)
    assert answer["token_type"] == "DPoP"
    assert part(answer["access_token"], 1)["cnf"] == {"jkt": holder.thumbprint}
    response = await holder.userinfo(app.http, answer["access_token"])
    assert response.status_code == 200
    assert response.json()["sub"] == part(answer["id_token"], 1)["sub"]


async def test_5_without_a_proof_tokens_are_bearer_tokens(app: Application) -> None:
    answer = await app.tokens()
    assert answer["token_type"] == "Bearer"
    assert "cnf" not in part(answer["access_token"], 1)


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [(OKPKey.generate_key("Ed25519", private=True), "EdDSA"), (RSA, "PS256"), (BIG_RSA, "PS256")],
    ids=["EdDSA", "PS256", "PS256-4096"],
)
async def test_5_every_advertised_algorithm_works(app: Application, key: Any, algorithm: str) -> None:
    document = (await app.http.get("/.well-known/openid-configuration")).json()
    assert algorithm in document["dpop_signing_alg_values_supported"]
    holder = Holder(app.provider, key, algorithm)
    answer = await tokens(app, holder)
    assert (await holder.userinfo(app.http, answer["access_token"])).status_code == 200


async def test_5_2_a_client_that_registered_dpop_bound_access_tokens_must_send_a_proof(app: Application, holder: Holder) -> None:
    await app.register("bound", dpop_bound_access_tokens=True, grant_types=["client_credentials"], redirect_uris=None, scope="laporan")
    form: dict[str, object] = {"grant_type": "client_credentials"}
    refused = await app.token(form, ("bound", AUTH[1]))
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_dpop_proof")
    given = await app.token(form, ("bound", AUTH[1]), headers={"dpop": holder.proof()})
    assert given.json()["token_type"] == "DPoP"


async def test_5_a_bad_proof_at_the_token_endpoint_leaves_the_code_unused(app: Application, holder: Holder) -> None:
    code = (await app.through())["code"]
    refused = await redeem(app, code, holder.proof(htm="GET"))
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_dpop_proof")
    assert (await redeem(app, code, holder.proof())).status_code == 200


# --- the proof: section 4.3, and oidf fapi2-security-profile-final-dpop-negative-tests ------------------------------------------------


def bad_proofs(holder: Holder, token: str) -> dict[str, str]:
    """Every proof for `GET /userinfo` that must be refused, by what is wrong with it."""
    provider, other = holder.provider, Holder(holder.provider)
    now = int(provider.clock().timestamp())

    def made(header: Any = None, **claims: object) -> str:
        return holder.proof("GET", "/userinfo", token, header=header, **claims)

    good_header, good_claims = holder.header(), holder.claims("GET", "/userinfo", token)
    head, body, signature = made().split(".")
    private = {**holder.key.as_dict(private=True)}
    return {
        "not a JWT": "proof",
        "two parts": f"{head}.{body}",
        "five parts": f"{head}.{body}.{signature}.{signature}.{signature}",
        "empty parts": "..",
        "typ missing": made({"typ": None}),
        "typ of an access token": made({"typ": "at+jwt"}),
        "typ JWT": made({"typ": "JWT"}),
        "typ in a list": f"{encode(json.dumps({**good_header, 'typ': ['dpop+jwt']}).encode())}.{body}.{signature}",
        "alg missing": f"{encode(json.dumps(holder.header(alg=None)).encode())}.{body}.{signature}",
        "alg none": f"{encode(json.dumps(holder.header(alg='none')).encode())}.{body}.",
        "alg HS256": f"{encode(json.dumps(holder.header(alg='HS256')).encode())}.{body}.{signature}",
        "RS256": Holder(provider, RSA, "RS256").proof("GET", "/userinfo", token),
        "jwk missing": made({"jwk": None}),
        "jwk a text": f"{encode(json.dumps({**good_header, 'jwk': 'key'}).encode())}.{body}.{signature}",
        "jwk private": made({"jwk": private}),
        "jwk of somebody else": made({"jwk": other.key.as_dict(private=False)}),
        "jwk symmetric": f"{encode(json.dumps({**good_header, 'jwk': {'kty': 'oct', 'k': 'AAAA'}}).encode())}.{body}.{signature}",
        "jwk of another curve": f"{encode(json.dumps({**good_header, 'jwk': P384.as_dict(private=False)}).encode())}.{body}.{signature}",
        "jku": made({"jku": "https://evil.test/jwks.json"}),
        "x5u": made({"x5u": "https://evil.test/cert.pem"}),
        "crit": f"{encode(json.dumps({**good_header, 'crit': ['exp']}).encode())}.{body}.{signature}",
        "b64 false": f"{encode(json.dumps({**good_header, 'b64': False, 'crit': ['b64']}).encode())}.{body}.{signature}",
        "signature of other claims": f"{head}.{encode(json.dumps({**good_claims, 'x': 1}).encode())}.{signature}",
        "signature cut": f"{head}.{body}.{signature[:-2]}",
        "signature empty": f"{head}.{body}.",
        "claims a list": sign(holder.key, good_header, b"[]"),
        "claims not JSON": sign(holder.key, good_header, b"proof"),
        "claims with a name twice": sign(holder.key, good_header, json.dumps(good_claims).encode()[:-1] + b', "htm": "GET"}'),
        "jti missing": made(jti=None),
        "jti empty": made(jti=""),
        "jti a number": made(jti=1),
        "jti huge": made(jti="x" * 300),
        "htm missing": made(htm=None),
        "htm of another method": made(htm="POST"),
        "htm in small letters": made(htm="get"),
        "htu missing": made(htu=None),
        "htu of another path": made(htu=f"{provider.issuer}/token"),
        "htu of another host": made(htu="https://evil.test/userinfo"),
        "htu of another scheme": made(htu=f"{provider.issuer.replace('http', 'https')}/userinfo"),
        "htu of another port": made(htu="http://localhost:9/userinfo"),
        "htu with a user": made(htu="http://user@localhost:8000/userinfo"),
        "htu a path": made(htu="/userinfo"),
        "htu a list": made(htu=[f"{provider.issuer}/userinfo"]),
        "htu in other letters": made(htu=f"{provider.issuer}/USERINFO"),
        "iat missing": made(iat=None),
        "iat an hour ago": made(iat=now - 3600),
        "iat in an hour": made(iat=now + 3600),
        "iat 62 seconds ago": made(iat=now - 62),
        "iat a text": made(iat=str(now)),
        "iat true": made(iat=True),
        "iat infinite": sign(holder.key, good_header, json.dumps({**good_claims, "iat": float("inf")}).encode()),
        "exp past": made(exp=now - 300),
        "nbf ahead": made(nbf=now + 300),
        "ath missing": made(ath=None),
        "ath of another token": made(ath=hash_of("other")),
        "ath padded": made(ath=hash_of(token) + "="),
        "nonce of somebody else": made(nonce="nonce"),
        "nonce a number": made(nonce=1),
        "key of somebody else": other.proof("GET", "/userinfo", token),
        "two proofs in one header": f"{made()}, {made()}",
        "huge": made(x="x" * 17000),
        "an access token": token,
    }


P384 = ECKey.generate_key("P-384", private=True)


async def test_fapi2_security_profile_final_dpop_negative_tests(app: Application, holder: Holder) -> None:
    token = (await tokens(app, holder))["access_token"]
    for name, proof in bad_proofs(holder, token).items():
        response = await holder.userinfo(app.http, token, proof)
        assert response.status_code == 401, name
        assert response.json()["error"] in {"invalid_dpop_proof", "use_dpop_nonce", "invalid_token"}, name
        assert 'DPoP realm="gerbang"' in response.headers["www-authenticate"], name
        assert 'algs="ES256 PS256 EdDSA"' in response.headers["www-authenticate"], name
        assert response.headers["dpop-nonce"], name
    assert (await holder.userinfo(app.http, token)).status_code == 200


async def test_4_3_1_two_dpop_headers_are_refused_also_when_both_are_good(app: Application, holder: Holder) -> None:
    token = (await tokens(app, holder))["access_token"]
    one, two = (holder.proof("GET", "/userinfo", token) for _ in range(2))
    response = await app.http.get("/userinfo", headers=[("authorization", f"DPoP {token}"), ("dpop", one), ("DPoP", two)])
    assert (response.status_code, response.json()["error"]) == (401, "invalid_dpop_proof")


async def test_4_3_9_query_fragment_case_of_host_and_default_port_do_not_count(app: Application, holder: Holder) -> None:
    token, issuer = (await tokens(app, holder))["access_token"], app.provider.issuer
    for htu in (f"{issuer}/userinfo?a=b", f"{issuer}/userinfo#c", f"{issuer}/userinfo?a=b#c", "HTTP://LOCALHOST:8000/userinfo"):
        proof = holder.proof("GET", "/userinfo", token, htu=htu)
        assert (await holder.userinfo(app.http, token, proof)).status_code == 200, htu
    assert dpop.normalized("https://Op.Example:443/a?b#c") == dpop.normalized("HTTPS://op.example/a") == "https://op.example/a"


async def test_4_2_further_members_are_ignored(app: Application, holder: Holder) -> None:
    token = (await tokens(app, holder))["access_token"]
    proof = holder.proof("GET", "/userinfo", token, header={"kid": "k", "more": 1}, iss="app", more={"a": [1]})
    assert (await holder.userinfo(app.http, token, proof)).status_code == 200


async def test_11_1_iat_may_be_some_seconds_away_and_exp_and_nbf_are_heard(app: Application, holder: Holder) -> None:
    token, now = (await tokens(app, holder))["access_token"], int(app.provider.clock().timestamp())
    for changes in ({"iat": now - 10}, {"iat": now + 10}, {"iat": now + 0.5}, {"exp": now + 60, "nbf": now - 1}, {"nbf": now + 8}):
        proof = holder.proof("GET", "/userinfo", token, **changes)
        assert (await holder.userinfo(app.http, token, proof)).status_code == 200, changes


async def test_11_1_a_proof_is_used_once_also_when_many_race(app: Application, holder: Holder) -> None:
    token = (await tokens(app, holder))["access_token"]
    proof = holder.proof("GET", "/userinfo", token)
    responses = await asyncio.gather(*(holder.userinfo(app.http, token, proof) for _ in range(20)))
    assert sorted(response.status_code for response in responses) == [200] + [401] * 19
    app.provider.clock.move(seconds=59)
    await app.provider.services.clients.sweep(app.provider.clock())
    assert (await holder.userinfo(app.http, token, proof)).status_code == 401


async def test_11_1_two_keys_may_choose_the_same_jti(app: Application, holder: Holder) -> None:
    other = Holder(app.provider)
    for one in (holder, other):
        token = (await tokens(app, one))["access_token"]
        assert (await one.userinfo(app.http, token, one.proof("GET", "/userinfo", token, jti="same"))).status_code == 200


# --- the resource -------------------------------------------------------------------------------------------------------------------


async def test_7_2_a_bound_token_is_no_bearer_token_nor_the_other_way_round(app: Application, holder: Holder) -> None:
    bound, bearer = (await tokens(app, holder))["access_token"], (await app.tokens())["access_token"]
    proof = holder.proof("GET", "/userinfo", bound)
    for headers in (
        {"authorization": f"Bearer {bound}"},
        {"authorization": f"Bearer {bound}", "dpop": proof},
        {"authorization": f"DPoP {bound}"},
        {"authorization": f"DPoP {bearer}"},
        {"authorization": f"DPoP {bearer}", "dpop": holder.proof("GET", "/userinfo", bearer)},
    ):
        response = await app.http.get("/userinfo", headers=headers)
        assert (response.status_code, response.json()["error"]) == (401, "invalid_token"), headers
    in_body = await app.http.post("/userinfo", data={"access_token": bound}, headers={"dpop": holder.proof("POST", "/userinfo", bound)})
    assert in_body.status_code == 401
    assert (await holder.userinfo(app.http, bound, proof)).status_code == 200


async def test_7_1_the_scheme_is_read_in_any_letter_case(app: Application, holder: Holder) -> None:
    """Twin of fapi2-security-profile-final-access-token-type-header-case-sensitivity."""
    token = (await tokens(app, holder))["access_token"]
    for scheme in ("DPoP", "dpop", "DPOP", "dPoP"):
        assert (await holder.userinfo(app.http, token, scheme=scheme)).status_code == 200, scheme


async def test_6_introspection_tells_the_key_and_the_type(app: Application, holder: Holder) -> None:
    about = await app.introspect((await tokens(app, holder))["access_token"])
    assert (about["active"], about["token_type"], about["cnf"]) == (True, "DPoP", {"jkt": holder.thumbprint})
    assert (await app.introspect((await app.tokens())["access_token"]))["token_type"] == "Bearer"


async def test_the_proof_of_another_token_of_the_same_key_is_refused(app: Application, holder: Holder) -> None:
    one, two = (await tokens(app, holder))["access_token"], (await tokens(app, holder))["access_token"]
    assert (await holder.userinfo(app.http, one, holder.proof("GET", "/userinfo", two))).status_code == 401


# --- nonces -------------------------------------------------------------------------------------------------------------------------


async def test_8_a_nonce_is_offered_on_every_answer_to_a_proof_and_then_taken(app: Application, holder: Holder) -> None:
    response = await redeem(app, (await app.through())["code"], holder.proof())
    nonce, token = response.headers["dpop-nonce"], response.json()["access_token"]
    for seconds in (0, dpop.NONCE_SECONDS - 1):  # two periods at most, one at least
        app.provider.clock.move(seconds=seconds)
        assert (await holder.userinfo(app.http, token, holder.proof("GET", "/userinfo", token, nonce=nonce))).status_code == 200
    app.provider.clock.move(seconds=dpop.NONCE_SECONDS + 1)
    stale = await holder.userinfo(app.http, token, holder.proof("GET", "/userinfo", token, nonce=nonce))
    assert (stale.status_code, stale.json()["error"]) == (401, "use_dpop_nonce")
    assert 'error="use_dpop_nonce"' in stale.headers["www-authenticate"].partition("DPoP")[2]
    fresh = holder.proof("GET", "/userinfo", token, nonce=stale.headers["dpop-nonce"])
    assert (await holder.userinfo(app.http, token, fresh)).status_code == 200


@pytest.mark.parametrize("provider_settings", [{"dpop_nonce_required": True}])
async def test_8_a_nonce_can_be_demanded(app: Application, holder: Holder) -> None:
    code = (await app.through())["code"]
    refused = await redeem(app, code, holder.proof())
    assert (refused.status_code, refused.json()["error"]) == (400, "use_dpop_nonce")
    given = await redeem(app, code, holder.proof(nonce=refused.headers["dpop-nonce"]))
    assert given.status_code == 200
    token = given.json()["access_token"]
    assert (await holder.userinfo(app.http, token)).json()["error"] == "use_dpop_nonce"
    proof = holder.proof("GET", "/userinfo", token, nonce=given.headers["dpop-nonce"])
    assert (await holder.userinfo(app.http, token, proof)).status_code == 200


async def test_8_another_installation_knows_other_nonces() -> None:
    assert not dpop.nonce_holds(b"a" * 32, dpop.nonce(b"b" * 32, 1000), 1000)
    assert dpop.nonce_holds(b"a" * 32, dpop.nonce(b"a" * 32, 1000), 1000)
    assert not dpop.nonce_holds(b"a" * 32, "ünïcode", 1000)


async def test_8_without_a_proof_no_nonce_is_offered(app: Application) -> None:
    assert "dpop-nonce" not in (await redeem(app, (await app.through())["code"], None)).headers


# --- codes and refresh tokens -------------------------------------------------------------------------------------------------------


async def test_10_dpop_jkt_binds_the_code_to_the_key(app: Application, holder: Holder) -> None:
    for proof in (Holder(app.provider).proof(), None):
        code = (await app.through(dpop_jkt=holder.thumbprint))["code"]
        refused = await redeem(app, code, proof)
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    code = (await app.through(dpop_jkt=holder.thumbprint))["code"]
    assert (await redeem(app, code, holder.proof())).json()["token_type"] == "DPoP"


async def test_10_a_dpop_jkt_that_is_no_thumbprint_is_told(app: Application) -> None:
    for value in ("x", "x" * 44, "=" * 43):
        assert (await app.through(dpop_jkt=value))["error"] == "invalid_request", value


async def test_5_refresh_tokens_of_public_clients_are_bound_to_the_key_through_all_rotations(app: Application, holder: Holder) -> None:
    await app.register("spa", secret=None, token_endpoint_auth_method="none")
    code = (await app.through(client_id="spa"))["code"]
    answer = (await redeem(app, code, holder.proof(), None, client_id="spa")).json()
    for _ in range(3):
        token = answer["refresh_token"]
        for proof in (None, Holder(app.provider).proof()):
            refused = await refresh(app, token, proof, None, client_id="spa")
            assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
        answer = (await refresh(app, token, holder.proof(), None, client_id="spa")).json()
        assert answer["token_type"] == "DPoP"
    # a second use within the grace, by somebody who holds the token but not the key, neither gets it nor revokes anything
    assert (await refresh(app, token, Holder(app.provider).proof(), None, client_id="spa")).status_code == 400
    assert (await refresh(app, token, holder.proof(), None, client_id="spa")).json()["refresh_token"] == answer["refresh_token"]


async def test_5_confidential_clients_may_change_their_key_and_public_ones_without_a_proof_are_not_bound(
    app: Application, holder: Holder
) -> None:
    answer, other = await tokens(app, holder), Holder(app.provider)
    answer = (await refresh(app, answer["refresh_token"], other.proof())).json()
    assert part(answer["access_token"], 1)["cnf"] == {"jkt": other.thumbprint}
    assert (await refresh(app, answer["refresh_token"], None)).json()["token_type"] == "Bearer"
    await app.register("spa", secret=None, token_endpoint_auth_method="none")
    answer = (await redeem(app, (await app.through(client_id="spa"))["code"], None, None, client_id="spa")).json()
    assert (await refresh(app, answer["refresh_token"], None, None, client_id="spa")).json()["token_type"] == "Bearer"


# --- browsers -----------------------------------------------------------------------------------------------------------------------


async def test_pages_of_public_clients_may_send_proofs_and_read_nonces(app: Application, holder: Holder) -> None:
    origin = "https://spa.test"
    await app.register("spa", secret=None, token_endpoint_auth_method="none", origins=[origin])
    preflight = await app.http.options(
        "/token", headers={"origin": origin, "access-control-request-method": "POST", "access-control-request-headers": "dpop"}
    )
    assert "dpop" in preflight.headers["access-control-allow-headers"].lower()
    code = (await app.through(client_id="spa"))["code"]
    form = {
        "grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER, "client_id": "spa",
    }  # fmt: skip
    response = await app.http.post("/token", data=form, headers={"origin": origin, "dpop": holder.proof()})
    assert response.status_code == 200
    assert "dpop-nonce" in response.headers["access-control-expose-headers"].lower()
