"""RFC 7636 §4: the code challenge and its verifier. Only S256 exists here (RFC 9700 §2.1.1)."""

from __future__ import annotations

import hmac
import re

from authlib.oauth2.rfc7636 import create_s256_code_challenge

METHOD = "S256"
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER = re.compile(r"[A-Za-z0-9\-._~]{43,128}")


def valid_challenge(challenge: str) -> bool:
    """Tell whether this is BASE64URL of a SHA-256 (§4.2)."""
    return bool(_CHALLENGE.fullmatch(challenge))


def valid_verifier(verifier: str) -> bool:
    """Tell whether this is `43*128unreserved` (§4.1)."""
    return bool(_VERIFIER.fullmatch(verifier))


def matches(verifier: str | None, challenge: str | None) -> bool:
    """Compare as §4.6 says; a challenge demands a verifier, and a verifier without a challenge is a downgrade.

    RFC 9700 §2.1.1: "Authorization servers MUST mitigate PKCE downgrade attacks by ensuring that a token request containing a code_verifier
    parameter is accepted only if a code_challenge parameter was present in the authorization request."
    """
    if verifier is None or challenge is None:
        return verifier is None and challenge is None
    return valid_verifier(verifier) and hmac.compare_digest(create_s256_code_challenge(verifier), challenge)
