"""A client of C2SP tlog-tiles as strangers write it, with nothing of ours: it mirrors a log over HTTP into a folder and checks it.

Hashing is RFC 6962's definition, word for word; the signature is checked with `cryptography`. It keeps every file as it came.
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import httpx2


class Head(NamedTuple):
    """A checkpoint that bears the key's signature."""

    origin: str
    size: int
    root: bytes


class Untrue(Exception):
    """What the log serves does not hold."""


def opened(note: str, vkey: str) -> Head:
    """Check a signed note against a verifier key line."""
    name, key_id, material = vkey.strip().split("+", 2)
    key = base64.b64decode(material)
    if key[0] != 1 or hashlib.sha256(f"{name}\n".encode() + key).digest()[:4].hex() != key_id:
        raise Untrue("the verifier key")
    text, _, signatures = note.rpartition("\n\n")
    for line in signatures.splitlines():
        dash, signer, blob = line.split(" ")
        raw = base64.b64decode(blob)
        if (dash, signer, raw[:4].hex()) == ("\N{EM DASH}", name, key_id):
            Ed25519PublicKey.from_public_bytes(key[1:]).verify(raw[4:], f"{text}\n".encode())
            origin, size, root, *_ = text.split("\n")
            return Head(origin, int(size), base64.b64decode(root))
    raise Untrue("no signature of the key")


def leaf_hash(entry: bytes) -> bytes:
    """RFC 6962 §2.1: MTH({d(0)}) = SHA-256(0x00 || d(0))."""
    return hashlib.sha256(b"\x00" + entry).digest()


def tree_hash(hashes: Sequence[bytes]) -> bytes:
    """RFC 6962 §2.1, over leaf hashes."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return hashlib.sha256(b"\x01" + tree_hash(hashes[:k]) + tree_hash(hashes[k:])).digest()


def path_of(number: int, width: int) -> str:
    """tlog-tiles: <N>[.p/<W>]."""
    digits = str(number).zfill(3)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    return "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]]) + (f".p/{width}" if width < 256 else "")


async def mirror(http: httpx2.AsyncClient, prefix: str, vkey: str, folder: Path) -> Head:
    """Fetch checkpoint, tiles and bundles; check that the bundles make the tiles and the tiles the root."""
    note = await _fetched(http, prefix, "checkpoint", folder)
    head = opened(note.decode(), vkey)
    leaves: list[bytes] = []
    for n in range(-(-head.size // 256)):
        width = min(256, head.size - n * 256)
        entries = _entries(await _fetched(http, prefix, f"tile/entries/{path_of(n, width)}", folder))
        if len(entries) != width:
            raise Untrue(f"bundle {n} holds {len(entries)} entries")
        leaves += map(leaf_hash, entries)
    row, level = leaves, 0
    while row:
        for n in range(-(-len(row) // 256)):
            hashes = row[n * 256 : n * 256 + 256]
            if await _fetched(http, prefix, f"tile/{level}/{path_of(n, len(hashes))}", folder) != b"".join(hashes):
                raise Untrue(f"tile {n} of level {level}")
        row, level = [tree_hash(row[at : at + 256]) for at in range(0, len(row) - 255, 256)], level + 1
    if tree_hash(leaves) != head.root:
        raise Untrue("the root")
    return head


async def _fetched(http: httpx2.AsyncClient, prefix: str, path: str, folder: Path) -> bytes:
    answer = await http.get(f"{prefix}/{path}")
    answer.raise_for_status()
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(answer.content)
    return answer.content


def _entries(bundle: bytes) -> list[bytes]:
    found = []
    while bundle:
        length = int.from_bytes(bundle[:2], "big")
        found.append(bundle[2 : 2 + length])
        bundle = bundle[2 + length :]
    return found
