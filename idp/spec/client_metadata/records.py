"""RFC 7591 §2: a registration that was read, and what can be wrong with one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from idp.spec.client_metadata.vocabulary import DEFAULT_GRANT_TYPES, DEFAULT_SCOPES

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: the field, and what to write instead."""

    field: str
    why: str

    def __str__(self) -> str:
        return f"{self.field}: {self.why}"


@dataclass(frozen=True, slots=True)
class ClientMetadata:
    """What was registered, whole and checked. Names are RFC 7591's; `profile`, `purposes`, `origins` are ours.

    `uris` are the pages of the application, `localized` fields with a language tag, `more` every other field under its own name.
    """

    client_name: str
    client_id: str | None = None
    token_endpoint_auth_method: str = "client_secret_basic"  # noqa: S105 - RFC 7591 §2, its default
    application_type: str = "web"
    profile: str = "secure"
    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    grant_types: tuple[str, ...] = DEFAULT_GRANT_TYPES
    scopes: tuple[str, ...] = DEFAULT_SCOPES
    purposes: tuple[str, ...] = ()
    default_purpose: str | None = None
    jwks: Mapping[str, Any] | None = None
    origins: tuple[str, ...] = ()
    id_token_signed_response_alg: str = "RS256"  # noqa: S105 - an algorithm
    uris: Mapping[str, str] = field(default_factory=dict)
    localized: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)
