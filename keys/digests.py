"""Keyed digests: all that is stored of a token, a code or a browser's cookie."""

from __future__ import annotations

import hmac

from keys.encoding import length_prefixed


class Digests:
    """HMAC-SHA256 under one key, apart for each purpose. A stolen database holds nothing that can be presented or guessed at."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def digest(self, purpose: str, value: str) -> bytes:
        """Give 32 bytes for `value`, for example `digest("code", code)`; other purposes give other bytes."""
        return hmac.digest(self._key, length_prefixed(purpose, value), "sha256")
