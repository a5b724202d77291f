"""JWT Secured Authorization Response Mode (JARM)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from joserfc import jwe, jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from tests.support.application import SECRET, Application

if TYPE_CHECKING:
    from tests.support.visitor import Page

RSA = RSAKey.generate_key(2048, {"kid": "enc-rsa", "use": "enc"}, private=True)
EC = ECKey.generate_key("P-256", {"kid": "enc-ec", "use": "enc"}, private=True)
JWKS = {"keys": [RSA.as_dict(private=False), EC.as_dict(private=False)]}


async def read(app: Application, response: str, algorithm: str = "RS256") -> dict[str, Any]:
    keys = KeySet.import_key_set((await app.http.get("/jwks.json")).json())
    token = jwt.decode(response, keys, algorithms=[algorithm])
    assert token.header["typ"] == "JWT"
    claims: dict[str, Any] = token.claims
    now = int(app.provider.clock().timestamp())
    assert (claims["iss"], now < claims["exp"] <= now + 600) == (app.provider.issuer, True)
    return claims


async def test_2_1_a_good_answer_is_one_signed_parameter(app: Application) -> None:
    answer = await app.through(response_mode="jwt")
    assert answer.keys() == {"response"}
    claims = await read(app, answer["response"])
    assert (claims["aud"], claims["state"]) == ("app", "st-1")
    assert (await app.redeem(claims["code"])).status_code == 200


async def test_2_1_so_is_an_error_of_a_request_and_of_a_person(app: Application) -> None:
    early = await app.ask(response_mode="query.jwt", prompt="none")
    assert (await read(app, early.answer["response"]))["error"] == "login_required"
    wrong = await app.ask(response_mode="query.jwt", scope='openid "')
    assert (await read(app, wrong.answer["response"]))["error"] == "invalid_scope"
    page = await app.visitor.sign_in(await app.ask(response_mode="jwt"), app.provider.person())
    claims = await read(app, (await app.visitor.deny(page)).answer["response"])
    assert (claims["error"], claims["state"]) == ("access_denied", "st-1")


@pytest.mark.parametrize(("mode", "place"), [("jwt", "query"), ("query.jwt", "query"), ("fragment.jwt", "fragment")])
async def test_2_3_where_it_travels(app: Application, mode: str, place: str) -> None:
    page = await app.ask(response_mode=mode, prompt="none")
    assert page.left is not None
    parts = urlsplit(page.left)
    assert getattr(parts, place).startswith("response=")
    assert not getattr(parts, "fragment" if place == "query" else "query")


async def test_2_3_3_form_post(app: Application) -> None:
    page: Page = await app.ask(response_mode="form_post.jwt", prompt="none")
    form = page.form("response")
    assert form.action == "https://app.test/cb"
    assert form.fields.keys() == {"response"}
    assert (await read(app, form.fields["response"]))["error"] == "login_required"


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@pytest.mark.parametrize("algorithm", ["PS256", "ES256", "EdDSA"])
async def test_3_the_registered_algorithm_signs(app: Application, algorithm: str) -> None:
    await app.register("jarm", authorization_signed_response_alg=algorithm)
    page = await app.ask(client_id="jarm", response_mode="jwt", prompt="none")
    assert (await read(app, page.answer["response"], algorithm))["aud"] == "jarm"


@pytest.mark.parametrize("algorithm", ["RSA-OAEP-256", "ECDH-ES", "ECDH-ES+A256KW"])
async def test_2_2_signed_then_encrypted(app: Application, algorithm: str) -> None:
    await app.register("jarm", authorization_encrypted_response_alg=algorithm, jwks=JWKS)
    page = await app.ask(client_id="jarm", response_mode="jwt", prompt="none")
    key: Any = RSA if algorithm.startswith("RSA") else EC
    opened = jwe.decrypt_compact(page.answer["response"], key, algorithms=[algorithm, "A256GCM"])
    assert opened.headers()["cty"] == "JWT"
    assert opened.plaintext is not None
    assert (await read(app, opened.plaintext.decode()))["error"] == "login_required"


async def test_without_a_key_for_it_nothing_travels_in_clear(app: Application) -> None:
    await app.register("jarm", authorization_encrypted_response_alg="ECDH-ES", jwks={"keys": [RSA.as_dict(private=False)]})
    page = await app.ask(client_id="jarm", response_mode="jwt", prompt="none")
    assert (page.status, page.left) == (400, None)
    assert "authorization_encrypted_response_alg" in page.text


async def test_a_signed_answer_is_none_of_our_other_tokens(app: Application) -> None:
    response = (await app.through(response_mode="jwt"))["response"]
    assert (await app.userinfo(response)).status_code == 401
    assert (await app.ask(id_token_hint=response, prompt="none")).answer["error"] == "invalid_request"
    assert (await app.introspect(response, ("app", SECRET))) == {"active": False}
