"""OIDC Discovery §3, RFC 8414 §2, RFC 8705 §3.3, RFC 9126 §5, RFC 9207 §3, RFC 9449 §5.1 and more: what we say of ourselves."""

from __future__ import annotations

from typing import Any

from authlib.oauth2 import rfc8414, rfc9207
from authlib.oidc import discovery, rpinitiated

from idp.spec import (
    authorization_details,
    backchannel,
    client_assertion,
    device,
    dpop,
    id_token,
    jarm,
    pkce,
    request_object,
    response_modes,
    token_exchange,
)
from idp.spec.claims import CLAIMS_SUPPORTED
from idp.spec.client_metadata.vocabulary import CONTENT_ENCRYPTION, ENCRYPTION
from idp.spec.prompt import ACR_SUPPORTED, Prompt
from idp.spec.scopes import SCOPES_SUPPORTED

GRANT_TYPES = (
    "authorization_code", "refresh_token", "client_credentials", device.GRANT_TYPE, backchannel.GRANT_TYPE, token_exchange.GRANT_TYPE,
)  # fmt: skip
AUTH_METHODS = ("client_secret_basic", "client_secret_post", "private_key_jwt", "none")
TLS_AUTH_METHODS = ("tls_client_auth", "self_signed_tls_client_auth")
MTLS_ENDPOINTS = frozenset({
    "token_endpoint", "revocation_endpoint", "introspection_endpoint", "pushed_authorization_request_endpoint", "userinfo_endpoint",
    "device_authorization_endpoint", "backchannel_authentication_endpoint",
})  # fmt: skip
DISPLAYS = ("page", "popup", "touch", "wap")
"""OIDC Core §3.1.2.1: the pages are the same for all: they need no script, and fit a telephone from 2018."""
UI_LOCALES = ("id", "en")


def authorization_server(
    issuer: str, *, mutual_tls: bool = False, mtls_url: str | None = None, certification: bool = False, registration: bool = False
) -> dict[str, Any]:
    """Build the document of RFC 8414. Raises: ValueError, when Authlib finds that it breaks the specification.

    `mutual_tls`: whether clients can show certificates (RFC 8705), `mtls_url`: under which other address. `certification`: with the
    response types that exist for conformance suites. `registration`: applications may register themselves.
    """
    confidential = [method for method in AUTH_METHODS if method != "none"]
    document = {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "jwks_uri": f"{issuer}/jwks.json",
        "scopes_supported": list(SCOPES_SUPPORTED),
        "response_types_supported": list(response_modes.supported_types(certification=certification)),
        "response_modes_supported": [mode.value for mode in response_modes.supported_modes(certification=certification)],
        "grant_types_supported": [*GRANT_TYPES, *(["implicit"] if certification else [])],
        "token_endpoint_auth_methods_supported": list(AUTH_METHODS),
        "token_endpoint_auth_signing_alg_values_supported": list(client_assertion.ALGORITHMS),
        "ui_locales_supported": list(UI_LOCALES),
        "revocation_endpoint": f"{issuer}/revoke",
        "revocation_endpoint_auth_methods_supported": list(AUTH_METHODS),
        "revocation_endpoint_auth_signing_alg_values_supported": list(client_assertion.ALGORITHMS),
        "introspection_endpoint": f"{issuer}/introspect",
        "introspection_endpoint_auth_methods_supported": confidential,
        "introspection_endpoint_auth_signing_alg_values_supported": list(client_assertion.ALGORITHMS),
        "introspection_signing_alg_values_supported": list(id_token.ALGORITHMS),
        "introspection_encryption_alg_values_supported": list(ENCRYPTION),
        "introspection_encryption_enc_values_supported": list(CONTENT_ENCRYPTION),
        "device_authorization_endpoint": f"{issuer}/device_authorization",
        "code_challenge_methods_supported": [pkce.METHOD],
        "authorization_response_iss_parameter_supported": True,
        "dpop_signing_alg_values_supported": list(dpop.ALGORITHMS),
        **_requests(issuer),
    }
    if mutual_tls:
        _add_mutual_tls(document, mtls_url)
    if registration:
        document["registration_endpoint"] = f"{issuer}/register"
    rfc8414.AuthorizationServerMetadata(document).validate(metadata_classes=[rfc9207.AuthorizationServerMetadata])
    return document


