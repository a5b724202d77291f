"""Hashes of passwords that other systems made: bcrypt and PBKDF2, checked as they are. Pure but for the work it costs.

design.md §4: "Foreign hashes can be imported". The first sign-in replaces them by argon2id. Until then a sign-in costs what the
other system chose, which the bounds here keep from choking us.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Final

MOST_BCRYPT: Final = 14
MOST_ITERATIONS: Final = 2_000_000
LEAST_ITERATIONS: Final = 1_000
BCRYPT_BYTES: Final = 72
"""bcrypt reads no more of a password; the systems that made these hashes cut it off without a word."""

_BCRYPT: Final = re.compile(r"\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}")
_DJANGO: Final = re.compile(r"pbkdf2_(sha256|sha512)\$(\d{1,8})\$([^$]{1,128})\$([A-Za-z0-9+/]{20,172}={0,2})")
_PASSLIB: Final = re.compile(r"\$pbkdf2-(sha256|sha512)\$(\d{1,8})\$([A-Za-z0-9./]{1,172})\$([A-Za-z0-9./]{20,172})")


@dataclass(frozen=True, slots=True)
class _Pbkdf2:
    digest: str
    iterations: int
    salt: bytes
    derived: bytes


def foreign(stored: str) -> bool:
    """Tell whether this is a hash of one of these kinds, at a cost within the bounds."""
    found = _BCRYPT.fullmatch(stored)
    if found:
        return 4 <= int(found[1]) <= MOST_BCRYPT  # noqa: PLR2004 - the least that bcrypt knows
    read = _pbkdf2(stored)
    return read is not None and LEAST_ITERATIONS <= read.iterations <= MOST_ITERATIONS


def matches(stored: str, password: str) -> bool:
    """Check a password, as it was typed, against a hash that is `foreign`."""
    typed = password.encode("utf-8", "surrogatepass")
    read = _pbkdf2(stored)
    if read is not None:
        made = hashlib.pbkdf2_hmac(read.digest, typed, read.salt, read.iterations, len(read.derived))
        return hmac.compare_digest(made, read.derived)
    import bcrypt  # noqa: PLC0415 - only for people who come from elsewhere

    try:
        return bcrypt.checkpw(typed[:BCRYPT_BYTES], stored.encode())
    except ValueError:
        return False


def _pbkdf2(stored: str) -> _Pbkdf2 | None:
    """Read Django's form (salt as text, base64) or Passlib's (both in its own base64, `.` for `+`, unpadded)."""
    django, passlib = _DJANGO.fullmatch(stored), _PASSLIB.fullmatch(stored)
    try:
        if django:
            return _Pbkdf2(django[1], int(django[2]), django[3].encode(), base64.b64decode(django[4], validate=True))
        if passlib:
            return _Pbkdf2(passlib[1], int(passlib[2]), _ab64(passlib[3]), _ab64(passlib[4]))
    except (binascii.Error, ValueError):
        return None
    return None


def _ab64(text: str) -> bytes:
    return base64.b64decode(text.replace(".", "+") + "=" * (-len(text) % 4), validate=True)
