"""RFC 2083 §12.11, ITU-T T.81 §B.1.1, RFC 9649 §2: pictures that we take from applications: PNG, JPEG, WebP, small in bytes and dots.

The first bytes decide, never what the sender calls it. SVG is a program that draws: it is refused (RFC 7591 §5: a logo is shown to people
who trust the page around it).
"""

from __future__ import annotations

import struct
from typing import Final

MAX_BYTES: Final = 64 * 1024
MAX_SIDE: Final = 1024
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # T.81 table B.1: start of frame, but DHT, JPG, DAC


def kind_of(body: bytes) -> str | None:
    """Give the media type of a picture that may be shown; None for anything else. A few bytes must not unfold to a huge picture."""
    for kind, side in (("image/png", _png(body)), ("image/jpeg", _jpeg(body)), ("image/webp", _webp(body))):
        if side is not None:
            return kind if len(body) <= MAX_BYTES and all(0 < length <= MAX_SIDE for length in side) else None
    return None


def _png(body: bytes) -> tuple[int, int] | None:
    if not body.startswith(_PNG) or body[12:16] != b"IHDR" or len(body) < 24:  # noqa: PLR2004 - signature, length, name, two numbers
        return None
    width, height = struct.unpack(">II", body[16:24])
    return width, height


def _jpeg(body: bytes) -> tuple[int, int] | None:
    """Walk the segments to the frame header."""
    at = 2
    while body.startswith(b"\xff\xd8\xff") and at + 9 <= len(body) and body[at] == 0xFF:  # noqa: PLR2004 - T.81 §B.1.1.2: a marker's prefix
        if body[at + 1] in _FRAMES:
            height, width = struct.unpack(">HH", body[at + 5 : at + 9])
            return width, height
        at += 2 + int(struct.unpack(">H", body[at + 2 : at + 4])[0])
    return None


def _webp(body: bytes) -> tuple[int, int] | None:
    if body[:4] != b"RIFF" or body[8:12] != b"WEBP" or len(body) < 30:  # noqa: PLR2004 - RFC 9649 §2.4: the headers
        return None
    if body[12:16] == b"VP8X":
        return int.from_bytes(body[24:27], "little") + 1, int.from_bytes(body[27:30], "little") + 1
    if body[12:16] == b"VP8L":
        bits = int.from_bytes(body[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if body[12:16] == b"VP8 ":
        width, height = struct.unpack("<HH", body[26:30])
        return width & 0x3FFF, height & 0x3FFF
    return None