def _add_mutual_tls(document: dict[str, Any], mtls_url: str | None) -> None:
    """RFC 8705 §3.3, §5: certificate-bound tokens, the two ways of authentication, and where else the endpoints answer."""
    document["tls_client_certificate_bound_access_tokens"] = True
    for name in ("token", "revocation", "introspection"):
        document[f"{name}_endpoint_auth_methods_supported"] += TLS_AUTH_METHODS
    if mtls_url:
        issuer = document["issuer"]
        endpoints = {name: url for name, url in document.items() if name in MTLS_ENDPOINTS}
        document["mtls_endpoint_aliases"] = {name: mtls_url + url.removeprefix(issuer) for name, url in endpoints.items()}


def _requests(issuer: str) -> dict[str, Any]:
    """RFC 9126 §5, RFC 9101 §10.5, OIDC Discovery §3, JARM §4, RFC 9396 §10: how a request may come, and its answer go."""
    return {
        "pushed_authorization_request_endpoint": f"{issuer}/par",
        "request_parameter_supported": True,
        "request_uri_parameter_supported": True,
        "require_request_uri_registration": True,
        "request_object_signing_alg_values_supported": list(request_object.ALGORITHMS),
        "request_object_encryption_alg_values_supported": list(ENCRYPTION),
        "request_object_encryption_enc_values_supported": list(CONTENT_ENCRYPTION),
        "authorization_signing_alg_values_supported": list(jarm.ALGORITHMS),
        "authorization_encryption_alg_values_supported": list(ENCRYPTION),
        "authorization_encryption_enc_values_supported": list(CONTENT_ENCRYPTION),
        "authorization_details_types_supported": list(authorization_details.TYPES_SUPPORTED),
    }


def openid_provider(
    issuer: str, *, mutual_tls: bool = False, mtls_url: str | None = None, certification: bool = False, registration: bool = False
) -> dict[str, Any]:
    """Build the document of OpenID Connect Discovery. Raises: ValueError, as above."""
    document = authorization_server(
        issuer, mutual_tls=mutual_tls, mtls_url=mtls_url, certification=certification, registration=registration
    ) | {
        "userinfo_endpoint": f"{issuer}/userinfo",
        "end_session_endpoint": f"{issuer}/logout",
        "backchannel_authentication_endpoint": f"{issuer}/backchannel_authentication",
        "backchannel_token_delivery_modes_supported": [backchannel.DELIVERY_MODE],
        "backchannel_user_code_parameter_supported": False,
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "frontchannel_logout_supported": True,
        "frontchannel_logout_session_supported": True,
        "check_session_iframe": f"{issuer}/session/check",
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": list(id_token.ALGORITHMS),
        "userinfo_signing_alg_values_supported": list(id_token.ALGORITHMS),
        **{f"{what}_encryption_alg_values_supported": list(ENCRYPTION) for what in ("id_token", "userinfo")},
        **{f"{what}_encryption_enc_values_supported": list(CONTENT_ENCRYPTION) for what in ("id_token", "userinfo")},
        "acr_values_supported": list(ACR_SUPPORTED),
        "display_values_supported": list(DISPLAYS),
        "claim_types_supported": ["normal"],
        "claims_supported": list(CLAIMS_SUPPORTED),
        "claims_parameter_supported": True,
        "prompt_values_supported": [prompt.value for prompt in Prompt],
    }
    if "mtls_endpoint_aliases" in document:
        document["mtls_endpoint_aliases"]["userinfo_endpoint"] = f"{mtls_url}/userinfo"
    classes = [rpinitiated.OpenIDProviderMetadata, rfc9207.AuthorizationServerMetadata]
    discovery.OpenIDProviderMetadata(document).validate(metadata_classes=classes)
    return document
