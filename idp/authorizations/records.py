"""What an approval looks like, and the outcomes of using what stands on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Authorization:
    """One approval. `claims`: personal claim names asked for, by place ("userinfo", "id_token").

    `resources`: what its access tokens are for (RFC 8707; none: this provider); `details`: what was granted of authorization_details.
    `session` is None when access is offline (OIDC Core §11). `ends_at` is when the last token that stands on it ends.
    """

    id: str
    grant: str
    client: str
    person: str
    session: str | None
    sid: str | None
    scope: tuple[str, ...]
    claims: Mapping[str, frozenset[str]]
    purpose: str
    purpose_version: int
    acr: str
    amr: tuple[str, ...]
    auth_time: dt.datetime
    created_at: dt.datetime
    ends_at: dt.datetime
    resources: tuple[str, ...] = ()
    details: tuple[Mapping[str, object], ...] = ()

    @property
    def offline(self) -> bool:
        """Whether it outlives the session."""
        return self.session is None


@dataclass(frozen=True, slots=True)
class CodeBinding:
    """What a code was bound to when it was issued (RFC 6749 §4.1.3, RFC 7636 §4.6, OIDC Core §3.1.3.6, RFC 9449 §10)."""

    client: str
    redirect_uri: str
    code_challenge: str | None
    nonce: str | None
    dpop_jkt: str | None = None


@dataclass(frozen=True, slots=True)
class Redeemed:
    """A code that was used just now, the first time; `refresh_token` when one was asked for."""

    authorization: Authorization
    binding: CodeBinding
    refresh_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Rotated:
    """A refresh token that was used just now, or again within the grace; `idle_until` is the session's, None when offline.

    `successor` is what to present next time: the same token, where tokens are not rotated.
    """

    authorization: Authorization
    successor: str = field(repr=False)
    idle_until: dt.datetime | None = None


class Rejected(StrEnum):
    """Why a code or refresh token yields nothing. REUSED: its authorization was revoked for it. UNBOUND: sent without proof of its key."""

    UNKNOWN = "unknown"
    EXPIRED = "expired"
    ENDED = "ended"
    REUSED = "reused"
    FOREIGN = "foreign"
    UNBOUND = "unbound"


@dataclass(frozen=True, slots=True)
class Revoked:
    """An authorization that ended just now, and whose client may have to be told."""

    id: str
    client: str
    person: str
    sid: str | None
