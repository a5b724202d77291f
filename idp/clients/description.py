"""RFC 7591 §3.2.1: an application in the words of its registration, for the answers to registrations and for the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from idp.clients.records import Client

# Our record's names where they differ from the specifications', in the order in which they are read best.
_NAMES: Final[Mapping[str, str]] = {
    "client_id": "id", "client_name": "name", "profile": "profile", "application_type": "application_type",
    "token_endpoint_auth_method": "auth_method", "redirect_uris": "redirect_uris",
    "post_logout_redirect_uris": "post_logout_redirect_uris", "grant_types": "grant_types", "response_types": "response_types",
    "purposes": "purposes", "default_purpose": "default_purpose", "subject_type": "subject_type",
    "id_token_signed_response_alg": "id_token_alg", "client_uri": "uri",
}  # fmt: skip
_SAME: Final = (
    "origins", "jwks", "jwks_uri", "logo_uri", "policy_uri", "tos_uri", "contacts", "sector_identifier_uri", "software_id",
    "software_version", "default_max_age", "require_auth_time", "default_acr_values", "initiate_login_uri", "request_uris",
    "request_object_signing_alg", "request_object_encryption_alg", "request_object_encryption_enc", "require_signed_request_object",
    "require_pushed_authorization_requests", "authorization_details_types", "token_endpoint_auth_signing_alg",
    "tls_client_auth_subject_dn", "tls_client_auth_san_dns", "tls_client_auth_san_uri", "tls_client_auth_san_ip",
    "tls_client_auth_san_email", "tls_client_certificate_bound_access_tokens", "dpop_bound_access_tokens",
    "id_token_encrypted_response_alg", "id_token_encrypted_response_enc", "userinfo_signed_response_alg",
    "userinfo_encrypted_response_alg", "userinfo_encrypted_response_enc", "introspection_signed_response_alg",
    "introspection_encrypted_response_alg", "introspection_encrypted_response_enc", "authorization_signed_response_alg",
    "authorization_encrypted_response_alg", "authorization_encrypted_response_enc", "backchannel_logout_uri",
    "backchannel_logout_session_required", "frontchannel_logout_uri", "frontchannel_logout_session_required",
    "backchannel_token_delivery_mode", "resources", "exchange_audiences",
)  # fmt: skip
OURS: Final = frozenset({"profile", "purposes", "default_purpose", "origins", "resources", "exchange_audiences"})
"""Fields that no specification knows: staff sees them, an application that registered itself is not told."""


def described(client: Client) -> dict[str, Any]:
    """Give every field of a registration, also those without a value, ready for JSON."""
    whole = {name: getattr(client, ours) for name, ours in _NAMES.items()} | {name: getattr(client, name) for name in _SAME}
    whole |= {"scope": " ".join(client.scopes), **client.localized}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in whole.items()}


def document_of(client: Client) -> dict[str, Any]:
    """Give the registration as it would be written to be read again: what has no value is left out, and so is what is off."""
    whole = {name: value for name, value in described(client).items() if value is not None and value is not False and value != []}
    return whole | {"response_types": list(client.response_types)}
