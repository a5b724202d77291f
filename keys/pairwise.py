"""Pairwise subject identifiers (OpenID Connect Core §8.1): HMAC(K_sub, sector ‖ person). K_sub never rotates."""

from __future__ import annotations

import hmac

from keys.encoding import encode, length_prefixed


class Pairwise:
    """OIDC Core §8.1: "The Subject Identifier value MUST NOT be reversible by any party other than the OpenID Provider."."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def subject(self, sector: str, person: str) -> str:
        """Give the `sub` of `person` in `sector`: 43 characters, always the same, unlinkable to any other sector's."""
        return encode(hmac.digest(self._key, length_prefixed(sector, person), "sha256"))
