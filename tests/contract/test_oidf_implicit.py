"""IDP_CERTIFICATION: response types with tokens in the answer (OIDC Core §3.2, §3.3), as `oidcc-dynamic` wants them; else they are not.

Multiple Response Type Encoding Practices §5, Form Post Response Mode §2.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from idp.spec.id_token import half_hash
from tests.support.application import SECRET, Application

TYPES = ["id_token", "id_token token", "code id_token", "code token", "code id_token token"]
AUTH = ("implicit", SECRET)


@pytest.fixture
def provider_settings(request: pytest.FixtureRequest) -> dict[str, Any]:
    return {"certification": "production" not in request.node.name}


async def register(app: Application) -> None:
    await app.register("implicit", response_types=["code", *TYPES], grant_types=["authorization_code", "implicit", "refresh_token"])


async def id_token(app: Application, answer: dict[str, str]) -> dict[str, Any]:
    keys = KeySet.import_key_set((await app.http.get("/jwks.json")).json())
    claims: dict[str, Any] = jwt.decode(answer["id_token"], keys, algorithms=["RS256"]).claims
    assert (claims["iss"], claims["aud"], claims["nonce"]) == (app.provider.issuer, "implicit", "n-1")
    return claims


async def test_each_type_answers_with_what_it_names_in_the_fragment(app: Application) -> None:
    await register(app)
    for type_ in TYPES:
        page = await app.ask(client_id="implicit", response_type=type_)
        answer = page.answer if page.left else await app.through(client_id="implicit", response_type=type_)
        words = set(type_.split())
        assert {name for name in ("code", "id_token", "access_token") if name in answer} == {
            "access_token" if word == "token" else word for word in words
        }
        assert (answer["state"], answer["iss"]) == ("st-1", app.provider.issuer)
        if "id_token" in words:
            claims = await id_token(app, answer)
            assert claims.get("c_hash") == (half_hash(answer["code"], "RS256") if "code" in words else None)
            assert claims.get("at_hash") == (half_hash(answer["access_token"], "RS256") if "token" in words else None)
            assert ("email" in claims) == (words == {"id_token"})
        if "token" in words:
            assert (answer["token_type"], (await app.userinfo(answer["access_token"])).status_code) == ("Bearer", 200)
        if "code" in words:
            assert (await app.redeem(answer["code"], AUTH)).status_code == 200


async def test_5_the_fragment_is_the_default_the_query_is_refused_and_a_form_may_be_asked_for(app: Application) -> None:
    await register(app)
    page = await app.ask(client_id="implicit", response_type="id_token", prompt="none")
    assert page.left is not None
    assert urlsplit(page.left).fragment.startswith("error=login_required")
    for mode in ("query", "query.jwt"):
        refused = await app.ask(client_id="implicit", response_type="id_token", response_mode=mode)
        assert refused.answer["error"] == "invalid_request"
    form = await app.ask(client_id="implicit", response_type="id_token token", response_mode="form_post", prompt="none")
    assert form.form("error").fields["error"] == "login_required"


async def test_3_2_2_1_nonce_and_openid_are_required(app: Application) -> None:
    await register(app)
    for type_ in ("id_token", "code id_token"):
        assert (await app.ask(client_id="implicit", response_type=type_, scope="profile")).answer["error"] == "invalid_scope"
        assert (await app.ask(client_id="implicit", response_type=type_, nonce=None)).answer["error"] == "invalid_request"


async def test_only_for_clients_that_registered_so(app: Application) -> None:
    for type_ in TYPES:
        assert (await app.ask(response_type=type_)).answer["error"] == "unauthorized_client"


async def test_the_order_of_words_does_not_matter(app: Application) -> None:
    await register(app)
    assert "access_token" in await app.through(client_id="implicit", response_type="token id_token")
    for wrong in ("token", "id_token id_token", "code x", "none"):
        assert (await app.ask(client_id="implicit", response_type=wrong)).answer["error"] == "unsupported_response_type"


async def test_oidcc_discovery_lists_them(app: Application) -> None:
    document = (await app.http.get("/.well-known/openid-configuration")).json()
    assert {"code", "id_token", "id_token token"} <= set(document["response_types_supported"])
    assert {"authorization_code", "implicit"} <= set(document["grant_types_supported"])
    assert "fragment" in document["response_modes_supported"]


async def test_in_production_they_do_not_exist(app: Application) -> None:
    document = (await app.http.get("/.well-known/openid-configuration")).json()
    assert document["response_types_supported"] == ["code"]
    assert "implicit" not in document["grant_types_supported"]
    for type_ in TYPES:
        page = await app.ask(response_type=type_)
        assert page.answer["error"] == "unsupported_response_type"
    with pytest.raises(AssertionError, match="response_types"):
        await register(app)


async def test_a_client_whose_tokens_are_bound_gets_none_through_the_browser(app: Application) -> None:
    """RFC 9449 §5.2, RFC 8705 §3.4: such a token would be bound to nobody."""
    for number, how in enumerate(("dpop_bound_access_tokens", "tls_client_certificate_bound_access_tokens")):
        types = ["code", "id_token token", "code token"]
        await app.register(f"bound-{number}", response_types=types, grant_types=["authorization_code", "implicit"], **{how: True})
        for type_ in types[1:]:
            answer = (await app.ask(client_id=f"bound-{number}", response_type=type_)).answer
            assert answer["error"] == "unsupported_response_type", type_
