"""RFC 7523 §3, OIDC Core §9, FAPI 2.0 §5.3.2.1: the claims of a client assertion (private_key_jwt)."""

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
FAPI_ALGORITHMS = ("PS256", "ES256", "EdDSA")  # FAPI 2.0 Security Profile §5.4.1
TYPES = ("jwt", "client-authentication+jwt")  # draft-ietf-oauth-rfc7523bis §2.2; and `typ` may be absent
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


def algorithms(*, fapi: bool, registered: str | None) -> tuple[str, ...]:
    """Name the algorithms that a client may sign with: the one that it registered (OIDC Registration §2), else all."""
    allowed = FAPI_ALGORITHMS if fapi else ALGORITHMS
    return allowed if registered is None else tuple(name for name in allowed if name == registered)


def is_typed(header: Mapping[str, Any]) -> bool:
    """Tell whether a JWT of this header may be an assertion: another token of the same signer must not pass for one (RFC 8725 §3.11)."""
    kind = header.get("typ", TYPES[0])
    return isinstance(kind, str) and kind.lower().removeprefix("application/") in TYPES


def read(claims: Mapping[str, Any], *, client_id: str, audiences: Collection[str], now: int, single: bool = False) -> Assertion | str:
    """Check the claims of an assertion whose signature holds; the answer is the assertion, or what is wrong with it.

    `single`: aud must be a text, not a list (FAPI 2.0 §5.3.2.1 (12): "shall only accept its issuer identifier value […] as a string").

    §3: (1) iss, (2) "the subject MUST be the "client_id" of the OAuth client", (3) aud "that identifies the authorization server",
    (4) exp, (5) nbf, (6) iat, (7) jti: "The JWT MAY contain"; OIDC Core §9 makes jti REQUIRED.
    """
    if claims.get("iss") != client_id or claims.get("sub") != client_id:
        return "iss and sub must both be the client_id"
    found = audience(claims)
    if single and not isinstance(claims.get("aud"), str):
        return "aud must be the issuer, as a text"
    if not found or not set(found) <= set(audiences):
        return "aud must be the issuer" + ("" if single else " or the address of this endpoint")
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
