"""Which pictures are taken: the first bytes and the size in dots decide."""

from __future__ import annotations

import struct

import pytest

from idp.spec.pictures import MAX_BYTES, kind_of
from tests.support.registering import png

JPEG = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x11\x08" + struct.pack(">HH", 40, 50) + b"\x03" * 10


def webp(chunk: bytes) -> bytes:
    return b"RIFF\x00\x00\x00\x00WEBP" + chunk + b"\x00" * 30


VP8X = b"VP8X" + b"\x00" * 8 + (39).to_bytes(3, "little") + (49).to_bytes(3, "little")
VP8L = b"VP8L" + b"\x00" * 4 + b"\x2f" + (39 | 49 << 14).to_bytes(4, "little")
VP8 = b"VP8 " + b"\x00" * 10 + struct.pack("<HH", 40, 50)


@pytest.mark.parametrize(
    ("body", "kind"),
    [(png(), "image/png"), (JPEG, "image/jpeg"), (webp(VP8X), "image/webp"), (webp(VP8L), "image/webp"), (webp(VP8), "image/webp")],
    ids=["png", "jpeg", "webp-x", "webp-l", "webp"],
)
def test_small_pictures_are_taken(body: bytes, kind: str) -> None:
    assert kind_of(body) == kind


@pytest.mark.parametrize(
    "body",
    [
        b"", b"<svg/>", b"<?xml version='1.0'?><svg/>", b"GIF89a", png()[:20], png(0, 1), png(1025, 1), png(padding=MAX_BYTES), JPEG[:6],
        JPEG.replace(struct.pack(">HH", 40, 50), struct.pack(">HH", 40, 5000)), b"\xff\xd8\xff" + b"\xff" * 50, b"\xff\xd8\xff\xe0\x00\x00",
        webp(b"VP8X" + b"\x00" * 8 + b"\xff" * 6), webp(b"ABCD"), b"RIFF",
    ],
)  # fmt: skip
def test_everything_else_is_not(body: bytes) -> None:
    assert kind_of(body) is None
