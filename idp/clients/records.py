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

    @property
    def public(self) -> bool:
        """Whether it holds no credential (RFC 6749 §2.1)."""
        return self.auth_method == "none"

    @property
    def native(self) -> bool:
        """Whether it runs on a person's device (RFC 8252)."""
        return self.application_type == "native"

    @property
    def pkce_required(self) -> bool:
        """RFC 9700 §2.1.1: public clients MUST use PKCE; our profile `secure` demands it of all."""
        return self.public or self.profile == "secure"


@dataclass(frozen=True, slots=True)
class Added:
    """A registration that was made; the secret is shown this once and kept as a digest only."""

    client: Client
    secret: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A refusal: this client_id is taken."""

    client_id: str
