"""What an application and its agency look like to the rest of the program."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Agency:
    """A body that registers applications; `name` by language ("id", "en")."""

    code: str
    name: Mapping[str, str]
    unit: str | None = None
    dpo_contact: str | None = None


@dataclass(frozen=True, slots=True)
class Client:
    """One application. `sector` is whose pairwise subjects it sees; `secret_digest` is None for public and private_key_jwt clients."""

    id: str
    name: str
    agency: Agency
    auth_method: str
    application_type: str
    profile: str
    redirect_uris: tuple[str, ...]
    post_logout_redirect_uris: tuple[str, ...]
    grant_types: tuple[str, ...]
    scopes: tuple[str, ...]
    purposes: tuple[str, ...]
    default_purpose: str | None
    sector: str
    secret_digest: bytes | None = field(default=None, repr=False)
    jwks: Mapping[str, Any] | None = None
    origins: tuple[str, ...] = ()
    subject_type: str = "pairwise"
    id_token_alg: str = "RS256"  # noqa: S105 - an algorithm
    uri: str | None = None
    logo_uri: str | None = None
    policy_uri: str | None = None
    tos_uri: str | None = None
    contacts: tuple[str, ...] = ()
    jwks_uri: str | None = None
    sector_identifier_uri: str | None = None
    software_id: str | None = None
    software_version: str | None = None
    localized: Mapping[str, str] = field(default_factory=dict)
    """Human-readable fields with a language tag (RFC 7591 §2.2), like `client_name#en`."""
    self_registered: bool = False
    """Whether it registered itself (RFC 7591): it signs people in, but reads nothing before an administrator approves a purpose."""

    # What it asks for, and how (OIDC Registration §2, RFC 9101 §10.5, RFC 9126 §6, RFC 9396 §10)
    response_types: tuple[str, ...] = ("code",)
    default_max_age: int | None = None
    require_auth_time: bool = False
    default_acr_values: tuple[str, ...] = ()
    initiate_login_uri: str | None = None
    request_uris: tuple[str, ...] = ()
    request_object_signing_alg: str | None = None
    request_object_encryption_alg: str | None = None
    request_object_encryption_enc: str | None = None
    require_signed_request_object: bool = False
    require_pushed_authorization_requests: bool = False
    authorization_details_types: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    """For which resource servers it may ask access tokens (RFC 8707), beside this provider's userinfo."""
    exchange_audiences: tuple[str, ...] = ()
    """To which services, by client_id, it may hand a citizen's authorization on (RFC 8693)."""

    # How it proves itself, and what its tokens are bound to (OIDC Registration §2, RFC 8705 §2.1.2, §3.4, RFC 9449 §5.2)
    token_endpoint_auth_signing_alg: str | None = None
    tls_client_auth_subject_dn: str | None = None
    tls_client_auth_san_dns: str | None = None
    tls_client_auth_san_uri: str | None = None
    tls_client_auth_san_ip: str | None = None
    tls_client_auth_san_email: str | None = None
    tls_client_certificate_bound_access_tokens: bool = False
    dpop_bound_access_tokens: bool = False

    # How it is answered (OIDC Registration §2, JARM §3, RFC 9701 §6); `…_enc` without a value means A256GCM
    id_token_encrypted_response_alg: str | None = None
    id_token_encrypted_response_enc: str | None = None
    userinfo_signed_response_alg: str | None = None
    userinfo_encrypted_response_alg: str | None = None
    userinfo_encrypted_response_enc: str | None = None
    introspection_signed_response_alg: str | None = None
    introspection_encrypted_response_alg: str | None = None
    introspection_encrypted_response_enc: str | None = None
    authorization_signed_response_alg: str | None = None
    authorization_encrypted_response_alg: str | None = None
    authorization_encrypted_response_enc: str | None = None

    # What it is told later (Back-Channel Logout §2.2, Front-Channel Logout §2, CIBA §4)
    backchannel_logout_uri: str | None = None
    backchannel_logout_session_required: bool = False
    frontchannel_logout_uri: str | None = None
    frontchannel_logout_session_required: bool = False
    backchannel_token_delivery_mode: str | None = None

    @property
    def fapi(self) -> bool:
        """Whether FAPI 2.0 holds for it: PAR, sender-constrained tokens, private_key_jwt or mTLS, PS256, ES256 or Ed25519."""
        return self.profile == "fapi2"

    @property
    def sender_constrained(self) -> bool:
        """Whether every access token of it must be bound to its holder (RFC 9449 §5.2, RFC 8705 §3.4, FAPI 2.0 §5.3.2.1)."""
        return self.fapi or self.dpop_bound_access_tokens or self.tls_client_certificate_bound_access_tokens

    @property
    def public(self) -> bool:
        """Whether it holds no credential (RFC 6749 §2.1)."""
        return self.auth_method == "none"

    @property
    def native(self) -> bool:
        """Whether it runs on a person's device (RFC 8252)."""
        return self.application_type == "native"

    @property
    def follows_sessions(self) -> bool:
        """Whether it takes part in signing out, so that the `sid` of an ID Token says something to it."""
        return bool(self.post_logout_redirect_uris or self.backchannel_logout_uri or self.frontchannel_logout_uri)

    @property
    def pkce_required(self) -> bool:
        """RFC 9700 §2.1.1: public clients MUST use PKCE; our profiles `secure` and `fapi2` demand it of all."""
        return self.public or self.profile in ("secure", "fapi2")


@dataclass(frozen=True, slots=True)
class Added:
    """A registration that was made; the secret is shown this once and kept as a digest only."""

    client: Client
    secret: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A refusal: this client_id is taken."""

    client_id: str
