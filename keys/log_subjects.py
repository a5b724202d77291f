"""What a person's log key is used for: the reference under which their log entries are found, and sealing who an entry is about.

Destroying the log key makes both meaningless: nobody can tell any more whose entries these are.
"""

from __future__ import annotations

import hmac
import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_CONTEXT: Final = b"gerbang-log/sealed/v1\x00"
NONCE: Final = 12


class SubjectUnreadable(Exception):
    """The cell was not sealed under this log key for this index."""


class LogKey:
    """One person's log key, ready for use. Never printed, never stored.

    `reference` and `delayed` name the person's two chains: entries shown at once, and entries shown later.
    """

    __slots__ = ("_cipher", "delayed", "reference")

    def __init__(self, secret: bytes) -> None:
        self.reference: Final = hmac.digest(secret, b"ref", "sha256")
        self.delayed: Final = hmac.digest(secret, b"ref-delayed", "sha256")
        self._cipher: Final = AESGCM(hmac.digest(secret, b"seal", "sha256"))

    def seal(self, index: int, plaintext: bytes, nonce: bytes | None = None) -> bytes:
        """Seal for one index of the log: nonce ‖ ciphertext ‖ tag. `nonce`: 12 random bytes drawn for this, if they were."""
        nonce = nonce or os.urandom(NONCE)
        return nonce + self._cipher.encrypt(nonce, plaintext, _CONTEXT + index.to_bytes(8, "big"))

    def open(self, index: int, cell: bytes) -> bytes:
        """Open what `seal` made. Raises: SubjectUnreadable."""
        try:
            return self._cipher.decrypt(cell[:NONCE], cell[NONCE:], _CONTEXT + index.to_bytes(8, "big"))
        except (InvalidTag, ValueError) as error:
            raise SubjectUnreadable from error
