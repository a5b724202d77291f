"""Unambiguous bytes: length-prefixed parts, so that no two lists of parts ever read alike; and strict base64url."""

from __future__ import annotations

import base64
import binascii
import re

_URLSAFE = re.compile(r"[A-Za-z0-9_-]*\Z")


def length_prefixed(*parts: str | bytes) -> bytes:
    """Join parts, each after its length as a big-endian u32; strings as UTF-8."""
    joined = bytearray()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        joined += len(data).to_bytes(4, "big")
        joined += data
    return bytes(joined)


def encode(data: bytes) -> str:
    """Give base64url without padding (RFC 7515 §2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """Read base64url without padding, only in its one canonical spelling.

    Raises: ValueError. RFC 4648 §3.5: bits that are left over must be zero; else two texts would mean one token.
    """
    if not _URLSAFE.match(text):
        raise ValueError("not base64url")
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise ValueError("not base64url") from error
    if encode(data) != text:
        raise ValueError("not canonical base64url")
    return data
