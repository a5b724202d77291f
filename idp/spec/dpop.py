"""RFC 9449 §4.3, §8: what a DPoP proof whose signature holds must say, and the nonces it may be asked to repeat. Pure."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

TYPE: Final = "dpop+jwt"
HEADER: Final = "DPoP"
SCHEME: Final = "dpop"
# §4.3 (5): "an asymmetric digital signature algorithm"; FAPI 2.0 §5.4.1 leaves out RS256.
ALGORITHMS: Final = ("ES256", "PS256", "EdDSA")
FRESH: Final = 60
"""How many seconds `iat` may be away from our clock (§11.1: "within an acceptable window", in both directions)."""
MAX_JTI: Final = 256
NONCE_SECONDS: Final = 120
_THUMBPRINT: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_PORTS: Final = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Expected:
    """What the request says of itself: its method, the addresses it may be known by, its access token if it carries one."""

    method: str
    addresses: Collection[str]
    access_token: str | None = None


@dataclass(frozen=True, slots=True)
class Claimed:
    """A proof that fits its request. `jti` must stay used until `until` (seconds since the epoch); `nonce` is still to be looked at."""

    jti: str
    until: int
    nonce: str | None


def read(claims: Mapping[str, Any], expected: Expected, *, now: int) -> Claimed | str:
    """Check a proof's claims; the answer is what remains to be done, or what is wrong, in words.

    §4.3: (3) the required claims are there, (8) htm, (9) htu, (10) nonce, (11) iat, (12) ath.
    """
    jti, nonce = claims.get("jti"), claims.get("nonce")
    if not isinstance(jti, str) or not 0 < len(jti) <= MAX_JTI:
        return f"jti must be a text of 1 to {MAX_JTI} characters"
    if claims.get("htm") != expected.method:
        return f"htm must be {expected.method}"
    if normalized(claims.get("htu")) not in {normalized(address) for address in expected.addresses}:
        return "htu must be the address of this request, without query and fragment"
    if "nonce" in claims and not isinstance(nonce, str):
        return "nonce must be a text"
    issued = _number(claims.get("iat"))
    if issued is None or abs(issued - now) > FRESH:
        return f"iat must be within {FRESH} seconds of the server's clock"
    wrong = _times(claims, now) or _wrong_token(claims, expected.access_token)
    return wrong or Claimed(jti, issued + FRESH, nonce)


def _times(claims: Mapping[str, Any], now: int) -> str | None:
    """RFC 7519 §4.1.4, §4.1.5, where a client sends what the proof does not need."""
    expires, begins = _number(claims.get("exp")), _number(claims.get("nbf"))
    if "exp" in claims and (expires is None or expires <= now - FRESH):
        return "exp is past"
    if "nbf" in claims and (begins is None or begins > now + FRESH):
        return "nbf is in the future"
    return None


def _wrong_token(claims: Mapping[str, Any], access_token: str | None) -> str | None:
    """§4.2: "ath: Hash of the access token. […] REQUIRED when the DPoP proof is used in conjunction with […] an access token"."""
    if access_token is None:
        return None
    return None if claims.get("ath") == hash_of(access_token) else "ath must be the hash of the access token"


def hash_of(access_token: str) -> str:
    """Give the value of `ath`: base64url of the SHA-256 of the token's ASCII letters."""
    return base64.urlsafe_b64encode(hashlib.sha256(access_token.encode()).digest()).rstrip(b"=").decode()


def normalized(htu: object) -> str | None:
    """Give an address as §4.3 compares it: scheme and host in lower case, no default port, no query, no fragment (RFC 3986 §6.2.2-3)."""
    if not isinstance(htu, str):
        return None
    try:
        parts = urlsplit(htu)
        port = parts.port
    except ValueError:
        return None
    if parts.username is not None or not parts.hostname or any(character.isspace() for character in htu):
        return None
    scheme = parts.scheme.lower()
    place = parts.hostname.lower() + ("" if port in {None, _PORTS.get(scheme)} else f":{port}")
    return f"{scheme}://{place}{parts.path or '/'}"


def is_thumbprint(value: str) -> bool:
    """Tell whether a `dpop_jkt` can be the base64url of a SHA-256 (§10)."""
    return _THUMBPRINT.fullmatch(value) is not None


def nonce(secret: bytes, now: int) -> str:
    """Make the nonce of this moment. Nothing is stored: every process that knows the secret makes the same."""
    return _nonce(secret, now // NONCE_SECONDS)


def nonce_holds(secret: bytes, value: str, now: int) -> bool:
    """Tell whether a nonce is at most two periods old, or of a process whose clock is a little ahead."""
    period = now // NONCE_SECONDS
    return any(hmac.compare_digest(_nonce(secret, period + away).encode(), value.encode()) for away in (0, -1, 1))


def _nonce(secret: bytes, period: int) -> str:
    digest = hmac.digest(secret, f"dpop-nonce/{period}".encode(), "sha256")
    return base64.urlsafe_b64encode(digest[:18]).decode()


def _number(value: object) -> int | None:
    """RFC 7519 §2 NumericDate; a boolean is no number, and infinity is no time."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 2**53:
        return None
    return int(value)
