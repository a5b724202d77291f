"""`idp audit export`: the log as a folder of files that any tlog-tiles verifier reads, with the openings of what services did.

checkpoint, tile/…, tile/entries/…, vkey; records.jsonl and records.csv open AC of each entry. Nothing in it tells a person.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from consent import checkpoint, export_lines, notes, tiles
from consent.access_log import tables, tree, watch
from consent.access_log.opening import object_of
from consent.tiles import TileAddress

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy.ext.asyncio import AsyncConnection

    from consent.access_log.records import CheckpointState
    from consent.checkpoint import VerifierKey
    from keys.database import Database

PAGE = 4096
TILE_PAGE = 128


class ExportRefused(Exception):
    """There is nothing to export, or not to this folder. The message says what to do."""


class Exported(NamedTuple):
    """What was written."""

    size: int
    root: bytes
    note: str


async def export(
    database: Database, folder: Path, key: VerifierKey, progress: Callable[[int, int], None] = lambda _done, _all: None
) -> Exported:
    """Write the log up to its newest signed checkpoint; where witnesses watch, up to the public one, which bears their cosignatures.

    `progress` is told (entries written, entries in all).

    Raises: ExportRefused; TreeBroken when the database lacks entries or tiles; StoreUnavailable; OSError.
    """
    _require_ours(folder)
    async with database.read() as connection:
        signed = await newest(connection)
        if signed is None:
            raise ExportRefused("no checkpoint was signed yet: run `idp log sign --once`")
        _write(folder, "vkey", f"{key}\n".encode())
        await _tiles(connection, folder, signed.size)
        await _records(connection, folder, signed.size, progress)
    _write(folder, "checkpoint", signed.note.encode())
    return Exported(signed.size, signed.root, signed.note)


async def newest(connection: AsyncConnection) -> CheckpointState | None:
    """Give the checkpoint that an export made now would reach up to; None before the first. Raises: StoreUnavailable."""
    signed, public = await watch.stored(connection, "signed"), await watch.stored(connection, "published")
    cosigned = public is not None and len(notes.split(public.note)[1]) > 1
    same = signed and public and checkpoint.parse(signed.note).origin == checkpoint.parse(public.note).origin
    return public if cosigned and same else signed


def _require_ours(folder: Path) -> None:
    """Refuse to write among other files; an earlier export is written anew, and is none until its checkpoint is there."""
    if folder.exists() and any(folder.iterdir()) and not (folder / "vkey").is_file():
        raise ExportRefused(f"{folder} holds other files: name an empty or new folder, or an earlier export")
    (folder / "checkpoint").unlink(missing_ok=True)


def _write(folder: Path, name: str, content: bytes) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


async def _tiles(connection: AsyncConnection, folder: Path, size: int) -> None:
    """Write full bundles and tiles as they are stored, and the partial ones as they are now."""
    full = size // tiles.WIDTH
    bundles, stored = tables.bundles.c, tables.tiles.c
    for first in range(0, full, TILE_PAGE):
        query = (
            sa.select(bundles.n, bundles.entries).where(bundles.n >= first, bundles.n < min(first + TILE_PAGE, full)).order_by(bundles.n)
        )
        rows = (await connection.execute(query)).all()
        for n, row in itertools.zip_longest(range(first, min(first + TILE_PAGE, full)), rows):
            if row is None or row.n != n:
                raise tree.TreeBroken(f"{tiles.bundle_path(n)} is missing")
            _write(folder, tiles.bundle_path(n), row.entries)
    level = 0
    while full:
        for first in range(0, full, TILE_PAGE):
            wanted = (stored.level == level, stored.n >= first, stored.n < min(first + TILE_PAGE, full))
            for row in await connection.execute(sa.select(stored.n, stored.hashes).where(*wanted).order_by(stored.n)):
                _write(folder, tiles.tile_path(TileAddress(level, row.n)), row.hashes)
        level, full = level + 1, full // tiles.WIDTH
    for address in tiles.tiles_of(size):
        _write(folder, tiles.tile_path(address), b"".join(await tree.tile(connection, address)))
    width = size % tiles.WIDTH
    if width:
        leaves = await tree.leaves(connection, size - width, size)
        _write(folder, tiles.bundle_path(size // tiles.WIDTH, width), tiles.encode_bundle(leaves))


async def _records(connection: AsyncConnection, folder: Path, size: int, progress: Callable[[int, int], None]) -> None:
    entries = tables.entries.c
    wanted = (entries.idx, entries.leaf, entries.nonce_a, entries.nonce_s, entries.record)
    with (folder / "records.jsonl").open("wb") as lines, (folder / "records.csv").open("w", encoding="utf-8", newline="") as sheet:
        sheet.write(export_lines.csv_header())
        for first in range(0, size, PAGE):
            query = sa.select(*wanted).where(entries.idx >= first, entries.idx < min(first + PAGE, size)).order_by(entries.idx)
            for row in await connection.execute(query):
                lines.write(export_lines.json_line(row.idx, row.leaf, row.nonce_a, row.nonce_s, row.record))
                sheet.write(export_lines.csv_line(row.idx, row.leaf, row.nonce_a, object_of(row.record)))
            progress(min(first + PAGE, size), size)
