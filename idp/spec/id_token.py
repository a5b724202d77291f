"""OIDC Core §2, §3.1.3.6, §12.2: the claims of an ID Token, and what an `id_token_hint` must be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from authlib.oidc.core.util import create_half_hash

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TYPE = "JWT"
ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")


@dataclass(frozen=True, slots=True)
class Authentication:
    """How and when the person was authenticated: `auth_time` in seconds since the epoch, acr, amr (RFC 8176), and the client's sid."""

    auth_time: int
    acr: str
    amr: tuple[str, ...]
    sid: str | None


def half_hash(value: str, algorithm: str) -> str:
    """Give at_hash or c_hash: the left half of the hash that the signature algorithm uses (§3.1.3.6)."""
    digest = create_half_hash(value, algorithm)
    return digest.decode() if isinstance(digest, bytes) else str(digest)


def claims(
    *,
    issuer: str,
    subject: str,
    client_id: str,
    now: int,
    lifetime: int,
    authentication: Authentication,
    nonce: str | None,
    access_token: str | None,
    algorithm: str,
    personal: Mapping[str, Any] | None = None,
    code: str | None = None,
) -> dict[str, Any]:
    """Put an ID Token's claims together. `personal` are claims that the `claims` parameter asked for here, already disclosed."""
    token: dict[str, Any] = dict(personal or {})
    token |= {
        "iss": issuer,
        "sub": subject,
        "aud": client_id,
        "exp": now + lifetime,
        "iat": now,
        "auth_time": authentication.auth_time,
        "acr": authentication.acr,
        "amr": list(authentication.amr),
    }
    if authentication.sid is not None:
        token["sid"] = authentication.sid
    if nonce is not None:
        token["nonce"] = nonce
    if access_token is not None:
        token["at_hash"] = half_hash(access_token, algorithm)
    if code is not None:
        token["c_hash"] = half_hash(code, algorithm)  # §3.3.2.11
    return token


def audience(claims_: Mapping[str, Any]) -> Sequence[str]:
    """Give `aud` as a list (RFC 7519 §4.1.3: a single string or an array)."""
    value = claims_.get("aud")
    if isinstance(value, str):
        return (value,)
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


@dataclass(frozen=True, slots=True)
class Hint:
    """What an `id_token_hint` proves: whom, for which client, in which of its sessions. It may long have expired (§3.1.2.1)."""

    subject: str
    client_id: str
    sid: str | None


def hint(claims_: Mapping[str, Any], issuer: str) -> Hint | None:
    """Read the claims of a token whose signature is ours; None when it is no ID Token of this issuer for one client.

    RP-Initiated Logout §4: "OPs should accept ID Tokens when the RP identified by the ID Token's aud claim and/or sid claim has a current
    session or had a recent session at the OP, even when the exp time has passed."
    """
    subject, audiences, sid = claims_.get("sub"), audience(claims_), claims_.get("sid")
    # a signed UserInfo answer has iss, aud and sub too, and neither exp nor the client's scope
    if claims_.get("iss") != issuer or not isinstance(subject, str) or len(audiences) != 1 or "scope" in claims_ or "exp" not in claims_:
        return None
    return Hint(subject, audiences[0], sid if isinstance(sid, str) else None)
