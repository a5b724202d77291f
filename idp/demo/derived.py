"""Secrets of the demonstration, derived from one file, so that starting again prints the same ones."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SIZE = 32
_CONSONANTS, _VOWELS = "bdfghjklmnprstwy", "aeiou"


class DemoKey:
    """The one secret of a demonstration folder: `demo.key`."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    @classmethod
    def of_folder(cls, folder: Path) -> DemoKey:
        """Read `demo.key`, or make it (mode 0400)."""
        path = folder / "demo.key"
        try:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400), "wb") as file:
                file.write(os.urandom(SIZE))
        except FileExistsError:
            pass
        return cls(path.read_bytes())

    def _bytes(self, label: str) -> bytes:
        return hmac.new(self._secret, f"gerbang-demo/v1/{label}".encode(), hashlib.sha256).digest()

    def token(self, label: str) -> str:
        """Derive 256 bits in base64url: client secrets, cookie keys."""
        return base64.urlsafe_b64encode(self._bytes(label)).rstrip(b"=").decode()

    def totp_secret(self, label: str) -> str:
        """Derive 160 bits in base32 (RFC 4226 §4: "RECOMMENDED shared secret length of 160 bits")."""
        return base64.b32encode(self._bytes(label)[:20]).decode()

    def password(self, label: str) -> str:
        """Derive a password that is easy to type: three made-up words and two digits."""
        raw = self._bytes(label)
        words = ["".join(_syllable(raw[2 * (3 * word + i)], raw[2 * (3 * word + i) + 1]) for i in range(3)) for word in range(3)]
        return "-".join(words) + f"-{raw[30] % 90 + 10}"


def _syllable(first: int, second: int) -> str:
    return _CONSONANTS[first % len(_CONSONANTS)] + _VOWELS[second % len(_VOWELS)]
