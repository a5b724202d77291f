"""The tree as the database holds it: full tiles as stored, partial ones computed from entries and from the roots of the tiles below."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from consent import merkle, tiles
from consent.access_log import tables
from consent.merkle import Edge, Node, Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection

    from consent.tiles import TileAddress


class TreeBroken(Exception):
    """The database does not hold a tile, or not all entries, that its tree must have."""


async def head(connection: AsyncConnection) -> Edge:
    """Read the right edge. Raises: TreeBroken when it is not one."""
    row = (await connection.execute(sa.select(tables.head.c.size, tables.head.c.edge))).one()
    try:
        return Edge.unpack(row.size, row.edge)
    except ValueError as error:
        raise TreeBroken(f"the head row is not an edge of {row.size} entries") from error


async def leaves(connection: AsyncConnection, first: int, end: int) -> list[bytes]:
    """Read the leaves first … end - 1. Raises: TreeBroken naming the first that is missing."""
    entries = tables.entries.c
    rows = await connection.execute(
        sa.select(entries.idx, entries.leaf).where(entries.idx >= first, entries.idx < end).order_by(entries.idx)
    )
    found = []
    for expected, row in enumerate(rows, first):
        if row.idx != expected:
            raise TreeBroken(f"entry {expected} is missing")
        found.append(row.leaf)
    if len(found) != end - first:
        raise TreeBroken(f"entry {first + len(found)} is missing")
    return found


async def tile(connection: AsyncConnection, address: TileAddress) -> list[bytes]:
    """Give the hashes of a tile. Raises: TreeBroken."""
    table = tables.tiles.c
    if address.width == tiles.WIDTH:
        stored = (
            await connection.execute(sa.select(table.hashes).where(table.level == address.level, table.n == address.n))
        ).scalar_one_or_none()
        if stored is None or len(stored) != tiles.WIDTH * tiles.HASH:
            raise TreeBroken(f"{tiles.tile_path(address)} is missing or short")
        return tiles.decode_tile(stored)
    first = address.n * tiles.WIDTH
    end = first + address.width
    if address.level == 0:
        return [merkle.leaf_hash(leaf) for leaf in await leaves(connection, first, end)]
    below = sa.select(table.n, table.root).where(table.level == address.level - 1, table.n >= first, table.n < end).order_by(table.n)
    roots = [row.root for row in await connection.execute(below)]
    if len(roots) != address.width:
        raise TreeBroken(f"tiles under {tiles.tile_path(address)} are missing")
    return roots


async def bundle(connection: AsyncConnection, n: int) -> bytes:
    """Give a full entry bundle as it is stored. Raises: TreeBroken."""
    stored = (await connection.execute(sa.select(tables.bundles.c.entries).where(tables.bundles.c.n == n))).scalar_one_or_none()
    if stored is None:
        raise TreeBroken(f"{tiles.bundle_path(n)} is missing")
    return bytes(stored)


async def nodes(connection: AsyncConnection, wanted: Iterable[Node], size: int) -> dict[Node, bytes]:
    """Compute the hashes of these perfect subtrees of the tree of `size`, reading each tile once."""
    by_tile: dict[TileAddress, list[Node]] = {}
    for node in wanted:
        by_tile.setdefault(tiles.tile_of(node, size), []).append(node)
    found: dict[Node, bytes] = {}
    for address, members in by_tile.items():
        hashes = await tile(connection, address)
        found |= {node: tiles.node_from_tile(node, hashes) for node in members}
    return found


async def _proof(connection: AsyncConnection, spans: Sequence[Span], size: int) -> tuple[bytes, ...]:
    hashes: Mapping[Node, bytes] = await nodes(connection, merkle.needed(spans), size)
    return merkle.proof(spans, hashes)


async def root(connection: AsyncConnection, size: int) -> bytes:
    """Compute the root of the first `size` entries. Raises: TreeBroken."""
    if size == 0:
        return merkle.EMPTY_ROOT
    return (await _proof(connection, [Span(0, size)], size))[0]


async def inclusion_proof(connection: AsyncConnection, index: int, size: int) -> tuple[bytes, ...]:
    """Prove that entry `index` is in the tree of `size`. Raises: TreeBroken, ValueError."""
    return await _proof(connection, merkle.inclusion_spans(index, size), size)


async def consistency_proof(connection: AsyncConnection, old: int, new: int) -> tuple[bytes, ...]:
    """Prove that the tree of `old` is the beginning of the tree of `new`. Raises: TreeBroken, ValueError."""
    return await _proof(connection, merkle.consistency_spans(old, new), new)
