"""RFC 8414: authorization server metadata."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authlib.oauth2 import rfc8414

if TYPE_CHECKING:
    from tests.support.application import Application

PATH = "/.well-known/oauth-authorization-server"


async def test_3_2_the_document_is_json_cacheable_and_readable_from_everywhere(app: Application) -> None:
    response = await app.http.get(PATH, headers={"origin": "https://anything.test"})
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert "max-age" in response.headers["cache-control"]
    assert response.headers["access-control-allow-origin"] == "*"


async def test_2_authlib_finds_it_valid_and_it_speaks_of_s256_only(app: Application) -> None:
    document = (await app.http.get(PATH)).json()
    rfc8414.AuthorizationServerMetadata(document).validate()
    assert document["issuer"] == app.provider.issuer
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert document["response_types_supported"] == ["code"]
    assert "none" not in document["introspection_endpoint_auth_methods_supported"]


async def test_every_endpoint_that_it_names_answers(app: Application) -> None:
    document = (await app.http.get(PATH)).json()
    for name, value in document.items():
        if name.endswith("_endpoint") or name == "jwks_uri":
            path = value.removeprefix(app.provider.issuer)
            assert (await app.http.get(path)).status_code != 404, name


async def test_it_agrees_with_the_openid_document(app: Application) -> None:
    openid = (await app.http.get("/.well-known/openid-configuration")).json()
    assert (await app.http.get(PATH)).json().items() <= openid.items()
    assert (await app.http.post(PATH)).status_code == 405
