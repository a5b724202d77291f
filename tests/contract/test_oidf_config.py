"""The OpenID Foundation's config certification plan: oidcc-discovery-endpoint-verification."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from authlib.oauth2 import rfc9207
from authlib.oidc import discovery, rpinitiated

if TYPE_CHECKING:
    from tests.support.application import Application

LISTS = ("response_types_supported", "subject_types_supported", "id_token_signing_alg_values_supported", "grant_types_supported")
KNOWN = {
    *discovery.OpenIDProviderMetadata.REGISTRY_KEYS,
    *discovery.OpenIDProviderMetadata.__mro__[1].REGISTRY_KEYS,  # type: ignore[attr-defined]
    *rpinitiated.OpenIDProviderMetadata.REGISTRY_KEYS,
    *rfc9207.AuthorizationServerMetadata.REGISTRY_KEYS,
    "userinfo_endpoint",
    # RFC 8628 §4
    "device_authorization_endpoint",
    # RFC 9449 §5.1, RFC 9701 §7
    "dpop_signing_alg_values_supported",
    *(f"introspection_{what}_values_supported" for what in ("signing_alg", "encryption_alg", "encryption_enc")),
    # CIBA Core §4
    "backchannel_authentication_endpoint",
    "backchannel_token_delivery_modes_supported",
    "backchannel_user_code_parameter_supported",
    # IANA, OAuth Authorization Server Metadata: RFC 9126, RFC 9101, JARM, RFC 9396, Initiating User Registration
    "pushed_authorization_request_endpoint", "require_signed_request_object", "authorization_signing_alg_values_supported",
    "authorization_encryption_alg_values_supported", "authorization_encryption_enc_values_supported",
    "authorization_details_types_supported", "prompt_values_supported", "mtls_endpoint_aliases",
    "tls_client_certificate_bound_access_tokens",
    # Back-Channel Logout §2.1
    "backchannel_logout_supported",
    "backchannel_logout_session_supported",
    # Front-Channel Logout §3, Session Management §3.3
    "frontchannel_logout_supported",
    "frontchannel_logout_session_supported",
    "check_session_iframe",
}  # fmt: skip


async def test_oidcc_discovery_endpoint_verification(app: Application) -> None:
    response = await app.http.get("/.well-known/openid-configuration")
    document = response.json()
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
    assert document["issuer"] == app.provider.issuer
    assert all(isinstance(document[name], list) and document[name] for name in LISTS)
    assert "RS256" in document["id_token_signing_alg_values_supported"]
    assert set(document["grant_types_supported"]) >= {"authorization_code", "refresh_token"}
    assert "openid" in document["scopes_supported"]
    assert document["claims_supported"]
    assert document["userinfo_endpoint"]
    assert all(re.fullmatch(r"[a-z]{2}(-[A-Z]{2})?", tag) for tag in document["ui_locales_supported"])


async def test_no_unknown_metadata_fields(app: Application) -> None:
    document = (await app.http.get("/.well-known/openid-configuration")).json()
    assert set(document) <= KNOWN


async def test_every_endpoint_is_https_where_the_issuer_is(app: Application) -> None:
    from idp.spec import metadata

    document = metadata.openid_provider("https://masuk.contoh.go.id")
    for name, value in document.items():
        if name.endswith("_endpoint") or name == "jwks_uri":
            assert value.startswith("https://masuk.contoh.go.id/"), name
    assert app.provider.issuer.startswith("http://localhost")


async def test_the_keys_have_kids_and_no_private_parts(app: Application) -> None:
    keys = (await app.http.get("/jwks.json")).json()["keys"]
    assert len({key["kid"] for key in keys}) == len(keys) > 0
    assert not any({"d", "p", "q", "k"} & set(key) for key in keys)
