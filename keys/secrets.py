"""Secrets at rest that are no personal fields: TOTP seeds, stored requests, client credentials of other systems."""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from keys.boxes import derive, open_with, seal_with


class Secrets:
    """Boxes under one key of the keys store, apart for each purpose and bound to their row."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._ciphers: dict[str, AESGCM] = {}

    def seal(self, purpose: str, binding: tuple[str, ...], secret: bytes) -> bytes:
        """Seal `secret`, for example `seal("totp", (person,), seed)`. `purpose` is a word of the program, never a value from outside."""
        return seal_with(self._cipher(purpose), purpose, binding, secret)

    def open(self, purpose: str, binding: tuple[str, ...], cell: bytes) -> bytes:
        """Open what `seal` sealed for the same purpose and binding.

        Raises: SealBroken.
        """
        return open_with(self._cipher(purpose), purpose, binding, cell)

    def _cipher(self, purpose: str) -> AESGCM:
        cipher = self._ciphers.get(purpose)
        if cipher is None:
            cipher = self._ciphers[purpose] = AESGCM(derive(self._key, "gerbang-box/v1", purpose))
        return cipher
