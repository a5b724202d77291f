"""C2SP tlog-tiles: addresses and contents of tiles (height 8) and entry bundles. Pure.

Tile (L, N) holds hashes N·256 … N·256+255 of level 8·L of the tree; an entry bundle holds the entries under a tile of level 0.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from consent import merkle

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from consent.merkle import Node

HEIGHT = 8
WIDTH = 1 << HEIGHT
HASH = 32
LARGEST_ENTRY = 0xFFFF
_LEVEL = re.compile(r"[0-9]|[1-5][0-9]|6[0-3]")
_NUMBER = re.compile(r"((?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")


class TileAddress(NamedTuple):
    """A tile: its level, its number, and how many hashes it holds (256 when full)."""

    level: int
    n: int
    width: int = WIDTH


class TileBroken(ValueError):
    """The bytes of a tile or bundle are not what the format says."""


def _number(n: int, width: int) -> str:
    """tlog-tiles: <N> in groups of three digits, each but the last with a leading x; partial ones end in .p/<W>."""
    groups = [f"{n % 1000:03}"]
    while n := n // 1000:
        groups.insert(0, f"x{n % 1000:03}")
    path = "/".join(groups)
    return path if width == WIDTH else f"{path}.p/{width}"


def tile_path(tile: TileAddress) -> str:
    """Give `tile/<L>/<N>[.p/<W>]`."""
    return f"tile/{tile.level}/{_number(tile.n, tile.width)}"


def bundle_path(n: int, width: int = WIDTH) -> str:
    """Give `tile/entries/<N>[.p/<W>]`."""
    return f"tile/entries/{_number(n, width)}"


class AddressInvalid(ValueError):
    """The path of a tile or bundle is not one that the format writes. The message says what is."""


def parse_number(text: str) -> tuple[int, int]:
    """Read `<N>[.p/<W>]`; give the number and the width. No number is longer than six groups of digits. Raises: AddressInvalid."""
    found = _NUMBER.fullmatch(text)
    if found is None or found[1].startswith("x000/"):
        raise AddressInvalid(
            "write <N> in groups of three digits, each but the last after an x (1234067: x001/x234/067), then .p/<W> if partial"
        )
    width = int(found[2] or WIDTH)
    if found[2] and width >= WIDTH:
        raise AddressInvalid("a partial tile is 1 to 255 wide; a full one is asked for without .p/<W>")
    return int(found[1].replace("x", "").replace("/", "")), width


def parse_tile(level: str, number: str) -> TileAddress:
    """Read `<L>` and `<N>[.p/<W>]`. Raises: AddressInvalid."""
    if _LEVEL.fullmatch(level) is None:
        raise AddressInvalid("write <L> as a number from 0 to 63 without leading zeros")
    return TileAddress(int(level), *parse_number(number))


def needed_size(tile: TileAddress) -> int:
    """Tell from which size of the tree on a tile of this width is there."""
    return (tile.n * WIDTH + tile.width) << (HEIGHT * tile.level)


def encode_bundle(entries: Iterable[bytes]) -> bytes:
    """tlog-tiles: "a sequence of big-endian uint16 length-prefixed log entries"."""
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def decode_bundle(bundle: bytes) -> list[bytes]:
    """Read the entries of a bundle. Raises: TileBroken."""
    entries, at = [], 0
    while at < len(bundle):
        start = at + 2
        at = start + int.from_bytes(bundle[at:start], "big")
        if at > len(bundle) or start > len(bundle):
            raise TileBroken("the bundle ends inside an entry")
        entries.append(bundle[start:at])
    return entries


def decode_tile(tile: bytes) -> list[bytes]:
    """Read the hashes of a tile. Raises: TileBroken."""
    if len(tile) % HASH or not HASH <= len(tile) <= HASH * WIDTH:
        raise TileBroken("a tile holds 1 to 256 hashes of 32 bytes")
    return [tile[i : i + HASH] for i in range(0, len(tile), HASH)]


def tiles_of(size: int) -> list[TileAddress]:
    """Name the newest, partial tile of each level of a tree, lowest level first; levels that end with a full tile have none."""
    found, level, hashes = [], 0, size
    while hashes:
        if hashes % WIDTH:
            found.append(TileAddress(level, hashes // WIDTH, hashes % WIDTH))
        hashes >>= HEIGHT
        level += 1
    return found


def paths_of(size: int) -> Iterator[str]:
    """Name every bundle and tile of a tree in the order in which `TreeWalk` makes them: a bundle, then the tiles that end with it."""
    for n in range(size // WIDTH):
        yield bundle_path(n)
        level, number = 0, n
        yield tile_path(TileAddress(level, number))
        while (number + 1) % WIDTH == 0:
            level, number = level + 1, number // WIDTH
            yield tile_path(TileAddress(level, number))
    if size % WIDTH:
        yield bundle_path(size // WIDTH, size % WIDTH)
    yield from map(tile_path, tiles_of(size))


def tile_of(node: Node, size: int) -> TileAddress:
    """Name the tile from which a node's hash is computed, as wide as a tree of `size` has it."""
    level, above = divmod(node.level, HEIGHT)
    n = (node.n << above) >> HEIGHT
    return TileAddress(level, n, min(WIDTH, (size >> (HEIGHT * level)) - n * WIDTH))


def node_from_tile(node: Node, hashes: Sequence[bytes]) -> bytes:
    """Compute a node's hash from the hashes of its tile."""
    above = node.level % HEIGHT
    start = (node.n << above) % WIDTH
    return merkle.perfect_root(hashes[start : start + (1 << above)])
