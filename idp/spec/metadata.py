"""OIDC Discovery §3, RFC 8414 §2, RFC 9207 §3, RP-Initiated Logout §2.1: what this provider says of itself."""

from __future__ import annotations

from typing import Any

from authlib.oauth2 import rfc8414, rfc9207
from authlib.oidc import discovery, rpinitiated

from idp.spec import backchannel, client_assertion, device, id_token, pkce
from idp.spec.claims import CLAIMS_SUPPORTED
from idp.spec.prompt import ACR_SUPPORTED
from idp.spec.response_modes import RESPONSE_TYPES_SUPPORTED, ResponseMode
from idp.spec.scopes import SCOPES_SUPPORTED

GRANT_TYPES = ("authorization_code", "refresh_token", "client_credentials", device.GRANT_TYPE, backchannel.GRANT_TYPE)
AUTH_METHODS = ("client_secret_basic", "client_secret_post", "private_key_jwt", "none")
DISPLAYS = ("page", "popup")
UI_LOCALES = ("id", "en")


def authorization_server(issuer: str) -> dict[str, Any]:
    """Build the document of RFC 8414. Raises: ValueError, when Authlib finds that it breaks the specification."""
    confidential = [method for method in AUTH_METHODS if method != "none"]
    document = {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "jwks_uri": f"{issuer}/jwks.json",
        "scopes_supported": list(SCOPES_SUPPORTED),
        "response_types_supported": list(RESPONSE_TYPES_SUPPORTED),
        "response_modes_supported": [mode.value for mode in ResponseMode],
        "grant_types_supported": list(GRANT_TYPES),
        "token_endpoint_auth_methods_supported": list(AUTH_METHODS),
        "token_endpoint_auth_signing_alg_values_supported": list(client_assertion.ALGORITHMS),
        "ui_locales_supported": list(UI_LOCALES),
        "revocation_endpoint": f"{issuer}/revoke",
        "revocation_endpoint_auth_methods_supported": list(AUTH_METHODS),
        "revocation_endpoint_auth_signing_alg_values_supported": list(client_assertion.ALGORITHMS),
        "introspection_endpoint": f"{issuer}/introspect",
        "introspection_endpoint_auth_methods_supported": confidential,
        "introspection_endpoint_auth_signing_alg_values_supported": list(client_assertion.ALGORITHMS),
        "device_authorization_endpoint": f"{issuer}/device_authorization",
        "code_challenge_methods_supported": [pkce.METHOD],
        "authorization_response_iss_parameter_supported": True,
    }
    rfc8414.AuthorizationServerMetadata(document).validate(metadata_classes=[rfc9207.AuthorizationServerMetadata])
    return document


def openid_provider(issuer: str) -> dict[str, Any]:
    """Build the document of OpenID Connect Discovery. Raises: ValueError, as above."""
    document = authorization_server(issuer) | {
        "userinfo_endpoint": f"{issuer}/userinfo",
        "end_session_endpoint": f"{issuer}/logout",
        "backchannel_authentication_endpoint": f"{issuer}/backchannel_authentication",
        "backchannel_token_delivery_modes_supported": [backchannel.DELIVERY_MODE],
        "backchannel_user_code_parameter_supported": False,
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": list(id_token.ALGORITHMS),
        "acr_values_supported": list(ACR_SUPPORTED),
        "display_values_supported": list(DISPLAYS),
        "claim_types_supported": ["normal"],
        "claims_supported": list(CLAIMS_SUPPORTED),
        "claims_parameter_supported": True,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
    }
    classes = [rpinitiated.OpenIDProviderMetadata, rfc9207.AuthorizationServerMetadata]
    discovery.OpenIDProviderMetadata(document).validate(metadata_classes=classes)
    return document
