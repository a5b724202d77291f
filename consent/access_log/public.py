"""What strangers may fetch of the log: the public checkpoint, and the hashes under it. C2SP tlog-tiles and tlog-proof.

Nothing that the public checkpoint does not cover is given, in any form: the next tile would tell when a read happens.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, TypeVar

import sqlalchemy as sa
import structlog

from consent import checkpoint, tiles
from consent.access_log import tables, tree, watch
from consent.errors import LogUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from sqlalchemy.ext.asyncio import AsyncConnection

    from consent.access_log.records import CheckpointState
    from consent.access_log.watch import KeySource
    from consent.checkpoint import VerifierKey
    from consent.tiles import TileAddress
    from keys.database import Database

_log = structlog.get_logger()
T = TypeVar("T")
PROOF_HEAD = "c2sp.org/tlog-proof@v1"


class PublicLog:
    """The public side of one log, read from what is stored: the same in every process. Everything gives None where nothing is public.

    All functions raise StoreUnavailable, and LogUnavailable when the database lacks what it must have.
    """

    def __init__(self, database: Database, key: KeySource) -> None:
        self._database = database
        self._key = key

    async def checkpoint(self) -> CheckpointState | None:
        """Give the public checkpoint, which moves once a minute."""
        async with self._database.read() as connection:
            return await watch.stored(connection, "published")

    async def verifier_key(self) -> VerifierKey | None:
        """Give the key that the public checkpoint is verified with."""
        public = await self.checkpoint()
        return await self._key(checkpoint.parse(public.note).origin) if public else None

    async def tile(self, address: TileAddress) -> bytes | None:
        """Give the hashes of a tile."""
        async with self._database.read() as connection:
            if not await _covers(connection, tiles.needed_size(address)):
                return None
            return b"".join(await _whole(tree.tile(connection, address)))

    async def bundle(self, n: int, width: int) -> bytes | None:
        """Give the entries under a tile of level 0."""
        first = n * tiles.WIDTH
        async with self._database.read() as connection:
            if not await _covers(connection, first + width):
                return None
            if width == tiles.WIDTH:
                return await _whole(tree.bundle(connection, n))
            return tiles.encode_bundle(await _whole(tree.leaves(connection, first, first + width)))

    async def proof(self, index: int) -> str | None:
        """Write the tlog-proof that entry `index` is under the public checkpoint."""
        async with self._database.read() as connection:
            public = await watch.stored(connection, "published")
            if public is None or index >= public.size:
                return None
            path = await _whole(tree.inclusion_proof(connection, index, public.size))
        hashes = [base64.b64encode(sibling).decode() for sibling in path]
        return "\n".join([PROOF_HEAD, f"index {index}", *hashes, "", public.note])


async def _covers(connection: AsyncConnection, size: int) -> bool:
    """Whether the public checkpoint is at least of this size."""
    table = tables.checkpoints.c
    found = await connection.execute(sa.select(table.size).where(table.kind == "published"))
    return (found.scalar_one_or_none() or 0) >= size


async def _whole(reading: Awaitable[T]) -> T:
    try:
        return await reading
    except tree.TreeBroken as error:
        _log.error("public_log_broken", reason=str(error))
        raise LogUnavailable(str(error)) from error
