"""OpenID Connect Back-Channel Logout 1.0 §2.4, §2.5: the claims of a logout token."""

from __future__ import annotations

from typing import Any, Final

TYPE: Final = "logout+jwt"
EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
LIFETIME: Final = 120
"""§4: "it is RECOMMENDED that they expire […] preferably at most two minutes in the future"."""


def claims(*, issuer: str, client_id: str, subject: str | None, sid: str | None, now: int, jti: str) -> dict[str, Any]:
    """Put the claims together. Raises: ValueError without subject and sid.

    §2.4: "A Logout Token MUST contain either a sub or a sid Claim, and MAY contain both." and "[a nonce] is PROHIBITED".
    """
    if subject is None and sid is None:
        raise ValueError("a logout token names a subject or a session")
    token: dict[str, Any] = {
        "iss": issuer,
        "aud": client_id,
        "iat": now,
        "exp": now + LIFETIME,
        "jti": jti,
        "events": {EVENT: {}},
    }
    return token | ({} if subject is None else {"sub": subject}) | ({} if sid is None else {"sid": sid})
