"""OpenID Connect Discovery 1.0."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authlib.oidc import discovery
from joserfc.jwk import KeySet

if TYPE_CHECKING:
    from tests.support.application import Application

PATH = "/.well-known/openid-configuration"


async def test_4_2_the_document_is_json_cacheable_and_readable_from_everywhere(app: Application) -> None:
    response = await app.http.get(PATH)
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
    assert "max-age" in response.headers["cache-control"]
    assert response.headers["access-control-allow-origin"] == "*"


async def test_3_authlib_finds_it_valid(app: Application) -> None:
    document = (await app.http.get(PATH)).json()
    discovery.OpenIDProviderMetadata(document).validate()
    assert document["subject_types_supported"] == ["pairwise"]
    assert "RS256" in document["id_token_signing_alg_values_supported"]
    assert "none" not in document["id_token_signing_alg_values_supported"]
    assert document["claims_parameter_supported"] is True
    assert document["request_parameter_supported"] is True
    assert document["request_uri_parameter_supported"] is True
    assert document["require_request_uri_registration"] is True
    assert "none" not in document["request_object_signing_alg_values_supported"]


async def test_3_nothing_of_our_own_is_listed(app: Application) -> None:
    document = (await app.http.get(PATH)).json()
    assert "nik" not in document["claims_supported"]
    assert set(document["scopes_supported"]) == {"openid", "profile", "email", "address", "phone", "offline_access"}


async def test_3_the_keys_are_public_have_kids_and_one_per_algorithm_signs(app: Application) -> None:
    response = await app.http.get("/jwks.json")
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
    assert "max-age" in response.headers["cache-control"]
    keys = response.json()["keys"]
    assert {key.get("alg") for key in keys} >= {"RS256", "ES256"}
    for key in keys:
        assert key["kid"]
        assert key["use"] == ("enc" if key.get("alg", "RSA-OAEP-256") == "RSA-OAEP-256" else "sig")
        assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & set(key)
    assert KeySet.import_key_set(response.json())


async def test_only_get(app: Application) -> None:
    for path in (PATH, "/jwks.json"):
        assert (await app.http.post(path)).status_code == 405
        assert (await app.http.head(path)).status_code == 200
