"""Recomputing a log from its entries, bundle by bundle: the tiles it must have, and its root at chosen sizes. Pure."""

from __future__ import annotations

import bisect
import hashlib
from typing import TYPE_CHECKING, NamedTuple

from consent import merkle, tiles
from consent.merkle import Edge
from consent.tiles import TileAddress

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Tile(NamedTuple):
    """A tile as it must be, and the index of the first entry under each of its hashes by their distance."""

    address: TileAddress
    hashes: Sequence[bytes]

    @property
    def first(self) -> int:
        """The index of the first entry under the tile."""
        return self.address.n * tiles.WIDTH * self.step

    @property
    def step(self) -> int:
        """How many entries lie under each hash."""
        return 1 << (tiles.HEIGHT * self.address.level)


class TreeWalk:
    """Takes bundles in order; full ones first, at most one partial one last. `marks`: sizes at which the root is kept."""

    def __init__(self, marks: Iterable[int] = ()) -> None:
        self.edge = Edge()
        self.roots = {0: merkle.EMPTY_ROOT}
        self._marks = sorted(set(marks))
        self._rows: list[list[bytes]] = []

    @property
    def size(self) -> int:
        """How many entries were taken."""
        return self.edge.size

    def mark(self, size: int) -> None:
        """Keep the root at one more size, not smaller than what was taken so far."""
        if size == self.size:
            self.roots[size] = self.edge.root
        elif size not in self._marks:
            bisect.insort(self._marks, size)

    def add(self, entries: Sequence[bytes]) -> list[Tile]:
        """Take a bundle; return the full tiles that it completes, lowest level first."""
        sha256 = hashlib.sha256
        hashes = [sha256(b"\x00" + entry).digest() for entry in entries]
        self._mark(hashes)
        if len(hashes) < tiles.WIDTH:
            self.edge = self.edge.extend(hashes)
            self._row(0).extend(hashes)
            return []
        n = self.size // tiles.WIDTH
        root = merkle.perfect_root(hashes)
        self.edge = self.edge.extend_perfect(tiles.HEIGHT, root)
        return [Tile(TileAddress(0, n), hashes), *self._above(1, n, root)]

    def partial(self) -> list[Tile]:
        """Give the partial tile of each level that has one."""
        return [Tile(address, self._rows[address.level]) for address in tiles.tiles_of(self.size)]

    def _above(self, level: int, n: int, root: bytes) -> list[Tile]:
        row = self._row(level)
        row.append(root)
        if len(row) < tiles.WIDTH:
            return []
        self._rows[level] = []
        number = n // tiles.WIDTH
        return [Tile(TileAddress(level, number), row), *self._above(level + 1, number, merkle.perfect_root(row))]

    def _row(self, level: int) -> list[bytes]:
        while len(self._rows) <= level:
            self._rows.append([])
        return self._rows[level]

    def _mark(self, hashes: Sequence[bytes]) -> None:
        end = self.size + len(hashes)
        while self._marks and self._marks[0] <= end:
            mark = self._marks.pop(0)
            if mark > self.size:
                self.roots[mark] = self.edge.extend(hashes[: mark - self.size]).root
