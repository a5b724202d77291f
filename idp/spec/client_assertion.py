"""RFC 7523 §3, OIDC Core §9: the claims of a client assertion (private_key_jwt)."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from idp.spec.id_token import audience

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
LEEWAY = 60
MAX_LIFETIME = 3600
MAX_JTI = 256
MAX_LENGTH = 8192
_PARTS = 3


@dataclass(frozen=True, slots=True)
class Assertion:
    """An assertion whose claims hold: the jti must still be one-use until `expires` (seconds since the epoch)."""

    client_id: str
    jti: str
    expires: int


def read(claims: Mapping[str, Any], *, client_id: str, audiences: Collection[str], now: int) -> Assertion | str:
    """Check the claims of an assertion whose signature holds; the answer is the assertion, or what is wrong with it.

    §3: (1) iss, (2) "the subject MUST be the "client_id" of the OAuth client", (3) aud "that identifies the authorization server",
    (4) exp, (5) nbf, (6) iat, (7) jti: "The JWT MAY contain"; OIDC Core §9 makes jti REQUIRED.
    """
    if claims.get("iss") != client_id or claims.get("sub") != client_id:
        return "iss and sub must both be the client_id"
    found = audience(claims)
    if not found or not set(found) <= set(audiences):
        return "aud must be the issuer or the token endpoint"
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= MAX_JTI:
        return f"jti must be a text of 1 to {MAX_JTI} characters"
    expires = _number(claims.get("exp"))
    if expires is None or expires <= now - LEEWAY:
        return "exp is missing or past"
    return _times(claims, now, expires) or Assertion(client_id, jti, expires)


def _times(claims: Mapping[str, Any], now: int, expires: int) -> str | None:
    if expires > now + MAX_LIFETIME + LEEWAY:
        return f"exp is more than {MAX_LIFETIME} seconds ahead"
    for name in ("nbf", "iat"):
        value = _number(claims.get(name))
        if name in claims and (value is None or value > now + LEEWAY):
            return f"{name} is in the future or no number"
    return None


def _number(value: object) -> int | None:
    """RFC 7519 §2 NumericDate; a boolean is no number, and infinity is no time."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 2**53:
        return None
    return int(value)


def names(assertion: str) -> str | None:
    """Give the client_id that an assertion claims to come from, before anything is verified: only to find the keys to verify it with."""
    parts = assertion.split(".")
    if len(parts) != _PARTS or len(assertion) > MAX_LENGTH:
        return None
    try:
        payload = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return None
    subject = payload.get("sub") if isinstance(payload, dict) else None
    return subject if isinstance(subject, str) else None
