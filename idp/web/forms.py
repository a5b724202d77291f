"""Form tokens against forged requests, and signed values for links and verifiers. HMAC-SHA256 by itsdangerous, a salt per purpose.

A signature proves where a value came from and when; it does not make it one-use: that needs a row.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from itsdangerous import BadData, TimestampSigner, URLSafeTimedSerializer

from keys.encoding import decode, encode
from keys.errors import SealBroken
from keys.opaque import new_id

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from keys.secrets import Secrets

    Clock = Callable[[], datetime]

FORM_LIFETIME = 12 * 3600


class Forms:
    """Makes and checks form tokens and signed values. `secret` is the keyring's named secret "forms"."""

    def __init__(self, secret: bytes, clock: Clock, secrets: Secrets) -> None:
        self._secret = secret
        self._clock = clock
        self._secrets = secrets
        self._signer = _signer_by(clock)

    def token(self, purpose: str, browser: str) -> str:
        """Make the token of one form for one browser: it is worthless in another form and in another browser."""
        return self._form(purpose, browser).sign(new_id()).decode()

    def check(self, purpose: str, browser: str | None, value: str | None) -> bool:
        """Say whether `value` was made for this form and this browser within the last 12 hours."""
        if not browser or not value:
            return False
        try:
            self._form(purpose, browser).unsign(value, max_age=FORM_LIFETIME)
        except BadData:
            return False
        return True

    def sign(self, purpose: str, payload: dict[str, Any]) -> str:
        """Sign a payload of random ids and plain facts: it is readable by whoever holds it."""
        return str(self._serializer(purpose).dumps(payload))

    def unsign(self, purpose: str, value: str | None, max_age: int) -> dict[str, Any] | None:
        """Give the payload back, or None when it was not signed for this purpose within `max_age` seconds."""
        try:
            payload = self._serializer(purpose).loads(value or "", max_age=max_age)
        except BadData:
            return None
        return payload if isinstance(payload, dict) else None

    def close(self, purpose: str, payload: dict[str, Any]) -> str:
        """Seal a payload that nobody may read on the way, in an address too; `disclosed` opens it."""
        sealed = self._secrets.seal("form", (purpose,), json.dumps(payload | {"sealed_at": int(self._clock().timestamp())}).encode())
        return encode(sealed)

    def disclosed(self, purpose: str, value: str | None, max_age: int) -> dict[str, Any] | None:
        """Give a sealed payload back, or None when it was not sealed for this purpose within `max_age` seconds."""
        try:
            payload: dict[str, Any] = json.loads(self._secrets.open("form", (purpose,), decode(value or "")))
        except (SealBroken, ValueError):
            return None
        age = self._clock().timestamp() - payload.pop("sealed_at")
        return payload if age <= max_age else None

    def _form(self, purpose: str, browser: str) -> TimestampSigner:
        return self._signer(self._secret, salt=f"gerbang/form/{purpose}/{browser}", key_derivation="hmac", digest_method=hashlib.sha256)

    def _serializer(self, purpose: str) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(
            self._secret,
            salt=f"gerbang/value/{purpose}",
            signer=self._signer,
            signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
        )


def _signer_by(clock: Clock) -> type[TimestampSigner]:
    class ClockedSigner(TimestampSigner):
        """A signer by our clock, so that tests move time."""

        def get_timestamp(self) -> int:
            return int(clock().timestamp())

    return ClockedSigner
