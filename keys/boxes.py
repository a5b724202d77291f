"""Secrets in boxes: AES-256-GCM under a key derived for one purpose, bound to the place where the box lies.

Box = format (1) ‖ algorithm (1) ‖ nonce (12) ‖ ciphertext ‖ tag (16). Associated data: length-prefixed
("gerbang-box/v1", purpose, *binding). For personal fields there is `keys.sealing`; boxes hold the program's own secrets
and the log's subject parts.
"""

from __future__ import annotations

import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from keys.encoding import length_prefixed
from keys.errors import SealBroken

HEADER: Final = b"\x01\x01"
NONCE: Final = 12
TAG: Final = 16


def derive(key: bytes, *info: str | bytes) -> bytes:
    """Derive 32 bytes from `key` for the use that `info` names (HKDF-SHA256, RFC 5869)."""
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=length_prefixed(*info)).derive(key)


def seal_box(key: bytes, purpose: str, binding: tuple[str, ...], secret: bytes) -> bytes:
    """Seal `secret` for `purpose` at the place `binding` names. `key`: 32 uniformly random bytes."""
    return seal_with(AESGCM(derive(key, "gerbang-box/v1", purpose)), purpose, binding, secret)


def open_box(key: bytes, purpose: str, binding: tuple[str, ...], box: bytes) -> bytes:
    """Open what `seal_box` sealed under the same key, purpose and binding.

    Raises: SealBroken.
    """
    return open_with(AESGCM(derive(key, "gerbang-box/v1", purpose)), purpose, binding, box)


def seal_with(cipher: AESGCM, purpose: str, binding: tuple[str, ...], secret: bytes) -> bytes:
    """Seal with a cipher already made for the purpose (hot paths keep it)."""
    nonce = os.urandom(NONCE)
    return HEADER + nonce + cipher.encrypt(nonce, secret, _associated(purpose, binding))


def open_with(cipher: AESGCM, purpose: str, binding: tuple[str, ...], box: bytes) -> bytes:
    """Open with a cipher already made for the purpose.

    Raises: SealBroken.
    """
    start = len(HEADER) + NONCE
    if len(box) < start + TAG or box[: len(HEADER)] != HEADER:
        raise SealBroken
    try:
        return cipher.decrypt(box[len(HEADER) : start], box[start:], _associated(purpose, binding))
    except InvalidTag:
        raise SealBroken from None


def _associated(purpose: str, binding: tuple[str, ...]) -> bytes:
    return length_prefixed("gerbang-box/v1", purpose, *binding)
