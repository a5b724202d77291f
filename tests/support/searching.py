"""Searching bytes for planted values, in every disguise that a program gives a text by accident."""

from __future__ import annotations

import base64
import functools
import json
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

ZEROS = b"\0" * 64
WIDE = ("utf-16-le", "utf-16-be")


@functools.lru_cache(maxsize=1024)
def disguises(value: str) -> frozenset[bytes]:
    """Write a value as it may stand in files: encodings, cases, base64 at each of its three alignments, hex, percent, JSON."""
    texts = {value, value.lower(), value.upper(), quote(value, safe=""), quote_plus(value), json.dumps(value)[1:-1]}
    plain = {text.encode() for text in texts} | {text.encode(code) for text in (value, value.lower()) for code in WIDE}
    raw = [text.encode() for text in (value, value.lower())]
    aligned = {_middle(one, before) for one in raw for before in range(3)}
    urlsafe = {one.replace(b"+", b"-").replace(b"/", b"_") for one in aligned}
    return frozenset(plain | aligned | urlsafe | {one.hex().encode() for one in raw} | {one.hex().upper().encode() for one in raw})


def _middle(raw: bytes, before: int) -> bytes:
    """Give the part of a base64 text that does not depend on what stands around the value."""
    encoded = base64.b64encode(b"\0" * before + raw)
    first = -(-before * 8 // 6)
    return encoded[first : (before + len(raw)) * 8 // 6]


def found_in(content: bytes, values: Iterable[str]) -> list[str]:
    """Name the values that stand in these bytes."""
    return [value for value in values if any(disguise in content for disguise in disguises(value))]


def contents(folders: Iterable[Path], since: float) -> Mapping[str, bytes]:
    """Read every file that changed since, under these folders; long runs of zeros are left out, for they hold nothing."""
    files = [file for folder in folders for file in (folder.rglob("*") if folder.is_dir() else [folder]) if file.is_file()]
    return {str(file): file.read_bytes().replace(ZEROS, b"") for file in files if file.stat().st_mtime >= since}


def report(places: Mapping[str, bytes], values: Sequence[str]) -> dict[str, list[str]]:
    """Say where which values stand; their places' names (files, too) are searched as well."""
    told = {place: found_in(place.encode() + b"\n" + content, values) for place, content in places.items()}
    return {place: found for place, found in told.items() if found}
