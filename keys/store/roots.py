"""Root versions in use and destroyed, and the named secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from keys.custody import version_of
from keys.database import clock
from keys.records import RootVersion
from keys.store import tables
from keys.store.base import Store, guarded, insert_new

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence


class RootVersionStore(Store):
    """Which root versions may wrap something here."""

    async def root_versions(self) -> Sequence[RootVersion]:
        """Give every version that may wrap something, oldest first."""
        table = tables.root_versions
        async with self.database.read() as connection:
            rows = await connection.execute(sa.select(table).order_by(table.c.version))
            return [RootVersion(row.version, row.check_value, row.created_at) for row in rows]

    async def add_root_version(self, version: int, check_value: bytes) -> None:
        """Register a version; nothing happens when another process did."""
        async with self.database.transaction() as transaction:
            now = await clock(transaction)
            await transaction.execute(
                insert_new(self.database, tables.root_versions, version=version, check_value=check_value, created_at=now)
            )
            await transaction.commit()

    async def destroyed_root_versions(self) -> Sequence[tuple[int, dt.datetime]]:
        """Give (version, destroyed at), newest first: backups older than that hold keys that nothing unwraps."""
        table = tables.destroyed_root_versions
        async with self.database.read() as connection:
            rows = await connection.execute(sa.select(table).order_by(table.c.version.desc()))
            return [(row.version, row.destroyed_at) for row in rows]


class NamedSecretStore(Store):
    """Secrets of the whole provider, one of each name."""

    async def named_secrets(self) -> Mapping[str, bytes]:
        """Give every named secret, wrapped."""
        table = tables.named_secrets
        async with self.database.read() as connection:
            rows = await connection.execute(sa.select(table.c.name, table.c.wrapped))
            return {row.name: row.wrapped for row in rows}

    async def add_named_secret(self, name: str, wrapped: bytes) -> None:
        """Store a secret unless one of that name exists; read again to learn whose won."""
        async with self.database.transaction() as transaction:
            await guarded(
                transaction,
                insert_new(
                    self.database,
                    tables.named_secrets,
                    name=name,
                    wrapped=wrapped,
                    root_version=version_of(wrapped),
                    created_at=await clock(transaction),
                ),
            )
            await transaction.commit()
