"""RFC 7591 §2, OIDC Registration §2 and who adds to them: every field, of which kind it is, and which values this provider takes.

RFC 8705 §2.1.2, §3.4 (mTLS), RFC 9101 §10.5 (request objects), RFC 9126 §6 (PAR), RFC 9396 §10, RFC 9449 §5.2 (DPoP), JARM §3, RFC 9701 §6
(introspection), Back-Channel Logout §2.2, Front-Channel Logout §2, RP-Initiated Logout §3.1, CIBA §4. `profile`, `purposes`,
`default_purpose`, `origins`, `resources` (RFC 8707: for which resource servers it may ask tokens) and `exchange_audiences` (RFC 8693: to
which clients it may hand citizens on) are our own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from idp.spec import authorization_details, backchannel, client_assertion, device, id_token, scopes, token_exchange
from idp.spec.prompt import ACR_SUPPORTED

if TYPE_CHECKING:
    from collections.abc import Mapping

Profile = Literal["secure", "openid", "fapi2"]
PROFILES: Final[tuple[Profile, ...]] = ("secure", "openid", "fapi2")
DEFAULT_GRANT_TYPES: Final = ("authorization_code", "refresh_token")
DEFAULT_SCOPES: Final = (*scopes.SCOPES_SUPPORTED, "nik")

DEVICE: Final = device.GRANT_TYPE
TOKEN_EXCHANGE: Final = token_exchange.GRANT_TYPE
CIBA: Final = backchannel.GRANT_TYPE
APPROVED: Final = frozenset({"authorization_code", DEVICE, CIBA})
"""Grant types at whose end a citizen has said yes to a purpose."""
GRANT_TYPES: Final = ("authorization_code", "refresh_token", "client_credentials", DEVICE, TOKEN_EXCHANGE, CIBA)
IMPLICIT: Final = "implicit"
RESPONSE_TYPES: Final = ("code",)
# RFC 9700 §2.1.2 advises against them: they exist under IDP_CERTIFICATION only.
IMPLICIT_RESPONSE_TYPES: Final = ("id_token", "id_token token", "code id_token", "code token", "code id_token token")

SECRET_METHODS: Final = ("client_secret_basic", "client_secret_post")
TLS_METHODS: Final = ("tls_client_auth", "self_signed_tls_client_auth")
AUTH_METHODS: Final = (*SECRET_METHODS, "private_key_jwt", *TLS_METHODS, "none")
TLS_NAMES: Final = (
    "tls_client_auth_subject_dn", "tls_client_auth_san_dns", "tls_client_auth_san_uri", "tls_client_auth_san_ip",
    "tls_client_auth_san_email",
)  # fmt: skip

SIGNING: Final = id_token.ALGORITHMS
FAPI_SIGNING: Final = ("PS256", "ES256", "EdDSA")  # FAPI 2.0 Security Profile §5.4.1
ENCRYPTION: Final = ("RSA-OAEP-256", "ECDH-ES", "ECDH-ES+A256KW")
CONTENT_ENCRYPTION: Final = ("A256GCM",)
ENCRYPTED: Final = ("id_token", "userinfo", "introspection", "authorization")
SIGNED: Final = ("id_token_signed_response_alg", "userinfo_signed_response_alg", "introspection_signed_response_alg",
    "authorization_signed_response_alg", "request_object_signing_alg")  # fmt: skip

CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "token_endpoint_auth_method": AUTH_METHODS,
    "token_endpoint_auth_signing_alg": client_assertion.ALGORITHMS,
    "application_type": ("web", "native"),
    "profile": PROFILES,
    "subject_type": ("pairwise",),
    "backchannel_token_delivery_mode": ("poll",),
    **dict.fromkeys(SIGNED, SIGNING),
    "request_object_signing_alg": (*SIGNING, "none"),
    **{f"{answer}_encrypted_response_alg": ENCRYPTION for answer in ENCRYPTED},
    **{f"{answer}_encrypted_response_enc": CONTENT_ENCRYPTION for answer in ENCRYPTED},
    "request_object_encryption_alg": ENCRYPTION,
    "request_object_encryption_enc": CONTENT_ENCRYPTION,
}
"""Fields with one of a few values."""

PAGES: Final = ("client_uri", "logo_uri", "policy_uri", "tos_uri")
FETCHED: Final = ("jwks_uri", "sector_identifier_uri")
LOGOUT: Final = ("backchannel_logout_uri", "frontchannel_logout_uri")
TEXTS: Final = (
    "client_id", "client_name", "scope", "default_purpose", *PAGES, *FETCHED, *LOGOUT, "initiate_login_uri", "software_id",
    "software_version", *TLS_NAMES, *CHOICES,
)  # fmt: skip
LISTS: Final[Mapping[str, tuple[str, ...] | None]] = {
    "redirect_uris": None, "post_logout_redirect_uris": None, "grant_types": GRANT_TYPES, "response_types": RESPONSE_TYPES,
    "purposes": None, "origins": None, "contacts": None, "request_uris": None, "default_acr_values": ACR_SUPPORTED,
    "authorization_details_types": (authorization_details.TYPE,), "resources": None, "exchange_audiences": None,
}  # fmt: skip
"""Fields with several texts, and which ones if not any."""
SWITCHES: Final = (
    "require_auth_time", "require_signed_request_object", "require_pushed_authorization_requests",
    "tls_client_certificate_bound_access_tokens", "dpop_bound_access_tokens", "backchannel_logout_session_required",
    "frontchannel_logout_session_required",
)  # fmt: skip
NUMBERS: Final = ("default_max_age",)
LOCALIZED: Final = ("client_name", *PAGES)
"""RFC 7591 §2.2: human-readable fields, which may come again with a language tag, as `client_name#en`."""
KNOWN: Final = frozenset({*TEXTS, *LISTS, *SWITCHES, *NUMBERS, "jwks"})
